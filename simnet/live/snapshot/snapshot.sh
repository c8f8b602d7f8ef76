#!/bin/sh
# A snapshot of one Docker host for simnet: a folder of what standard commands print. POSIX sh; it reads only.
#
#   sh snapshot.sh DIR           writes DIR/h1/NAMESPACE/FILE
#   sh snapshot.sh - > h1.tar    the same as a tar on standard output, made in a temporary folder
#
#   --name NAME      the host's name in the snapshot (h1)
#   --keep-secrets   also takes environment variables, labels, command lines, mounts and log options
#   --no-docker      the machine's own namespace alone: an outside machine, a router
#   --pid PID        the engine's process, where that lives in namespaces of its own
#
# The engine is the one at DOCKER_HOST, a Unix socket; contexts are not followed. Root is needed, or sudo without a
# password. Exit codes: 0 taken, 2 bad usage, 4 the machine lacks something.

set -fu
LC_ALL=C PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL PATH

# What is kept of containers and networks. Everything else stays where it is.
STATE='"Status" "Running" "Paused" "Restarting" "Pid"'
CONFIG='"Hostname" "Domainname" "Image" "ExposedPorts"'
HOSTCONFIG='"NetworkMode" "PortBindings" "PublishAllPorts" "Links" "ExtraHosts" "Dns" "DnsOptions" "DnsSearch" "PidMode"
 "IpcMode" "UTSMode" "UsernsMode" "Privileged" "CapAdd" "CapDrop" "Sysctls"'
NETWORK='"Name" "Id" "Created" "Scope" "Driver" "EnableIPv4" "EnableIPv6" "IPAM" "Internal" "Attachable" "Ingress"
 "ConfigFrom" "ConfigOnly" "Containers" "Options" "Peers"'
# What the kernel is asked for in each namespace, below /proc/sys/net.
SYSCTLS='cd /proc/sys/net && grep -s "" \
  ipv4/ip_forward ipv4/icmp_echo_ignore_all ipv4/icmp_echo_ignore_broadcasts \
  ipv4/conf/*/rp_filter ipv4/conf/*/route_localnet ipv4/conf/*/accept_local ipv4/conf/*/src_valid_mark \
  ipv4/vs/conntrack ipv4/vs/expire_nodest_conn ipv4/vs/snat_reroute bridge/bridge-nf-call-iptables |
  sed "/=/d; s/:/=/; s,/,.,g; s/^/net./"'

# What any system has, and the script cannot do without.
STANDARD='id env sh cat sed grep head tr ls readlink mkdir rmdir rm mv test true'

say() { printf 'snapshot: %s\n' "$*" >&2; }

fail() { # fail CODE WORDS...
  code=$1
  shift
  say "$@"
  exit "$code"
}

usage() { fail 2 "$1; usage: snapshot.sh [--name NAME] [--keep-secrets] [--no-docker] [--pid PID] DIR|-"; }

# What Docker allows as a name, and no other: it becomes a folder's.
is_name() { case $1 in '' | [!A-Za-z0-9]* | *[!A-Za-z0-9_.-]*) return 1 ;; esac; }

is_number() { case $1 in '' | *[!0-9]*) return 1 ;; esac; }

# file_of COMMAND: its path; busybox would take an `ip` of its own, which prints no JSON
file_of() (
  IFS=:
  for directory in $PATH; do
    [ ! -f "$directory/$1" ] || [ ! -x "$directory/$1" ] || { printf %s "$directory/$1" && exit; }
  done
  exit 1
)

has() { command -v "$1" >/dev/null 2>&1; }

# fields WORDS: the Go template that prints of an object those fields that are named and there
fields() {
  printf '{{"{"}}{{$comma := ""}}{{range $key, $value := .}}{{if eq $key %s}}' "$(printf %s "$1" | tr -d '\n')"
  printf '{{$comma}}{{json $key}}:{{json $value}}{{$comma = ","}}{{end}}{{end}}{{"}"}}'
}

