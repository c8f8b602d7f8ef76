"""The hash by which network cards spread flows over queues.

Source: Microsoft, "RSS Hashing Functions" (Windows driver documentation), with the key of its verification suite.
"""

from __future__ import annotations

from functools import lru_cache

_KEY = int.from_bytes(
    bytes.fromhex(
        "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa"
    )
)  # fmt: skip
_KEY_BITS = 320


@lru_cache(maxsize=1 << 14)
def flow_hash(src: int, dst: int, sport: int, dport: int) -> int:
    """The hash of an IPv4 flow, 32 bits.

    Example:
        >>> hex(flow_hash(0x420995BB, 0xA18E6450, 2794, 1766))  # 66.9.149.187:2794 to 161.142.100.80:1766
        '0x51ccc178'
    """
    data = src << 64 | dst << 32 | sport << 16 | dport
    found = 0
    for bit in range(96):
        if data >> (95 - bit) & 1:
            found ^= _KEY >> (_KEY_BITS - 32 - bit) & 0xFFFFFFFF
    return found
