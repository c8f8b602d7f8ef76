"""The text by which `iptables -L` lists each match: as iptables 1.8.9 printed it, and, live, as it prints it now."""

import json
import subprocess
import sys

import pytest

from simnet.net.netfilter import values
from simnet.net.netfilter.matches import MODULES, raw, shown
from simnet.net.netfilter.rule import Chain, Option, Table
from simnet.net.netfilter.save import parse_rule

# a rule as iptables-save writes it, what -L -n prints of its matches, and what -L prints where that differs
FORMS = [
    ("-p tcp -m tcp", " tcp"),
    ("-p tcp -m tcp --dport 22", " tcp dpt:22", " tcp dpt:ssh"),
    ("-p tcp -m tcp ! --dport 22 -j ACCEPT", " tcp dpt:!22", " tcp dpt:!ssh"),
    ("-p tcp -m tcp --dport 22:23", " tcp dpts:22:23", " tcp dpts:ssh:telnet"),
    (
        "-p tcp -m tcp --sport 1:65535 ! --dport 22:80",
        " tcp spts:1:65535 dpts:!22:80",
        " tcp spts:tcpmux:65535 dpts:!ssh:http",
    ),
    ("-p tcp -m tcp --dport 0:23", " tcp dpts:0:23", " tcp dpts:0:telnet"),
    ("-p tcp -m tcp --dport 23:65535", " tcp dpts:23:65535", " tcp dpts:telnet:65535"),
    ("-p tcp -m tcp --sport 40000:40011 --dport 40", " tcp spts:40000:40011 dpt:40"),
    ("-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", " tcp flags:0x17/0x02", " tcp flags:FIN,SYN,RST,ACK/SYN"),
    ("-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN", " tcp flags:!0x17/0x02", " tcp flags:!FIN,SYN,RST,ACK/SYN"),
    (
        "-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE",
        " tcp flags:0x3F/0x00",
        " tcp flags:FIN,SYN,RST,PSH,ACK,URG/NONE",
    ),
    (
        "-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG FIN,PSH,URG",
        " tcp flags:0x3F/0x29",
        " tcp flags:FIN,SYN,RST,PSH,ACK,URG/FIN,PSH,URG",
    ),
    ("-p tcp -m tcp --tcp-flags FIN,SYN FIN,SYN", " tcp flags:0x03/0x03", " tcp flags:FIN,SYN/FIN,SYN"),
    (
        "-p tcp -m tcp --dport 80 ! --tcp-flags FIN,SYN,RST,ACK SYN",
        " tcp dpt:80 flags:!0x17/0x02",
        " tcp dpt:http flags:!FIN,SYN,RST,ACK/SYN",
    ),
    ("-p tcp -m tcp --tcp-option 8", " tcp option=8"),
    ("-p tcp -m tcp ! --tcp-option 8", " tcp option=!8"),
    (
        "-p tcp -m tcp ! --sport 80 --dport 22 ! --tcp-option 8 --tcp-flags SYN,ACK SYN",
        " tcp spt:!80 dpt:22 option=!8 flags:0x12/0x02",
        " tcp spt:!http dpt:ssh option=!8 flags:SYN,ACK/SYN",
    ),
    ("-p udp -m udp", " udp"),
    ("-p udp -m udp --dport 53", " udp dpt:53", " udp dpt:domain"),
    ("-p udp -m udp ! --sport 53 --dport 514", " udp spt:!53 dpt:514", " udp spt:!domain dpt:syslog"),
    ("-p udp -m udp --dport 500:514", " udp dpts:500:514", " udp dpts:isakmp:syslog"),
    ("-p tcp -m multiport --dports 80,443", " multiport dports 80,443", " multiport dports http,https"),
    ("-p tcp -m multiport --sports 80,443", " multiport sports 80,443", " multiport sports http,https"),
    ("-p tcp -m multiport --ports 80,443", " multiport ports 80,443", " multiport ports http,https"),
    ("-p tcp -m multiport ! --ports 80,443,22", " multiport ports  !80,443,22", " multiport ports  !http,https,ssh"),
    ("-p tcp -m multiport ! --dports 80", " multiport dports  !80", " multiport dports  !http"),
    (
        "-p udp -m multiport ! --sports 53,512:514,514",
        " multiport sports  !53,512:514,514",
        " multiport sports  !domain,biff:syslog,syslog",
    ),
    (
        "-p tcp -m multiport --dports 1024:2000,22,8080",
        " multiport dports 1024:2000,22,8080",
        " multiport dports 1024:cisco-sccp,ssh,http-alt",
    ),
    ("-p sctp -m multiport --dports 22,80", " multiport dports 22,80"),
    ("-p dccp -m multiport --dports 22,80", " multiport dports 22,80"),
    ("-p udplite -m multiport --dports 22,80", " multiport dports 22,80"),
    ("-p icmp -m icmp --icmp-type 8", " icmptype 8", " icmp echo-request"),
    ("-p icmp -m icmp ! --icmp-type 8", " icmp !type 8", " icmp !echo-request"),
    ("-p icmp -m icmp --icmp-type 8/0", " icmptype 8 code 0"),
    ("-p icmp -m icmp --icmp-type 3/4", " icmptype 3 code 4", " icmp fragmentation-needed"),
    ("-p icmp -m icmp --icmp-type 3/77", " icmptype 3 code 77"),
    ("-p icmp -m icmp --icmp-type 3", " icmptype 3", " icmp destination-unreachable"),
    ("-p icmp -m icmp --icmp-type any", " icmptype 255", " icmp any"),
    ("-p icmp -m icmp ! --icmp-type any", " icmp !type 255", " icmp !any"),
    ("-p icmp -m icmp --icmp-type 40", " icmptype 40"),
    ("-p icmp -m icmp --icmp-type 40/1", " icmptype 40 code 1"),
    ("-p icmp -m icmp --icmp-type 0", " icmptype 0", " icmp echo-reply"),
    ("-p icmp -m icmp ! --icmp-type 0", " icmp !type 0", " icmp !echo-reply"),
    ("-p icmp -m icmp --icmp-type 11", " icmptype 11", " icmp time-exceeded"),
    ("-p icmp -m icmp --icmp-type 13", " icmptype 13", " icmp timestamp-request"),
    ("-p icmp -m icmp --icmp-type 9/16", " icmptype 9 code 16"),
    ('-m comment --comment "hello world"', " /* hello world */"),
    ("-m comment --comment x", " /* x */"),
    ('-m comment --comment "q\\"uo\\\'te */"', " /* q\"uo'te */ */"),
    ("-m conntrack --ctstate RELATED,ESTABLISHED", " ctstate RELATED,ESTABLISHED"),
    ("-m conntrack --ctstate INVALID,NEW,UNTRACKED,SNAT,DNAT", " ctstate INVALID,NEW,UNTRACKED,SNAT,DNAT"),
    ("-m conntrack ! --ctstate INVALID", " ! ctstate INVALID"),
    ("-m conntrack --ctdir ORIGINAL", " ctdir ORIGINAL"),
    ("-m conntrack --ctdir REPLY", " ctdir REPLY"),
    ("-m conntrack --ctproto 6", " ctproto 6"),
    ("-m conntrack ! --ctproto 17", " ! ctproto 17"),
    ("-m conntrack ! --ctproto 200", " ! ctproto 200"),
    ("-m conntrack --ctorigsrc 10.0.0.1", " ctorigsrc 10.0.0.1"),
    ("-m conntrack ! --ctorigsrc 10.0.0.0/8", " ! ctorigsrc 10.0.0.0/8"),
    ("-m conntrack --ctorigdst 10.0.0.0", " ctorigdst 10.0.0.0"),
    ("-m conntrack --ctreplsrc 0.0.0.0/0", " ctreplsrc 0.0.0.0/0", " ctreplsrc anywhere"),
    ("-m conntrack --ctrepldst 10.0.0.0/24", " ctrepldst 10.0.0.0/24"),
    ("-m conntrack --ctorigsrcport 22", " ctorigsrcport 22"),
    ("-m conntrack --ctorigsrcport 22:25 ! --ctorigdstport 80", " ctorigsrcport 22:25 ! ctorigdstport 80"),
    ("-m conntrack --ctreplsrcport 22:25 ! --ctrepldstport 80:90", " ctreplsrcport 22:25 ! ctrepldstport 80:90"),
    ("-m conntrack --ctstatus NONE", " ctstatus NONE"),
    (
        "-m conntrack --ctstatus EXPECTED,SEEN_REPLY,ASSURED,CONFIRMED",
        " ctstatus EXPECTED,SEEN_REPLY,ASSURED,CONFIRMED",
    ),
    ("-m conntrack ! --ctstatus ASSURED", " ! ctstatus ASSURED"),
    ("-m conntrack --ctexpire 10", " ctexpire 10"),
    ("-m conntrack ! --ctexpire 10:20", " ! ctexpire 10:20"),
    ("-m conntrack --ctexpire 10:4294967295", " ctexpire 10:4294967295"),
    ("-m state --state NEW", " state NEW"),
    ("-m state --state RELATED,ESTABLISHED", " state RELATED,ESTABLISHED"),
    ("-m state ! --state INVALID,UNTRACKED", " ! state INVALID,UNTRACKED"),
    ("-m addrtype --dst-type LOCAL", " ADDRTYPE match dst-type LOCAL"),
    ("-m addrtype ! --dst-type LOCAL,BROADCAST", " ADDRTYPE match dst-type !LOCAL,BROADCAST"),
    (
        "-m addrtype --src-type UNICAST ! --dst-type MULTICAST --limit-iface-in",
        " ADDRTYPE match src-type UNICAST dst-type !MULTICAST limit-in",
    ),
    ("-m addrtype --src-type UNICAST --limit-iface-out", " ADDRTYPE match src-type UNICAST limit-out"),
    ("-m limit --limit 3/hour", " limit: avg 3/hour burst 5"),
    ("-m limit --limit 3/min", " limit: avg 3/min burst 5"),
    ("-m limit --limit 1/sec --limit-burst 10", " limit: avg 1/sec burst 10"),
    ("-m limit --limit 7/day", " limit: avg 7/day burst 5"),
    ("-m limit --limit 100/sec", " limit: avg 100/sec burst 5"),
    ("-m limit --limit 1/sec", " limit: avg 1/sec burst 5"),
    ("-m limit --limit 90/min", " limit: avg 90/min burst 5"),
    ("-m limit --limit 10000/sec", " limit: avg 10000/sec burst 5"),
    ("-m mark --mark 0x1", " mark match 0x1"),
    ("-m mark --mark 0x1/0xff", " mark match 0x1/0xff"),
    ("-m mark ! --mark 0x1/0xff", " mark match ! 0x1/0xff"),
    ("-m mark --mark 0x1/0x0", " mark match 0x1/0x0"),
    ("-m connmark --mark 0x1", " connmark match  0x1"),
    ("-m connmark ! --mark 0x1/0xff", " connmark match ! 0x1/0xff"),
    ("-m iprange --src-range 10.0.0.1-10.0.0.9", " source IP range 10.0.0.1-10.0.0.9"),
    ("-m iprange ! --src-range 10.0.0.1-10.0.0.9", " source IP range ! 10.0.0.1-10.0.0.9"),
    (
        "-m iprange --src-range 1.1.1.1-1.1.1.1 --dst-range 10.0.0.1-10.0.0.9",
        " source IP range 1.1.1.1-1.1.1.1 destination IP range 10.0.0.1-10.0.0.9",
    ),
    ("-m iprange ! --dst-range 10.0.0.1-10.0.0.1", " destination IP range ! 10.0.0.1-10.0.0.1"),
    ("-m ttl --ttl-eq 64", " TTL match TTL == 64"),
    ("-m ttl ! --ttl-eq 64", " TTL match TTL != 64"),
    ("-m ttl --ttl-lt 64", " TTL match TTL < 64"),
    ("-m ttl --ttl-gt 64", " TTL match TTL > 64"),
    ("-m length --length 40", " length 40"),
    ("-m length ! --length 40", " length !40"),
    ("-m length --length 40:84", " length 40:84"),
    ("-m length ! --length 40:65535", " length !40:65535"),
    ("-m length --length 0:84", " length 0:84"),
    ("-m dscp --dscp 0x00", " DSCP match 0x00"),
    ("-m dscp --dscp 0x2e", " DSCP match 0x2e"),
    ("-m dscp ! --dscp 0x2e", " DSCP match !0x2e"),
    ("-m dscp ! --dscp 0x00", " DSCP match !0x00"),
    ("-m tos --tos 0x10/0xff", " tos match0x10/0xff"),
    ("-m tos --tos 0x10/0x3f", " tos match0x10/0x3f", " tos match Minimize-Delay"),
    ("-m tos ! --tos 0x10/0xff", " tos match!0x10/0xff"),
    ("-m tos --tos 0x08/0xff", " tos match0x08/0xff"),
    ("-m tos ! --tos 0x00/0x3f", " tos match!0x00/0x3f", " tos match! Normal-Service"),
    ("-m tos --tos 0x02/0xff", " tos match0x02/0xff"),
    ("-m set --match-set bad src", " match-set bad src"),
    ("-m set ! --match-set bad dst", " ! match-set bad dst"),
    ("-m set --match-set two src,dst", " match-set two src,dst"),
    ("-m set --match-set bad src --return-nomatch", " match-set bad src return-nomatch"),
    ("-m set --match-set bad src ! --update-counters", " match-set bad src ! update-counters"),
    ("-m set --match-set bad src ! --update-subcounters", " match-set bad src ! update-subcounters"),
    ("-m set --match-set bad src --packets-eq 5", " match-set bad src packets-eq 5"),
    ("-m set --match-set bad src ! --packets-eq 5", " match-set bad src ! packets-eq 5"),
    ("-m set --match-set bad src --packets-lt 5 --bytes-gt 9", " match-set bad src packets-lt 5 bytes-gt 9"),
    ("-m set --match-set bad src --packets-gt 5 --bytes-lt 9", " match-set bad src packets-gt 5 bytes-lt 9"),
    (
        "-m set --match-set bad src --return-nomatch ! --update-counters ! --bytes-eq 9",
        " match-set bad src return-nomatch ! update-counters ! bytes-eq 9",
    ),
    ("-m physdev --physdev-in eth0", " PHYSDEV match --physdev-in eth0"),
    ("-m physdev ! --physdev-in eth+", " PHYSDEV match ! --physdev-in eth+"),
    ("-m physdev --physdev-out eth0", " PHYSDEV match --physdev-out eth0"),
    ("-m physdev ! --physdev-out eth0", " PHYSDEV match ! --physdev-out eth0"),
    ("-m physdev --physdev-is-in", " PHYSDEV match --physdev-is-in"),
    ("-m physdev ! --physdev-is-in", " PHYSDEV match ! --physdev-is-in"),
    ("-m physdev --physdev-is-out", " PHYSDEV match --physdev-is-out"),
    ("-m physdev ! --physdev-is-out", " PHYSDEV match ! --physdev-is-out"),
    ("-m physdev --physdev-is-bridged", " PHYSDEV match --physdev-is-bridged"),
    ("-m physdev ! --physdev-is-bridged", " PHYSDEV match ! --physdev-is-bridged"),
    (
        "-m physdev --physdev-in eth0 --physdev-out eth1 --physdev-is-bridged",
        " PHYSDEV match --physdev-in eth0 --physdev-out eth1 --physdev-is-bridged",
    ),
    ("-m mac --mac-source aa:bb:cc:dd:ee:0f", " MAC aa:bb:cc:dd:ee:0f"),
    ("-m mac ! --mac-source aa:bb:cc:dd:ee:0f", " MAC ! aa:bb:cc:dd:ee:0f"),
    ("-m pkttype --pkt-type unicast", " PKTTYPE = unicast"),
    ("-m pkttype ! --pkt-type broadcast", " PKTTYPE != broadcast"),
    ("-m pkttype --pkt-type multicast", " PKTTYPE = multicast"),
    ("-m pkttype --pkt-type otherhost", " PKTTYPE = otherhost"),
    ("-p ah -m ah", " ah "),
    ("-p ah -m ah --ahspi 1", " ah spi:1"),
    ("-p ah -m ah --ahspi 1:2", " ah spis:1:2"),
    ("-p ah -m ah ! --ahspi 1:2", " ah spis:!1:2"),
    ("-p ah -m ah ! --ahspi 5", " ah spi:!5"),
    ("-p ah -m ah --ahspi 0:5", " ah spis:0:5"),
    ("-p ah -m ah --ahspi 5:4294967295", " ah spis:5:4294967295"),
    ("-p esp -m esp", " esp"),
    ("-p esp -m esp --espspi 1", " esp spi:1"),
    ("-p esp -m esp --espspi 1:2", " esp spis:1:2"),
    ("-p esp -m esp ! --espspi 1:2", " esp spis:!1:2"),
    ("-p esp -m esp --espspi 16:4294967295", " esp spis:16:4294967295"),
    ("-p ipcomp -m ipcomp --ipcompspi 0", " comp spi:0"),
    ("-p ipcomp -m ipcomp --ipcompspi 1", " comp spi:1"),
    ("-p ipcomp -m ipcomp ! --ipcompspi 1:2", " comp spis:!1:2"),
    ("-p ipcomp -m ipcomp", " comp "),
    ("-p ipcomp -m ipcomp --ipcompspi 0 --compres", " comp spi:0 reserved"),
    ("-m realm --realm 0x1", " realm 0x1"),
    ("-m realm ! --realm 0x1/0xff", " ! realm 0x1/0xff"),
    ("-m realm --realm 0xa/0xf", " realm 0xa/0xf"),
    ("-m cgroup --cgroup 1", " cgroup 1"),
    ("-m cgroup ! --cgroup 1048577", " cgroup ! 1048577"),
    ('-m cgroup --path "/"', " cgroup /"),
    (
        "-m cluster --cluster-local-nodemask 0x00000001 --cluster-total-nodes 2 --cluster-hash-seed 0xdeadbeef",
        " cluster node_mask=0x00000001 total_nodes=2 hash_seed=0xdeadbeef",
    ),
    (
        "-m cluster ! --cluster-local-nodemask 0x00000001 --cluster-total-nodes 2 --cluster-hash-seed 0x00000001",
        " cluster !node_mask=0x00000001 total_nodes=2 hash_seed=0x00000001",
    ),
    (
        "-m cluster --cluster-local-nodemask 0x00000003 --cluster-total-nodes 2 --cluster-hash-seed 0x00000001",
        " cluster node_mask=0x00000003 total_nodes=2 hash_seed=0x00000001",
    ),
    (
        "-m cluster ! --cluster-local-nodemask 0x00000003 --cluster-total-nodes 2 --cluster-hash-seed 0x00000001",
        " cluster !node_mask=0x00000003 total_nodes=2 hash_seed=0x00000001",
    ),
    (
        "-m connbytes --connbytes 100 --connbytes-mode bytes --connbytes-dir both",
        " connbytes 100 connbytes mode bytes connbytes direction both",
    ),
    (
        "-m connbytes --connbytes 100:200 --connbytes-mode packets --connbytes-dir original",
        " connbytes 100:200 connbytes mode packets connbytes direction original",
    ),
    (
        "-m connbytes ! --connbytes 100:200 --connbytes-mode avgpkt --connbytes-dir reply",
        " ! connbytes 100:200 connbytes mode avgpkt connbytes direction reply",
    ),
    (
        "-m connbytes ! --connbytes 100 --connbytes-mode avgpkt --connbytes-dir reply",
        " ! connbytes 100 connbytes mode avgpkt connbytes direction reply",
    ),
    (
        "-m connbytes --connbytes 0:100 --connbytes-mode avgpkt --connbytes-dir reply",
        " connbytes 0:100 connbytes mode avgpkt connbytes direction reply",
    ),
    (
        "-m connbytes --connbytes 0 --connbytes-mode avgpkt --connbytes-dir reply",
        " connbytes 0 connbytes mode avgpkt connbytes direction reply",
    ),
    (
        "-m connbytes ! --connbytes 0 --connbytes-mode avgpkt --connbytes-dir reply",
        " ! connbytes 0 connbytes mode avgpkt connbytes direction reply",
    ),
    ('-m connlabel --label "1"', " connlabel 1"),
    ('-m connlabel ! --label "1"', " connlabel ! 1"),
    ('-m connlabel --label "1" --set', " connlabel 1 set"),
    ("-m connlimit --connlimit-above 3 --connlimit-mask 32 --connlimit-saddr", " #conn src/32 > 3"),
    ("-m connlimit --connlimit-above 3 --connlimit-mask 24 --connlimit-saddr", " #conn src/24 > 3"),
    ("-m connlimit --connlimit-upto 3 --connlimit-mask 24 --connlimit-daddr", " #conn dst/24 <= 3"),
    ("-m connlimit --connlimit-upto 3 --connlimit-mask 32 --connlimit-saddr", " #conn src/32 <= 3"),
    ("-m cpu --cpu 0", " cpu 0"),
    ("-m cpu ! --cpu 1", " cpu ! 1"),
    ("-p dccp -m dccp", " dccp"),
    ("-p dccp -m dccp --sport 1", " dccp spt:1"),
    ("-p dccp -m dccp --sport 1:2 ! --dport 80", " dccp spts:1:2 dpt:!80"),
    ("-p dccp -m dccp ! --dport 80:90", " dccp dpts:!80:90"),
    ("-p dccp -m dccp --dccp-types REQUEST,RESPONSE", " dccp 0,1", " dccp REQUEST,RESPONSE"),
    (
        "-p dccp -m dccp ! --dccp-types DATA,ACK,DATAACK,CLOSEREQ,CLOSE,RESET,SYNC,SYNCACK,INVALID",
        " dccp ! 2,3,4,5,6,7,8,9,10,11,12,13,14,15",
        " dccp ! DATA,ACK,DATAACK,CLOSEREQ,CLOSE,RESET,SYNC,SYNCACK,INVALID",
    ),
    ("-p dccp -m dccp --dccp-option 3", " dccp option=3"),
    ("-p dccp -m dccp ! --dccp-option 3", " dccp option=!3"),
    ("-m devgroup --src-group 0x1", " src-group 0x1"),
    ("-m devgroup --dst-group 0x1", " dst-group 0x1"),
    (
        "-m devgroup ! --src-group 0x1/0xff ! --dst-group default",
        " ! src-group 0x1/0xff ! dst-group 0x0",
        " ! src-group 0x1/0xff ! dst-group default",
    ),
    ("-m devgroup --src-group default", " src-group 0x0", " src-group default"),
    ("-p tcp -m ecn --ecn-tcp-cwr", " ECN match CWR"),
    ("-p tcp -m ecn ! --ecn-tcp-cwr", " ECN match !CWR"),
    ("-p tcp -m ecn --ecn-tcp-ece", " ECN match ECE"),
    ("-p tcp -m ecn ! --ecn-tcp-ece ! --ecn-tcp-cwr ! --ecn-ip-ect 0", " ECN match !ECE !CWR !ECT=0"),
    ("-m ecn --ecn-ip-ect 1", " ECN match ECT=1"),
    ("-m ecn ! --ecn-ip-ect 3", " ECN match !ECT=3"),
    ("-p tcp -m ecn --ecn-tcp-ece --ecn-tcp-cwr --ecn-ip-ect 2", " ECN match ECE CWR ECT=2"),
    ("-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 5 --hashlimit-name a", " limit: up to 5/sec burst 5"),
    ("-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 5 --hashlimit-name a2", " limit: up to 5/sec burst 5"),
    (
        "-m hashlimit --hashlimit-above 5/min --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name b",
        " limit: above 5/min burst 5 mode srcip",
    ),
    (
        "-m hashlimit --hashlimit-above 5/hour --hashlimit-burst 7 --hashlimit-mode srcip,dstport --hashlimit-name c",
        " limit: above 5/hour burst 7 mode srcip-dstport",
    ),
    (
        "-m hashlimit --hashlimit-upto 3/sec --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name e",
        " limit: up to 3/sec burst 5 mode srcip",
    ),
    ("-m hashlimit --hashlimit-upto 512kb/s --hashlimit-name g", " limit: up to 512kb/s"),
    (
        "-m hashlimit --hashlimit-above 1mb/s --hashlimit-burst 2mb --hashlimit-mode dstip --hashlimit-name h",
        " limit: above 1mb/s burst 2mb mode dstip",
    ),
    ("-m hashlimit --hashlimit-above 96b/s --hashlimit-name i", " limit: above 96b/s"),
    (
        "-m hashlimit --hashlimit-above 10/sec --hashlimit-burst 5 --hashlimit-name k --hashlimit-rate-match",
        " limit: above 10/sec burst 5 rate-match",
    ),
    ("-m hashlimit --hashlimit-upto 10/sec --hashlimit-burst 5 --hashlimit-name l", " limit: up to 10/sec burst 5"),
    ("-m hashlimit --hashlimit-above 10/sec --hashlimit-burst 5 --hashlimit-name m", " limit: above 10/sec burst 5"),
    ("-m hashlimit --hashlimit-upto 1000/sec --hashlimit-burst 5 --hashlimit-name n", " limit: up to 1000/sec burst 5"),
    (
        "-m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 5 --hashlimit-name o --hashlimit-htable-expire 60000",
        " limit: up to 1/sec burst 5 htable-expire 60000",
    ),
    (
        "-m hashlimit --hashlimit-upto 10000/sec --hashlimit-burst 5 --hashlimit-name p",
        " limit: up to 10000/sec burst 5",
    ),
    ("-m hashlimit --hashlimit-upto 7/hour --hashlimit-burst 5 --hashlimit-name q", " limit: up to 7/hour burst 5"),
    ("-m hashlimit --hashlimit-upto 90/min --hashlimit-burst 5 --hashlimit-name r", " limit: up to 90/min burst 5"),
    ("-m helper --helper ftp", ' helper match "ftp"'),
    ("-m helper ! --helper ftp", ' helper match ! "ftp"'),
    ('-m helper --helper ""', ' helper match ""'),
    ("-p tcp -m osf --genre Linux", " OS fingerprint match Linux"),
    ("-p tcp -m osf ! --genre Linux --ttl 0 --log 1", " OS fingerprint match ! Linux"),
    ("-p tcp -m osf --genre Linux --ttl 2", " OS fingerprint match Linux"),
    ("-m owner --uid-owner 0", " owner UID match 0", " owner UID match root"),
    ("-m owner --gid-owner 0", " owner GID match 0", " owner GID match root"),
    ("-m owner --gid-owner 5-6", " owner GID match 5-6"),
    ("-m owner ! --gid-owner 12345 --suppl-groups", " ! owner GID match 12345 incl. suppl. groups"),
    ("-m owner --socket-exists", " owner socket exists"),
    ("-m owner ! --socket-exists", " ! owner socket exists"),
    (
        "-m owner --socket-exists --uid-owner 33 ! --gid-owner 33",
        " owner socket exists owner UID match 33 ! owner GID match 33",
        " owner socket exists owner UID match www-data ! owner GID match www-data",
    ),
    ("-m policy --dir in --pol none", " policy match dir in pol none"),
    ("-m policy --dir out --pol ipsec", " policy match dir out pol ipsec"),
    ("-m policy --dir in --pol ipsec --strict --reqid 1", " policy match dir in pol ipsec strict reqid 1"),
    (
        "-m policy --dir in --pol ipsec --mode tunnel ! --tunnel-dst 10.0.0.0/8 ! --tunnel-src 10.0.0.1",
        " policy match dir in pol ipsec mode tunnel ! tunnel-dst 10.0.0.0/8 ! tunnel-src 10.0.0.1",
    ),
    ("-m quota --quota 1000", " quota: 1000 bytes"),
    ("-m quota ! --quota 1000", " quota: 1000 bytes"),
    (
        "-m recent --set --name DEFAULT --mask 255.255.255.255 --rsource",
        " recent: SET name: DEFAULT side: source mask: 255.255.255.255",
    ),
    (
        "-m recent --rcheck --seconds 60 --hitcount 4 --name ssh --mask 255.255.255.255 --rsource",
        " recent: CHECK seconds: 60 hit_count: 4 name: ssh side: source mask: 255.255.255.255",
    ),
    (
        "-m recent --update --seconds 60 --name ssh --mask 255.255.255.255 --rsource",
        " recent: UPDATE seconds: 60 name: ssh side: source mask: 255.255.255.255",
    ),
    (
        "-m recent --remove --name ssh --mask 255.255.255.255 --rdest",
        " recent: REMOVE name: ssh side: dest mask: 255.255.255.255",
    ),
    (
        "-m recent ! --rcheck --rttl --name ssh2 --mask 255.255.255.0 --rsource",
        " ! recent: CHECK TTL-Match name: ssh2 side: source mask: 255.255.255.0",
    ),
    (
        "-m recent --rcheck --seconds 60 --reap --name z --mask 255.255.255.255 --rsource",
        " recent: CHECK seconds: 60 reap name: z side: source mask: 255.255.255.255",
    ),
    (
        "-m recent ! --set --name z --mask 255.255.255.255 --rsource",
        " ! recent: SET name: z side: source mask: 255.255.255.255",
    ),
    (
        "-m recent ! --update --name z --mask 255.255.255.255 --rsource",
        " ! recent: UPDATE name: z side: source mask: 255.255.255.255",
    ),
    (
        "-m recent ! --remove --name z --mask 255.255.255.255 --rsource",
        " ! recent: REMOVE name: z side: source mask: 255.255.255.255",
    ),
    ("-m recent --set --name z --mask 255.255.0.0 --rdest", " recent: SET name: z side: dest mask: 255.255.0.0"),
    (
        "-m recent --rcheck --hitcount 4 --rttl --name ssh --mask 255.255.255.255 --rsource",
        " recent: CHECK hit_count: 4 TTL-Match name: ssh side: source mask: 255.255.255.255",
    ),
    ("-m rpfilter", " rpfilter"),
    ("-m rpfilter --loose", " rpfilter loose"),
    ("-m rpfilter --validmark --accept-local", " rpfilter validmark accept-local"),
    ("-m rpfilter --invert", " rpfilter invert"),
    ("-m rpfilter --loose --validmark --accept-local --invert", " rpfilter loose validmark accept-local invert"),
    ("-p sctp -m sctp", " sctp"),
    ("-p sctp -m sctp --sport 1", " sctp spt:1"),
    ("-p sctp -m sctp ! --sport 1:2 --dport 80", " sctp spts:!1:2 dpt:80"),
    ("-p sctp -m sctp ! --dport 80:90", " sctp dpts:!80:90"),
    ("-p sctp -m sctp --chunk-types all DATA,INIT", " sctp all 0x0000,0x0001", " sctp all DATA,INIT"),
    ("-p sctp -m sctp --chunk-types any DATA:Be,INIT", " sctp any 0x0000:Be,0x0001", " sctp any DATA:Be,INIT"),
    ("-p sctp -m sctp --chunk-types only DATA:BE", " sctp only 0x0000:BE", " sctp only DATA:BE"),
    (
        "-p sctp -m sctp ! --chunk-types any ABORT:T,SHUTDOWN_COMPLETE:t",
        " sctp ! any 0x0006:T,0x000E:t",
        " sctp ! any ABORT:T,SHUTDOWN_COMPLETE:t",
    ),
    ("-p sctp -m sctp --chunk-types all ALL", " sctp all ALL"),
    ("-p sctp -m sctp --chunk-types all NONE", " sctp all NONE"),
    ("-m socket", " socket"),
    ("-m socket --nowildcard", " socket --nowildcard"),
    ("-m socket --transparent", " socket --transparent"),
    ("-m socket --transparent --nowildcard --restore-skmark", " socket --transparent --nowildcard --restore-skmark"),
    ("-m statistic --mode random --probability 0.50000000000", " statistic mode random probability 0.50000000000"),
    ("-m statistic --mode random ! --probability 0.33300000010", " statistic mode random ! probability 0.33300000010"),
    ("-m statistic --mode random --probability 1.00000000000", " statistic mode random probability 1.00000000000"),
    ("-m statistic --mode random --probability 0.00001000008", " statistic mode random probability 0.00001000008"),
    ("-m statistic --mode nth --every 3 --packet 2", " statistic mode nth every 3 packet 2"),
    ("-m statistic --mode nth ! --every 3 --packet 1", " statistic mode nth ! every 3 packet 1"),
    ('-m string --string "foo" --algo bm', ' STRING match  "foo" ALGO name bm'),
    ('-m string --string "foo bar" --algo kmp', ' STRING match  "foo bar" ALGO name kmp'),
    ('-m string ! --string "foo" --algo bm --from 10 --to 20', ' STRING match ! "foo" ALGO name bm FROM 10 TO 20'),
    ('-m string --hex-string "|deadbeef616263|" --algo bm', ' STRING match  "|deadbeef616263|" ALGO name bm'),
    ('-m string ! --hex-string "|6100|" --algo kmp --icase', ' STRING match ! "|6100|" ALGO name kmp ICASE'),
    ('-m string --string "foo" --algo bm --from 4 --icase', ' STRING match  "foo" ALGO name bm FROM 4 ICASE'),
    ('-m string --string "a\\"b\\\\c" --algo bm', ' STRING match  "a\\"b\\\\c" ALGO name bm'),
    ('-m string --string "GET /|x" --algo bm', ' STRING match  "GET /|x" ALGO name bm'),
    ("-p tcp -m tcpmss --mss 1460", " tcpmss match 1460"),
    ("-p tcp -m tcpmss --mss 1:500", " tcpmss match 1:500"),
    ("-p tcp -m tcpmss ! --mss 1:500", " tcpmss match !1:500"),
    ("-p tcp -m tcpmss ! --mss 536", " tcpmss match !536"),
    ("-p tcp -m tcpmss --mss 1400:65535", " tcpmss match 1400:65535"),
    (
        "-m time --timestart 08:00:00 --timestop 17:00:00 --datestop 2038-01-19T03:14:07",
        " TIME from 08:00:00 to 17:00:00 UTC",
    ),
    (
        "-m time --timestart 08:00:05 --timestop 17:00:00 --weekdays Mon,Tue --datestop 2038-01-19T03:14:07",
        " TIME from 08:00:05 to 17:00:00 on Mon,Tue UTC",
    ),
    ("-m time --weekdays Mon,Tue,Wed,Thu,Fri --datestop 2038-01-19T03:14:07", " TIME on Mon,Tue,Wed,Thu,Fri UTC"),
    ("-m time --monthdays 1,2,31 --datestop 2038-01-19T03:14:07", " TIME on 1st,2nd,31st UTC"),
    (
        "-m time --datestart 2023-01-01T00:00:00 --datestop 2024-02-03T04:05:06",
        " TIME starting from 2023-01-01 00:00:00 until date 2024-02-03 04:05:06 UTC",
    ),
    (
        "-m time --datestart 2023-01-01T00:00:00 --datestop 2038-01-19T03:14:07",
        " TIME starting from 2023-01-01 00:00:00 UTC",
    ),
    (
        "-m time --timestart 23:00:00 --timestop 01:00:00 --datestop 2038-01-19T03:14:07 --contiguous",
        " TIME from 23:00:00 to 01:00:00 UTC contiguous",
    ),
    (
        "-m time --timestart 00:00:00 --timestop 12:00:00 --weekdays Mon,Tue,Sun --datestop 2038-01-19T03:14:07",
        " TIME from 00:00:00 to 12:00:00 on Mon,Tue,Sun UTC",
    ),
    ("-m time --datestop 2038-01-19T03:14:07", " TIME UTC"),
    ("-m time --datestop 2030-01-01T00:00:00", " TIME until date 2030-01-01 00:00:00 UTC"),
    ('-m u32 --u32 "0x0&0xffff=0x100:0xffff"', ' u32 "0x0&0xffff=0x100:0xffff"'),
    ('-m u32 ! --u32 "0x6&0xff=0x1"', ' u32 ! "0x6&0xff=0x1"'),
    (
        '-m u32 --u32 "0x0>>0x16&0x3c@0x4=0x50,0x1bb&&0x4&0x3fff=0x0"',
        ' u32 "0x0>>0x16&0x3c@0x4=0x50,0x1bb&&0x4&0x3fff=0x0"',
    ),
    (
        '-m u32 --u32 "0x0>>0x16&0x3c@0xc>>0x1a&0x3c@0x0=0x47455420"',
        ' u32 "0x0>>0x16&0x3c@0xc>>0x1a&0x3c@0x0=0x47455420"',
    ),
    ('-m u32 --u32 "0x0<<0x2=0x1:0x2,0x5"', ' u32 "0x0<<0x2=0x1:0x2,0x5"'),
    (
        "-m rateest --rateest x --rateest-gt --rateest-bps 1000bit",
        " rateest match x bps 125 gt",
        " rateest match x bps 1000bit gt",
    ),
    ("-m rateest --rateest x --rateest-gt --rateest-pps 1000", " rateest match x pps gt 1000"),
    (
        "-m rateest --rateest x ! --rateest-gt --rateest-bps 8000bit ! --rateest-gt --rateest-pps 5",
        " rateest match x bps 1000 ! gt pps ! gt 5",
        " rateest match x bps 8000bit ! gt pps ! gt 5",
    ),
    ("-m rateest --rateest1 x --rateest-eq --rateest-bps --rateest2 y", " rateest match x bps eq y bps"),
    ("-m rateest --rateest1 x --rateest-eq --rateest-pps --rateest2 y", " rateest match x pps eq y pps"),
    (
        "-m rateest --rateest-delta --rateest1 x --rateest-pps1 10 --rateest-lt --rateest-pps2 20 --rateest2 y",
        " rateest match x delta pps 10 lt y pps 20",
    ),
    ("-m nfacct --nfacct-name  foo", " nfacct-name  foo"),
    (
        "-m time --timestart 08:00:00 --timestop 17:00:00 --datestop 2038-01-19T03:14:07 --kerneltz",
        " TIME from 08:00:00 to 17:00:00",
    ),
    (
        "-m time --timestart 08:00:00 --timestop 23:59:59 --datestop 2038-01-19T03:14:07",
        " TIME from 08:00:00 to 23:59:59 UTC",
    ),
    (
        "-m time --monthdays 1,2,3 --weekdays Fri --datestart 2020-01-02T03:04:05 --datestop 2038-01-19T03:14:07",
        " TIME on Fri on 1st,2nd,3rd starting from 2020-01-02 03:04:05 UTC",
    ),
    ('-m string --string "|" --algo bm', ' STRING match  "|" ALGO name bm'),
    ('-m string --string "AB" --algo bm', ' STRING match  "AB" ALGO name bm'),
    ('-m string --hex-string "|7461620978|" --algo bm', ' STRING match  "|7461620978|" ALGO name bm'),
    ('-m string --hex-string "|c3a4|" --algo bm', ' STRING match  "|c3a4|" ALGO name bm'),
    ('-m string --hex-string "|41c3a9|" --algo bm', ' STRING match  "|41c3a9|" ALGO name bm'),
    ('-m string --string "x y" --algo bm --to 0', ' STRING match  "x y" ALGO name bm TO 0'),
    ("-m limit --limit 2/min", " limit: avg 2/min burst 5"),
    ("-m limit --limit 1/hour", " limit: avg 1/hour burst 5"),
    ("-m limit --limit 1/day", " limit: avg 1/day burst 5"),
    ("-m limit --limit 5/sec", " limit: avg 5/sec burst 5"),
    ("-m limit --limit 2/hour", " limit: avg 2/hour burst 5"),
    ("-m limit --limit 1000/day", " limit: avg 1000/day burst 5"),
    ("-m limit --limit 7/min", " limit: avg 7/min burst 5"),
    ("-m limit --limit 700/hour", " limit: avg 700/hour burst 5"),
    ("-m limit --limit 3333/min", " limit: avg 3333/min burst 5"),
    ("-m limit --limit 11/sec", " limit: avg 11/sec burst 5"),
    (
        "-m hashlimit --hashlimit-upto 700/hour --hashlimit-burst 5 --hashlimit-name s2",
        " limit: up to 700/hour burst 5",
    ),
    (
        "-m hashlimit --hashlimit-upto 3333/min --hashlimit-burst 5 --hashlimit-name s3",
        " limit: up to 3333/min burst 5",
    ),
    ("-m hashlimit --hashlimit-upto 1488b/s --hashlimit-name s4", " limit: up to 1488b/s"),
    ("-m hashlimit --hashlimit-upto 16b/s --hashlimit-name s5", " limit: up to 16b/s"),
    ("-m hashlimit --hashlimit-upto 1000kb/s --hashlimit-name s6", " limit: up to 1000kb/s"),
    (
        "-m hashlimit --hashlimit-upto 2000b/s --hashlimit-burst 3kb --hashlimit-name s7",
        " limit: up to 2000b/s burst 3kb",
    ),
    (
        "-m hashlimit --hashlimit-upto 2000b/s --hashlimit-burst 3kb --hashlimit-name s8",
        " limit: up to 2000b/s burst 3kb",
    ),
    ("-m hashlimit --hashlimit-upto 1kb/s --hashlimit-burst 4kb --hashlimit-name s9", " limit: up to 1kb/s burst 4kb"),
    ("-m hashlimit --hashlimit-upto 1/min --hashlimit-burst 5 --hashlimit-name s10", " limit: up to 1/min burst 5"),
    ("-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 5 --hashlimit-name s11", " limit: up to 1/hour burst 5"),
    ("-m hashlimit --hashlimit-upto 1/min --hashlimit-burst 5 --hashlimit-name s12", " limit: up to 1/min burst 5"),
    ("-m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 5 --hashlimit-name s13", " limit: up to 1/sec burst 5"),
    (
        "-m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 5 --hashlimit-name s14 --hashlimit-htable-expire 10000",
        " limit: up to 1/sec burst 5 htable-expire 10000",
    ),
    (
        "-m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 5 --hashlimit-name s16 --hashlimit-htable-max 65536",
        " limit: up to 1/sec burst 5 htable-max 65536",
    ),
    (
        "-m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 5 --hashlimit-name s17 --hashlimit-htable-max 1",
        " limit: up to 1/sec burst 5 htable-max 1",
    ),
    (
        "-m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 5 --hashlimit-mode srcip,dstport --hashlimit-name s18",
        " limit: up to 1/sec burst 5 mode srcip-dstport",
    ),
    ("-m statistic --mode random --probability 0.33332999982", " statistic mode random probability 0.33332999982"),
    ("-m statistic --mode random --probability 0.20000000019", " statistic mode random probability 0.20000000019"),
    ("-m statistic --mode random --probability 0.99999900023", " statistic mode random probability 0.99999900023"),
    ("-m connmark --mark 0x10/0x10", " connmark match  0x10/0x10"),
    ("-m conntrack --ctproto 1", " ctproto 1"),
    ("-m conntrack --ctstate NEW,RELATED,ESTABLISHED", " ctstate NEW,RELATED,ESTABLISHED"),
    ("-m conntrack --ctstate NEW", " ctstate NEW"),
    ("-m conntrack --ctstatus ASSURED,CONFIRMED", " ctstatus ASSURED,CONFIRMED"),
    ("-p tcp -m conntrack --ctorigdstport 80", " ctorigdstport 80"),
    ("-m conntrack --ctorigsrc 10.1.2.3/8", " ctorigsrc 10.1.2.3/8"),
    ("-m conntrack --ctorigsrc 127.0.0.1", " ctorigsrc 127.0.0.1", " ctorigsrc localhost"),
    ("-m state --state INVALID", " state INVALID"),
    ("-m cgroup --cgroup 1048577", " cgroup 1048577"),
    ("-m dscp --dscp 0x0a", " DSCP match 0x0a"),
    (
        "-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG PSH,ACK",
        " tcp flags:0x3F/0x18",
        " tcp flags:FIN,SYN,RST,PSH,ACK,URG/PSH,ACK",
    ),
    (
        "-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG FIN,SYN,RST,PSH,ACK,URG",
        " tcp flags:0x3F/0x3F",
        " tcp flags:FIN,SYN,RST,PSH,ACK,URG/FIN,SYN,RST,PSH,ACK,URG",
    ),
    ("-p tcp -m tcp --sport 0 --dport 0", " tcp spt:0 dpt:0"),
    ("-p tcp -m tcp --sport 65535", " tcp spt:65535"),
    ("-m pkttype --pkt-type broadcast", " PKTTYPE = broadcast"),
    ("-m devgroup --src-group 0xffffffff/0xff", " src-group 0xffffffff/0xff"),
    (
        "-m connbytes --connbytes 10 --connbytes-mode bytes --connbytes-dir both",
        " connbytes 10 connbytes mode bytes connbytes direction both",
    ),
    (
        "-m connbytes --connbytes 5:5 --connbytes-mode packets --connbytes-dir both",
        " connbytes 5:5 connbytes mode packets connbytes direction both",
    ),
    ("-m connlimit --connlimit-above 3 --connlimit-mask 0 --connlimit-saddr", " #conn src/0 > 3"),
    ("-p sctp -m sctp --sport 0:65535", " sctp"),
    ("-p sctp -m sctp --chunk-types any DATA", " sctp any 0x0000", " sctp any DATA"),
    ("-m mark --mark 0x1/0xfffffffe", " mark match 0x1/0xfffffffe"),
    ("-m mark --mark 0x3", " mark match 0x3"),
    ("-m mark --mark 0xffffffff", " mark match 0xffffffff"),
    (
        "-m set --match-set two dst,src --return-nomatch ! --update-subcounters",
        " match-set two dst,src return-nomatch ! update-subcounters",
    ),
    ("-m realm --realm cosmos", " realm 0x0", " realm cosmos"),
    ("-m addrtype --src-type UNICAST,LOCAL", " ADDRTYPE match src-type UNICAST,LOCAL"),
    ("-m helper --helper ftp-2121", ' helper match "ftp-2121"'),
    ("-m owner --uid-owner 4294967294", " owner UID match 4294967294"),
    ("-p dccp -m dccp --dccp-types INVALID", " dccp 10,11,12,13,14,15", " dccp INVALID"),
    ("-p tcp -m multiport --dports 0,65535", " multiport dports 0,65535"),
    ("-p sctp -m multiport --sports 1", " multiport sports 1"),
    ("-p tcp -m multiport --dports 80", " multiport dports 80", " multiport dports http"),
    ("-p tcp -m multiport --ports 80", " multiport ports 80", " multiport ports http"),
    ("-p tcp -m multiport --dports 22,80:443", " multiport dports 22,80:443", " multiport dports ssh,http:https"),
    ("-m iprange --src-range 10.0.0.9-10.0.0.1", " source IP range 10.0.0.9-10.0.0.1"),
    ("-m mac --mac-source 00:01:02:03:04:05", " MAC 00:01:02:03:04:05"),
    ("-m physdev --physdev-is-in --physdev-in +", " PHYSDEV match --physdev-is-in --physdev-in +"),
    ("-m policy --dir in --pol ipsec", " policy match dir in pol ipsec"),
    ("-m quota --quota 99999999999999", " quota: 99999999999999 bytes"),
    ('-m u32 --u32 "0x0=0x0&&0x1=0x1:0x2"', ' u32 "0x0=0x0&&0x1=0x1:0x2"'),
    ('-m u32 --u32 "0x0=0x0:0xffffffff"', ' u32 "0x0=0x0:0xffffffff"'),
    ('-m comment --comment ""', " /*  */"),
    ('-m comment --comment " lead trail "', " /*  lead trail  */"),
    (
        "-m rateest --rateest x --rateest-gt --rateest-bps 1496bit",
        " rateest match x bps 187 gt",
        " rateest match x bps 1496bit gt",
    ),
    (
        "-m rateest --rateest x --rateest-gt --rateest-bps 1000Mbit",
        " rateest match x bps 125000000 gt",
        " rateest match x bps 1000Mbit gt",
    ),
    (
        "-m rateest --rateest x --rateest-gt --rateest-bps 80000bit",
        " rateest match x bps 10000 gt",
        " rateest match x bps 80000bit gt",
    ),
    (
        "-m rateest --rateest x --rateest-eq --rateest-bps 0bit",
        " rateest match x bps 0 eq",
        " rateest match x bps 0bit eq",
    ),
    (
        "-m rateest --rateest1 x --rateest-lt --rateest-bps --rateest-lt --rateest-pps --rateest2 y",
        " rateest match x bps pps lt y bps pps",
    ),
    (
        "-m rateest --rateest1 x --rateest-gt --rateest-bps --rateest-gt --rateest-pps --rateest2 y",
        " rateest match x bps pps gt y bps pps",
    ),
    ('-m string --string "a b" --algo bm --to 100', ' STRING match  "a b" ALGO name bm TO 100'),
    (
        "-m hashlimit --hashlimit-upto 10kb/s --hashlimit-name q1 --hashlimit-rate-match",
        " limit: up to 10kb/s rate-match",
    ),
    (
        "-m hashlimit --hashlimit-upto 2kb/s --hashlimit-name q2 --hashlimit-rate-match --hashlimit-rate-interval 3",
        " limit: up to 2kb/s rate-match rate-interval 3",
    ),
    (
        "-m hashlimit --hashlimit-upto 10/sec --hashlimit-burst 5 --hashlimit-name q3 --hashlimit-rate-match",
        " limit: up to 10/sec burst 5 rate-match",
    ),
    (
        "-m hashlimit --hashlimit-upto 1mb/s --hashlimit-name q4 --hashlimit-htable-expire 10000",
        " limit: up to 1mb/s htable-expire 10000",
    ),
    ("-m hashlimit --hashlimit-upto 1mb/s --hashlimit-burst 5mb --hashlimit-name q5", " limit: up to 1mb/s burst 5mb"),
    ("-m hashlimit --hashlimit-upto 1mb/s --hashlimit-name q6", " limit: up to 1mb/s"),
    (
        "-m hashlimit --hashlimit-upto 1500kb/s --hashlimit-burst 2mb --hashlimit-name q7",
        " limit: up to 1500kb/s burst 2mb",
    ),
    ("-m hashlimit --hashlimit-upto 20mb/s --hashlimit-name q8", " limit: up to 20mb/s"),
    (
        "-m hashlimit --hashlimit-upto 12336b/s --hashlimit-burst 24kb --hashlimit-name q9",
        " limit: up to 12336b/s burst 24kb",
    ),
    (
        "-m hashlimit --hashlimit-upto 15/sec --hashlimit-burst 5 --hashlimit-name q10 --hashlimit-srcmask 24",
        " limit: up to 15/sec burst 5 srcmask 24",
    ),
    (
        "-m hashlimit --hashlimit-upto 1000000/sec --hashlimit-burst 5 --hashlimit-name q11",
        " limit: up to 1000000/sec burst 5",
    ),
    ("-m hashlimit --hashlimit-upto 100kb/s --hashlimit-name q13", " limit: up to 100kb/s"),
    ("-p tcp -m tcp --tcp-flags SYN,RST SYN", " tcp flags:0x06/0x02", " tcp flags:SYN,RST/SYN"),
    (
        "-m policy --dir in --pol ipsec --strict --reqid 1 --next --reqid 2",
        " policy match dir in pol ipsec strict [0] reqid 1 [1] reqid 2",
    ),
    (
        "-m policy --dir in --pol ipsec --spi 0x10 --mode tunnel --tunnel-dst 10.0.0.0",
        " policy match dir in pol ipsec spi 0x10 mode tunnel tunnel-dst 10.0.0.0",
    ),
    (
        "-m time --timestart 08:00:05 --timestop 23:59:59 --datestop 2038-01-19T03:14:07",
        " TIME from 08:00:05 to 23:59:59 UTC",
    ),
    (
        "-m time --datestart 2023-01-01T10:00:00 --datestop 2024-01-01T00:00:00",
        " TIME starting from 2023-01-01 10:00:00 until date 2024-01-01 00:00:00 UTC",
    ),
    ("-m cgroup --cgroup 0", " cgroup 0"),
    ("-m addrtype --dst-type LOCAL --limit-iface-in", " ADDRTYPE match dst-type LOCAL limit-in"),
    ('-m connlabel --label "127"', " connlabel 127"),
    (
        "-m owner --uid-owner 0 --gid-owner 0",
        " owner UID match 0 owner GID match 0",
        " owner UID match root owner GID match root",
    ),
    ("-m iprange --src-range 1.2.3.4-1.2.3.4", " source IP range 1.2.3.4-1.2.3.4"),
    ("-p icmp -m icmp --icmp-type 3/255", " icmptype 3 code 255"),
    ("-p icmp -m icmp --icmp-type 0/0", " icmptype 0 code 0"),
    ("-p icmp -m icmp --icmp-type 5/1", " icmptype 5 code 1", " icmp host-redirect"),
    ("-p icmp -m icmp --icmp-type 12/1", " icmptype 12 code 1", " icmp required-option-missing"),
    ("-p icmp -m icmp --icmp-type 14", " icmptype 14", " icmp timestamp-reply"),
    ("-p icmp -m icmp --icmp-type 18", " icmptype 18", " icmp address-mask-reply"),
    ("-p icmp -m icmp --icmp-type 17", " icmptype 17", " icmp address-mask-request"),
    ("-p icmp -m icmp --icmp-type 4", " icmptype 4", " icmp source-quench"),
    ("-p icmp -m icmp --icmp-type 5", " icmptype 5", " icmp redirect"),
    ("-p icmp -m icmp --icmp-type 9", " icmptype 9", " icmp router-advertisement"),
    ("-p icmp -m icmp --icmp-type 10", " icmptype 10", " icmp router-solicitation"),
    ("-m set --match-set bad src --packets-eq 5 --bytes-eq 6", " match-set bad src packets-eq 5 bytes-eq 6"),
    ("-m tos --tos 0x10/0x10", " tos match0x10/0x10"),
    ("-m tos --tos 0x04/0x3f", " tos match0x04/0x3f", " tos match Maximize-Reliability"),
    ('-m string --hex-string "|2d5c|" --algo bm', ' STRING match  "|2d5c|" ALGO name bm'),
    ("-m hashlimit --hashlimit-above 4581298432b/s --hashlimit-name huge", " limit: above 4581298432b/s"),
]