options() {
  name=h1 secrets='' docker=yes pid='' target=''
  while [ $# -gt 0 ]; do
    case $1 in
      --name) [ $# -gt 1 ] || usage "--name needs a name"; name=$2; shift ;;
      --pid) [ $# -gt 1 ] || usage "--pid needs a number"; pid=$2; shift ;;
      --keep-secrets) secrets=yes ;;
      --no-docker) docker='' ;;
      -?*) usage "no option $1" ;;
      '') usage "the folder's name is empty" ;;
      *) [ -z "$target" ] || usage "one folder only"; target=$1 ;;
    esac
    shift
  done
  [ -n "$target" ] || usage "the folder is missing"
  [ "$target" != - ] || [ ! -t 1 ] || usage "a tar is nothing for a terminal"
  is_name "$name" || usage "--name takes letters, digits, '_', '.' and '-'"
  [ -z "$pid" ] || is_number "$pid" || usage "--pid takes a number"
}

# What must be there, before anything is written.
needs() {
  [ "$target" != - ] || STANDARD="$STANDARD mktemp tar"
  for command in $STANDARD; do
    file_of "$command" >/dev/null || fail 4 "the command '$command' is missing"
  done
  as=''
  if [ "$(id -u)" != 0 ]; then
    as='sudo -n'
    $as true 2>/dev/null ||
      fail 4 "root is needed to read the rules (iptables-save) and the namespaces of containers; run it with sudo"
  fi
  ip=$(file_of ip) && "$ip" -j link >/dev/null 2>&1 || fail 4 "the command 'ip' is missing or knows no -j; install iproute2"
  for command in iptables-save iptables; do
    has $command || fail 4 "the command '$command' is missing; install iptables"
  done
  for command in bridge ss; do
    has $command || say "the command '$command' is missing (package iproute2): what it tells is left out"
  done
  [ -z "$docker$pid" ] || has nsenter || fail 4 "the command 'nsenter' is missing; install util-linux"
  [ -n "$docker" ] || return 0
  has docker || fail 4 "the command 'docker' is missing; with --no-docker the machine's own namespace alone is taken"
  socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
  case $socket in unix://*) ;; *) fail 4 "DOCKER_HOST is no Unix socket; run this on the Docker host itself" ;; esac
  engine version --format '{{.Server.Version}}' >/dev/null 2>&1 ||
    fail 4 "no Docker engine answers at $socket; with --no-docker the machine's own namespace alone is taken"
}

engine() { $as docker -H "$socket" "$@"; }

# Where the files are made: a folder beside where they go, or a temporary one.
prepare() {
  work='' made=''
  trap 'rm -rf "$work"; [ -z "$made" ] || rmdir "$made" 2>/dev/null' EXIT # a folder with a snapshot in it stays
  trap 'exit 130' HUP INT TERM
  if [ "$target" = - ]; then
    work=$(mktemp -d) || fail 4 "no temporary folder can be made"
  else
    [ ! -e "$target/$name" ] || fail 2 "$target/$name exists already; name another folder, or remove it"
    [ -d "$target" ] || made=$target
    work=$target/.$name.$$
    mkdir -p "$work" 2>/dev/null || fail 4 "$target cannot be written"
  fi
  out=$work/$name
  mkdir "$out"
}

# keep FILE COMMAND...: what a command prints; where it fails, its words and no file
keep() {
  file=$1
  shift
  "$@" >"$file" 2>"$work/said" && return
  rm -f "$file"
  say "${file#"$out"/} is left out: $(head -n 1 "$work/said")"
  return 1
}

# take NAMESPACE WORDS...: all files of one namespace, which the words enter
take() {
  space=$out/$1
  place=$1
  shift
  mkdir "$space" || return
  keep "$space/ip-addr.json" "$@" "$ip" -j -d addr && keep "$space/ip-route.json" "$@" "$ip" -j route show table all &&
    keep "$space/iptables-save" "$@" iptables-save -c || {
    rm -rf "$space"
    return 1
  }
  keep "$space/ip-rule.json" "$@" "$ip" -j rule
  keep "$space/ip-neigh.json" "$@" "$ip" -j neigh
  has bridge && keep "$space/bridge-fdb.json" "$@" bridge -j fdb
  has ss && keep "$space/listen" "$@" ss -Hlntu
  keep "$space/sysctl" "$@" sh -c "$SYSCTLS"
  "$@" test -e /proc/net/ip_vs 2>/dev/null && keep "$space/ipvs" "$@" cat /proc/net/ip_vs
  grep -q -e --match-set "$space/iptables-save" && keep "$space/ipset" "$@" ipset save
  for table in nat filter; do # asked for, a table that is not there would come into being
    grep -q "^\*$table" "$space/iptables-save" || continue
    keep "$space/iptables-$table-L-n" "$@" iptables -t $table -L -n
    keep "$space/iptables-$table-L-n-v" "$@" iptables -t $table -L -n -v --line-numbers
  done
  other_rules "$@"
  "$@" true 2>/dev/null || { # it ended meanwhile: what came late may be missing
    rm -rf "$space"
    return 1
  }
}

