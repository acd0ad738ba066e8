"""Which network addresses may be connected to: globally routable unicast, and nothing else; pure.

The tables are the IANA special-purpose registries, written out because the `ipaddress` module's own answers
differ between Python releases. Published failures of this class: CVE-2026-22245, CVE-2026-46348 and
GHSA-vwhj-3g83-v276 (Mastodon), CVE-2026-50131 (Fedify), CVE-2026-33693 (Lemmy).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_DENIED_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, cloud metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # IETF protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT relays
        "192.88.99.0/24",  # 6to4 relays, deprecated
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, limited broadcast
    )
)

_GLOBAL_6 = IPv6Network("2000::/3")
"""All global unicast that IANA has opened: what is outside it (unique-local, link-local, site-local,
multicast, discard, segment routing, unassigned) needs no line of its own below."""

_DENIED_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # IETF protocol assignments: ORCHID, benchmarking, anycast (Teredo is unwrapped before)
        "2001:db8::/32",  # documentation
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)

_LAST_32 = tuple(
    IPv6Network(text)
    for text in (
        "::/96",  # IPv4-compatible; `::` and `::1` become 0.0.0.0 and 0.0.0.1, which are denied
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated (SIIT)
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/96",  # local-use NAT64: its other layouts are ambiguous, and denied
    )
)
_SIX_TO_FOUR = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")
_MASK_32 = 0xFFFF_FFFF


def globally_routable(address: str | IPv4Address | IPv6Address) -> bool:
    """Say whether an IP address is globally routable unicast; False also for text that is no IP address.

    An IPv6 address that carries an IPv4 address (mapped, compatible, translated, NAT64, 6to4, Teredo) is
    judged by what it carries; of Teredo, server and client both.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        if parsed.scope_id is not None:
            return False
        carried = _carried(parsed)
        if not carried:
            return parsed in _GLOBAL_6 and not any(parsed in network for network in _DENIED_6)
        return all(_routable_4(inner) for inner in carried)
    return _routable_4(parsed)


def _routable_4(address: IPv4Address) -> bool:
    return not any(address in network for network in _DENIED_4)


def _carried(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that an IPv6 address carries; none for a plain one."""
    number = int(address)
    if any(address in network for network in _LAST_32):
        return (IPv4Address(number & _MASK_32),)
    if address in _SIX_TO_FOUR:
        return (IPv4Address(number >> 80 & _MASK_32),)
    if address in _TEREDO:
        # RFC 4380: the server stands after the prefix, the client at the end with every bit flipped.
        return (IPv4Address(number >> 64 & _MASK_32), IPv4Address(~number & _MASK_32))
    return ()
