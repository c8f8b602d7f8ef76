"""The iptables command: how rules are typed, refused, made canonical, listed and restored.

    words       what was typed, word by word            chains     names of chains, loops
    command     what each command does                  refusals   what it refuses, in its own words
    canonical   a typed rule as iptables-save writes it shapes     how each option's value is written
    listing     -L, -L -n, -L -n -v, -S                 names      protocols, services and addresses by name
    restore     iptables-restore

The engine that rules are for is `simnet.net.netfilter`.

Models: iptables 1.8.9 (nf_tables).
"""
