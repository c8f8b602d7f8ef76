"""Netfilter in miniature.

    rule, save      what a rule set holds; iptables-save text in and out
    check           what the kernel refuses of it
    matches, targets    what a rule asks, and what it does
    tables          one base chain walked
    index, bitvector, flowcache    the same without walking
    hooks           the five hooks, in the kernel's order
    conntrack, nat  connections and their mappings
    ipset, values, services, context    what rules look things up in

How rules are typed and listed is `simnet.net.iptables`.

Models: net/netfilter and net/ipv4/netfilter of Linux 6.x.
"""
