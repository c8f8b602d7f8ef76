"""The stack at work: generators that take a packet from one point of its way to the next and yield a `Step` at each.

    link        a device sends, a device receives            (net/core/dev.c)
    neighbour   the next hop's hardware address, by ARP      (net/ipv4/arp.c)
    bridge      a switch, and its tour of the IPv4 hooks     (net/bridge)
    macvlan, ipvlan    devices above a shared one            (drivers/net)
    vxlan       a tunnel                                     (drivers/net/vxlan)
    ip_input    received → PREROUTING → INPUT → protocol     (net/ipv4/ip_input.c)
    input_route may it come in, and where does it go         (net/ipv4/route.c)
    ip_forward  TTL, MTU, FORWARD                            (net/ipv4/ip_forward.c)
    ip_output   OUTPUT → POSTROUTING → next hop; ICMP errors (net/ipv4/ip_output.c, icmp.c)
    fragment    cut up, put together                         (net/ipv4/ip_fragment.c)
    icmp, udp, tcp    the protocols                          (net/ipv4)
    reject      the answer to a refused packet               (net/ipv4/netfilter)

Imports run downwards: what is called from below (a protocol, a driver, the answer of REJECT) registers itself there, as
kernel modules do. Importing this package loads them all.
"""

from . import bridge, icmp, ip_input, ipvlan, macvlan, reject, tcp, udp, vxlan

__all__ = ["bridge", "icmp", "ip_input", "ipvlan", "macvlan", "reject", "tcp", "udp", "vxlan"]