# other_rules WORDS...: rules that iptables-save does not print: the other back end's, and those of nft itself
other_rules() {
  own='^table (ip|ip6) (raw|mangle|nat|filter|security)$'
  case $(iptables --version) in
    *nf_tables*)
      if [ -n "$("$@" cat /proc/net/ip_tables_names 2>/dev/null)" ]; then
        keep "$space/iptables-legacy-save" "$@" iptables-legacy-save -c
        if grep -qs -e '-A ' -e '^:[A-Z]* DROP' "$space/iptables-legacy-save"; then
          say "$place has rules of iptables-legacy too, which simnet does not follow: iptables-legacy-save"
        else
          rm -f "$space/iptables-legacy-save"
        fi
      fi
      ;;
    *) own='^$' ;;
  esac
  has nft || return
  "$@" nft list tables 2>/dev/null | grep -Ev "$own" >"$space/nft-tables"
  if [ -s "$space/nft-tables" ]; then
    say "$place has tables of nft, which simnet does not follow:$(sed 's/^table//; $!s/$/,/' "$space/nft-tables" | tr -d '\n')"
  else
    rm -f "$space/nft-tables"
  fi
}

host() {
  root='' used=iptables-save
  set -- $as env
  if [ -n "$pid" ]; then
    theirs=$($as readlink "/proc/$pid/ns/net") || fail 4 "there is no process $pid"
    root=/proc/$pid/root
    [ "$theirs" = "$(readlink /proc/self/ns/net)" ] || set -- $as nsenter "--net=/proc/$pid/ns/net"
  fi
  take host "$@" || fail 4 "the host's own namespace cannot be read"
}

# seen PATH: where a path of the engine's is from here; /var/run may be a link to /run, which leads out of $root
seen() {
  if [ -z "$root" ] || $as test -e "$root$1"; then printf %s "$root$1"; else printf %s "$root${1#/var}"; fi
}

# enter NAMESPACE KEY: takes a sandbox
enter() {
  if [ -e "$out/$1" ]; then
    say "$1 is the name of two namespaces; that of the container is left out"
    return
  fi
  if take "$1" $as nsenter "--net=$(seen "$2")"; then entered="$entered, $1"; else say "$1 is left out: it ended meanwhile"; fi
}

elsewhere() { fail 4 "the engine lives in namespaces of its own; give --pid PID of dockerd"; }

# Of the bridges that the engine has one at least is a device of the host, or that is not the engine's.
bridges() {
  ids='' shape='{{with index .Options "com.docker.network.bridge.name"}}{{.}}{{else}}br-{{printf "%.12s" .Id}}{{end}}'
  for id in $(engine network ls --quiet --no-trunc --filter driver=bridge); do
    case $id in *[!0-9a-f]*) ;; *) ids="$ids $id" ;; esac
  done
  [ -n "$ids" ] || return
  names=$(engine network inspect --format "$shape" $ids 2>/dev/null)
  for bridge in $names; do
    ! grep -qF -e "\"ifname\":\"$bridge\"" "$out/host/ip-addr.json" || return
  done
  [ -z "$names" ] || elsewhere
}