# the same of ip6tables
FORMS6 = [
    ("-p ipv6-icmp -m icmp6 --icmpv6-type 128", " ipv6-icmptype 128", " ipv6-icmp echo-request"),
    ("-p ipv6-icmp -m icmp6 ! --icmpv6-type 128", " ipv6-icmp !type 128", " ipv6-icmp !echo-request"),
    ("-p ipv6-icmp -m icmp6 --icmpv6-type 1/4", " ipv6-icmptype 1 code 4", " ipv6-icmp port-unreachable"),
    ("-p ipv6-icmp -m icmp6 --icmpv6-type 1/3", " ipv6-icmptype 1 code 3", " ipv6-icmp address-unreachable"),
    ("-p ipv6-icmp -m icmp6 --icmpv6-type 1", " ipv6-icmptype 1", " ipv6-icmp destination-unreachable"),
    ("-p ipv6-icmp -m icmp6 --icmpv6-type 134", " ipv6-icmptype 134", " ipv6-icmp router-advertisement"),
    ("-p ipv6-icmp -m icmp6 --icmpv6-type 135", " ipv6-icmptype 135", " ipv6-icmp neighbour-solicitation"),
    ("-p ipv6-icmp -m icmp6 --icmpv6-type 200", " ipv6-icmptype 200"),
    ("-p ipv6-icmp -m icmp6 --icmpv6-type 200/3", " ipv6-icmptype 200 code 3"),
    ("-p ipv6-icmp -m icmp6 --icmpv6-type 3/0", " ipv6-icmptype 3 code 0", " ipv6-icmp ttl-zero-during-transit"),
    ("-p ipv6-icmp -m icmp6 --icmpv6-type 4", " ipv6-icmptype 4", " ipv6-icmp parameter-problem"),
    ("-p ipv6-icmp -m icmp6 --icmpv6-type 4/2", " ipv6-icmptype 4 code 2", " ipv6-icmp unknown-option"),
    ("-p ipv6-icmp -m icmp6 --icmpv6-type 2", " ipv6-icmptype 2", " ipv6-icmp packet-too-big"),
    ("-p ipv6-icmp -m icmp6 --icmpv6-type 137", " ipv6-icmptype 137", " ipv6-icmp redirect"),
    ("-p ipv6-icmp -m icmp6 --icmpv6-type 128/0", " ipv6-icmptype 128 code 0"),
    ("-p ipv6-icmp -m icmp6 --icmpv6-type 128/1", " ipv6-icmptype 128 code 1"),
    ("-p ipv6-icmp -m icmp6 --icmpv6-type 1/7", " ipv6-icmptype 1 code 7"),
    ("-m ah", " ah "),
    ("-m ah --ahspi 1", " ah spi:1"),
    ("-m ah --ahspi 1:2 --ahlen 8 --ahres", " ah spis:1:2length:8 reserved"),
    ("-m ah ! --ahspi 1:2 ! --ahlen 8", " ah spis:!1:2length:!8"),
    ("-m dst", " dst"),
    ("-m dst --dst-len 8", " dst length:8"),
    ("-m dst ! --dst-len 8 --dst-opts 1:2,3", " dst length:!8 opts 1:2,3"),
    ("-m dst --dst-opts 1:2", " dst opts 1:2"),
    ("-m hbh", " hbh"),
    ("-m hbh --hbh-len 8", " hbh length:8"),
    ("-m hbh ! --hbh-len 8 --hbh-opts 1:2,3", " hbh length:!8 opts 1:2,3"),
    ("-m eui64", ""),
    ("-m frag", " frag "),
    ("-m frag --fragid 1", " frag id:1"),
    ("-m frag --fragid 1:2 --fraglen 8 --fragres --fragfirst --fragmore", " frag ids:1:2 length:8 reserved first more"),
    ("-m frag ! --fragid 1:2 ! --fraglen 8 --fraglast", " frag ids:!1:2 length:!8 last"),
    ("-m frag ! --fragid 5", " frag id:!5"),
    ("-m hl --hl-eq 64", " HL match HL == 64"),
    ("-m hl ! --hl-eq 64", " HL match HL != 64"),
    ("-m hl --hl-lt 64", " HL match HL < 64"),
    ("-m hl --hl-gt 64", " HL match HL > 64"),
    ("-m ipv6header --header hop-by-hop", " ipv6header flags:0x80", " ipv6header flags:hop-by-hop"),
    (
        "-m ipv6header --header hop-by-hop,ipv6-opts,ipv6-route --soft",
        " ipv6header flags:0xE0 soft",
        " ipv6header flags:hop-by-hop,ipv6-opts,ipv6-route soft",
    ),
    (
        "-m ipv6header ! --header ipv6-frag,ah,esp,ipv6-nonxt,protocol",
        " ipv6header flags:!0x1F",
        " ipv6header flags:!ipv6-frag,ah,esp,ipv6-nonxt,protocol",
    ),
    ("-p mobility-header -m mh", " mh"),
    ("-p mobility-header -m mh --mh-type 1", " mh 1", " mh home-test-init"),
    ("-p mobility-header -m mh --mh-type 5", " mh 5", " mh binding-update"),
    ("-p mobility-header -m mh ! --mh-type 1:3", " mh !1:3", " mh !home-test-init:home-test"),
    ("-p mobility-header -m mh --mh-type 0:1", " mh 0:1", " mh binding-refresh-request:home-test-init"),
    ("-p mobility-header -m mh --mh-type 1:255", " mh 1:255", " mh home-test-init:255"),
    ("-p mobility-header -m mh --mh-type 9", " mh 9"),
    ("-m rt", " rt"),
    ("-m rt --rt-type 0", " rt type:0"),
    ("-m rt ! --rt-type 0 --rt-segsleft 1:2 --rt-len 8", " rt type:!0 segslefts:1:2 length:8"),
    ("-m rt --rt-segsleft 1 ! --rt-len 8", " rt segsleft:1 length:!8"),
    ("-m rt ! --rt-segsleft 1", " rt segsleft:!1"),
    ("-m rt --rt-type 0 --rt-0-res", " rt type:0 reserved"),
    ("-m rt --rt-type 0 --rt-0-addrs 2001::1,2001::2", " rt type:0 0-addrs 2001::1,2001::2"),
    ("-m rt --rt-type 0 --rt-0-addrs 2001::1 --rt-0-not-strict", " rt type:0 0-addrs 2001::1 0-not-strict"),
    ("-m srh", " srh"),
    ("-m srh --srh-next-hdr 17", " srh next-hdr:17"),
    ("-m srh ! --srh-hdr-len-eq 2 --srh-segs-left-eq 3", " srh hdr-len-eq:!2 segs-left-eq:3"),
    (
        "-m srh --srh-hdr-len-gt 2 --srh-segs-left-lt 3 --srh-last-entry-gt 1 --srh-tag 4",
        " srh hdr-len-gt:2 segs-left-lt:3 last-entry-gt:1 tag:4",
    ),
    (
        "-m srh --srh-hdr-len-lt 2 --srh-segs-left-gt 3 ! --srh-last-entry-lt 1 ! --srh-tag 4",
        " srh hdr-len-lt:2 segs-left-gt:3 last-entry-lt:!1 tag:!4",
    ),
    (
        "-m srh --srh-psid a::/64 ! --srh-nsid b::/128 --srh-lsid c::/128",
        " srh psid  a::/64 nsid ! b::/128 lsid  c::/128",
    ),
    ("-m srh --srh-last-entry-eq 5", " srh last-entry-eq:5"),
    (
        "-m conntrack --ctorigsrc 2001:db8::1 ! --ctorigdst 2001:db8::/32",
        " ctorigsrc 2001:db8::1 ! ctorigdst 2001:db8::/32",
    ),
    ("-m iprange --src-range 2001::1-2001::9", " source IP range 2001::1-2001::9"),
    (
        "-m policy --dir in --pol ipsec --mode tunnel --tunnel-dst b::1 --tunnel-src a::/64",
        " policy match dir in pol ipsec mode tunnel tunnel-dst b::1 tunnel-src a::/64",
    ),
    (
        "-m recent --set --name DEFAULT --mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff --rsource",
        " recent: SET name: DEFAULT side: source mask: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ),
    ("-m connlimit --connlimit-above 3 --connlimit-mask 128 --connlimit-saddr", " #conn src/128 > 3"),
    (
        "-m hashlimit --hashlimit-upto 3/sec --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name f2",
        " limit: up to 3/sec burst 5 mode srcip",
    ),
    ("-m rpfilter --loose", " rpfilter loose"),
    ("-m tos --tos 0x10/0xff", " tos match0x10/0xff"),
    ("-m length --length 40:80", " length 40:80"),
    ("-m addrtype --dst-type LOCAL", " ADDRTYPE match dst-type LOCAL"),
    ("-p tcp -m tcp --dport 22", " tcp dpt:22", " tcp dpt:ssh"),
    ('-m u32 --u32 "0x0=0x1"', ' u32 "0x0=0x1"'),
    (
        "-m recent --rcheck --name x --mask ffff:ffff:: --rsource",
        " recent: CHECK name: x side: source mask: ffff:ffff::",
    ),
]

# what this kernel or this iptables may not have; their forms are those of the source
UNLOADED = [
    ("-m ipvs --ipvs", " ipvs"),
    ("-m ipvs ! --ipvs", " ! ipvs"),
    ("-m ipvs ! --vproto 6 --vaddr 10.0.0.0/8 --vport 80", " ! proto 6 vaddr 10.0.0.0/8 vport 80"),
    ("-m ipvs --vdir REPLY --vmethod masq ! --vportctl 21", " vdir REPLY vmethod MASQ ! vportctl 21"),
    ("-p udplite -m udplite ! --dport 53", " udplite dpt:!53"),
    ("-m length2 --layer5 --length 0", " layer5 length 0"),
    ("-m length2 ! --length 40:80", " layer3 length ! 40-80"),
]


def own_text(rule, numeric):
    """What our matches say of themselves, each behind its blank."""
    parsed = parse_rule(Table("mangle", {"c": Chain("c")}), "c", rule)
    protocols = [option.values[0] for match in parsed.matches for option in match.options if option.name == "-p"]
    proto = values.protocol(protocols[0]) if protocols else 0
    texts = [shown(match.module, match.options, numeric=numeric, proto=proto) for match in parsed.matches
             if match.module != "ip"]  # fmt: skip
    return "".join(texts)


@pytest.mark.parametrize("form", [*FORMS, *FORMS6, *UNLOADED], ids=lambda form: form[0])
def test_form(form):
    rule, numeric, *named = form
    assert own_text(rule, True) == numeric
    assert own_text(rule, False) == (named[0] if named else numeric)


def test_every_module_has_a_form_that_is_tested():
    asked = {word for rule, *_ in [*FORMS, *FORMS6, *UNLOADED] for word in _modules(rule)}
    alike = {"icmpv6", "ipv6-icmp", "mobility-header", "ipv6-mh"}
    assert set(MODULES) - asked - alike == {"bpf"}
    assert all(module.show is not None for module in MODULES.values())


def _modules(rule):
    words = rule.split()
    return {words[at + 1] for at, word in enumerate(words) if word == "-m"}


def test_a_program_of_bpf_stands_without_a_blank_before_it_and_ends_in_a_zero_byte():
    program = Option("--bytecode", ("2,48 0 0 9,6 0 0 0",), False, 0)
    assert shown("bpf", [program], numeric=True) == "match bpf 48 0 0 9,6 0 0 0\0"
    pinned = Option("--object-pinned", ("/sys/fs/bpf/x",), False, 0)
    assert shown("bpf", [pinned], numeric=True) == "match bpf pinned /sys/fs/bpf/x"


@pytest.mark.parametrize(("numeric", "proto"), [(True, "50"), (False, "esp")])
def test_an_element_of_a_policy_names_its_protocol(numeric, proto):
    words = [("--dir", "in"), ("--pol", "ipsec"), ("--proto", "esp"), ("--spi", "16")]
    options = [Option(name, (value,), name == "--proto", 0) for name, value in words]
    expected = f" policy match dir in pol ipsec spi 0x10 ! proto {proto}"
    assert shown("policy", options, numeric=numeric) == expected


def test_what_has_no_form_of_its_own_loses_nothing():
    options = [Option("--odd", ("a b", "", 'q"'), True, 0), Option("--flag", (), False, 0)]
    assert raw("someday", options) == '-m someday ! --odd "a b" "" "q\\"" --flag'
    assert shown("someday", options, numeric=True) == f" {raw('someday', options)}"
    assert shown("tcp", options, numeric=True) == f" {raw('tcp', options)}"


@pytest.mark.parametrize(
    ("proto", "text"),
    [(6, " multiport dports shell"), (17, " multiport dports syslog"), (132, " multiport dports 514")],
)
def test_a_port_bears_the_name_that_its_protocol_gives_it(proto, text):
    assert shown("multiport", [Option("--dports", ("514",), False, 0)], numeric=False, proto=proto) == text


@pytest.mark.parametrize("name", MODULES)
def test_a_match_without_its_options_still_has_a_text(name):
    for numeric in (True, False):
        assert isinstance(shown(name, [], numeric=numeric), str)


# each rule is added to a chain that nothing leads to; what the kernel refuses is left out
SCRIPT = """
import json, subprocess, sys
command, rules = sys.argv[1], json.load(sys.stdin)
def run(*words):
    return subprocess.run(words, capture_output=True, text=True)
run("ipset", "create", "bad", "hash:ip")
run("ipset", "create", "two", "hash:ip,port")
for name in "xy":
    run(command, "-t", "mangle", "-A", "OUTPUT", "-j", "RATEEST", "--rateest-name", name,
        "--rateest-interval", "250ms", "--rateest-ewma", "0.5s")
taken = []
for number, rule in enumerate(rules):
    text = "*mangle\\n:c%d - [0:0]\\n-A c%d %s\\nCOMMIT\\n" % (number, number, rule)
    done = subprocess.run([command + "-restore", "-n"], input=text, capture_output=True, text=True)
    if done.returncode:
        continue
    lists = [run(command, "-t", "mangle", "-L", "c%d" % number, *more).stdout for more in (["-n"], [])]
    taken.append([rule, *(text.split("\\n")[2] for text in lists)])
print(json.dumps(taken))
"""


@pytest.mark.ipset
@pytest.mark.parametrize(
    ("command", "forms", "blocks"),
    [
        ("iptables", FORMS, ("0.0.0.0/0            0.0.0.0/0           ", "anywhere             anywhere            ")),
        (
            "ip6tables",
            FORMS6,
            ("::/0                 ::/0                ", "anywhere             anywhere            "),
        ),
    ],
)
def test_forms_are_those_that_iptables_prints(command, forms, blocks):
    # a match of any SPI is saved without one, which is read as SPI 0
    rules = [rule for rule, *_ in forms if rule != "-p ipcomp -m ipcomp"]
    done = subprocess.run(["unshare", "--net", sys.executable, "-c", SCRIPT, command], input=json.dumps(rules),
                          capture_output=True, text=True, timeout=300, check=True)  # fmt: skip
    taken = json.loads(done.stdout)
    assert len(taken) > len(rules) * 0.6
    wrong = []
    for rule, *lines in taken:
        for line, block, numeric in zip(lines, blocks, (True, False), strict=True):
            at = line.find(block)
            if at < 0:
                wrong.append((rule, line))
            elif line[at + len(block) :] != own_text(rule, numeric):
                wrong.append((rule, line[at + len(block) :], own_text(rule, numeric)))
    assert wrong == []
