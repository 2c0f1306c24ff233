"""Which addresses of the internet something may come from."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Networks = tuple[IPv4Network | IPv6Network, ...]


def networks(text: str) -> Networks:
    """Comma-separated addresses and networks (52.31.139.75, 10.0.0.0/8). ValueError for anything else."""
    return tuple(ip_network(word.strip()) for word in text.split(",") if word.strip())


def holds(allowed: Networks, host: str) -> bool:
    """Whether the address is in one of the networks; an IPv4 one that came over IPv6 counts as itself."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in allowed)