containers() {
  ids='' entered='' folder=/var/run/docker/netns
  for id in $(engine ps --all --quiet --no-trunc); do
    case $id in *[!0-9a-f]*) ;; *) ids="$ids $id" ;; esac
  done
  whole='{{json .}}'
  [ -n "$secrets" ] || whole=$(whitelist)
  facts='{{.Id}} {{.State.Pid}} {{json .NetworkSettings.SandboxKey}} {{json .HostConfig.NetworkMode}} {{json .Name}}'
  : >"$work/containers"
  if [ -n "$ids" ]; then # a container that has just gone makes it fail; the others are printed
    engine inspect --type container --format "$facts $whole" $ids >"$work/containers" 2>"$work/said" ||
      say "docker inspect: $(head -n 1 "$work/said")"
  fi
  separator='['
  while read -r id process key mode named document <&3; do
    container
  done 3<"$work/containers"
  { [ "$separator" = , ] || printf '[\n'; printf ']\n'; } >>"$out/docker-inspect.json"
  for file in $($as ls "$(seen "$folder")" 2>/dev/null); do # those of overlay networks, and a swarm's own
    case $file in
      [0-9]*-* | lb_* | ingress_sbox) is_name "$file" && enter "$file" "$folder/$file" ;;
    esac
  done
  [ -z "$entered" ] || used="$used; the namespaces of ${entered#, }"
}

# One line of docker inspect: the document, and the namespace where it has one of its own.
container() {
  case $id in '' | *[!0-9a-f]*) say "what docker inspect prints is not understood: a line is left out"; return ;; esac
  case $named in '"/'*'"') named=${named#'"/'} named=${named%'"'} ;; *) named='' ;; esac
  if ! is_name "$named"; then
    say "the container $(printf %.12s "$id") has a name that Docker gives to none, and is left out"
    return
  fi
  printf '%s\n%s\n' "$separator" "$document" >>"$out/docker-inspect.json"
  separator=,
  case $mode in '"host"' | '"container:'*) private='' ;; *) private=yes ;; esac
  key=${key#'"'} key=${key%'"'}
  case $key in
    '') return ;;
    /*[!A-Za-z0-9_./-]* | */../* | [!/]*) say "$named is left out: its sandbox has a strange path"; return ;;
  esac
  folder=${key%/*}
  [ "$process" != 0 ] && [ -n "$private" ] || return # a paused one has a process and a namespace, too
  reach
  enter "$named" "$key"
}

# The sandbox of a container that runs can be entered, or what was taken for the engine's host is none of its own.
reach() {
  $as nsenter "--net=$(seen "$key")" true 2>/dev/null && return
  state='{{.State.Pid}} {{.NetworkSettings.SandboxKey}}'
  [ "$(engine inspect --type container --format "$state" "$id" 2>/dev/null)" = "$process $key" ] || return # it ended
  [ -z "$pid" ] || fail 4 "the sandbox of $named is not to be seen from process $pid; give --pid PID of dockerd"
  elsewhere
}

whitelist() {
  printf '%s' '{"Id":{{json .Id}},"Name":{{json .Name}},"State":{{with .State}}'
  fields "$STATE"
  printf '%s' '{{end}},"Config":{{with .Config}}'
  fields "$CONFIG"
  printf '%s' '{{end}},"HostConfig":{{with .HostConfig}}'
  fields "$HOSTCONFIG"
  printf '%s' '{{end}},"NetworkSettings":{{json .NetworkSettings}}}'
}

networks() {
  ids=''
  for id in $(engine network ls --quiet --no-trunc); do
    case $id in *[!0-9a-z]*) ;; *) ids="$ids $id" ;; esac
  done
  shape='{{json .}}'
  [ -n "$secrets" ] || shape='{{with .Id}}{{end}}'$(fields "$NETWORK")
  : >"$work/networks"
  [ -z "$ids" ] || keep "$work/networks" engine network inspect --format "$shape" $ids
  { printf '[\n' && sed '/^$/d; $!s/$/,/' "$work/networks" && printf ']\n'; } >"$out/docker-network-inspect.json"
}

main() {
  options "$@"
  needs
  prepare
  host
  if [ -n "$docker" ]; then
    [ -n "$pid" ] || bridges
    containers
    networks
    keep "$out/docker-version.json" engine version --format '{{json .}}'
  fi
  if [ "$target" = - ]; then
    tar -C "$work" -cf - "$name"
  else
    mv "$out" "$target/$name"
  fi || fail 4 "the snapshot cannot be written"
  say "root was used for: $used"
}

main "$@" </dev/null
