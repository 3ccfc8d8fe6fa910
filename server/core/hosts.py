"""Hosts and networks that settings name."""

from __future__ import annotations

import ipaddress

_NARROW_ENOUGH = {4: 8, 6: 7}  # bits by version: the widest private networks are 10.0.0.0/8 and fc00::/7


def reached_at(host: str) -> str:
    """Return the address at which this computer itself reaches what listens on ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not listened on


def is_loopback(host: str) -> bool:
    """Return whether an address or name means this computer alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_wide(proxy: str) -> bool:
    """Return whether a network is wider than any private one: it holds more than any plant gives to proxies."""
    try:
        network = ipaddress.ip_network(proxy, strict=False)
    except ValueError:
        return False  # a single name
    return network.prefixlen < _NARROW_ENOUGH[network.version]
