"""Where webhooks may go: no address within this network unless the settings allow it, whatever a name resolves to."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from models.errors import InvalidInput, Unavailable
from models.messages import LocalText
from models.rejections import RejectedValueError

_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a webhook connects to.

    Attributes:
        host: of the URL, for the head of the request and the certificate.
        address: the one that was checked; connecting to the name again could give another one.
        port: of the URL.
    """

    scheme: str
    host: str
    address: Address
    port: int
    path: str

    @property
    def url(self) -> str:
        """The URL with the address in place of the name."""
        return f"{self.scheme}://{_bracketed(str(self.address))}:{self.port}{self.path}"

    @property
    def authority(self) -> str:
        """Host and port as the head of the request names them."""
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{_bracketed(self.host)}{port}"


def require_webhook_url(url: str) -> str:
    """Return a URL that a webhook may have: http or https, a host, no user, no fragment.

    Nor may the host have a ``%``: a zone (RFC 6874) names an interface of one computer, and no name has one.

    Raises:
        RejectedValueError: ``value-webhook-url``.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RejectedValueError("value-webhook-url") from error
    clear = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if (
        not clear
        or parts.scheme not in _PORTS
        or not parts.hostname
        or "%" in parts.hostname
        or "@" in parts.netloc
        or parts.fragment
        or port == 0
    ):
        raise RejectedValueError("value-webhook-url")
    return url


def destinations_of(url: str, allowed: Sequence[str]) -> list[Destination]:
    """Resolve the host of a webhook and return where to connect to, the preferred address first.

    Args:
        url: of ``require_webhook_url``.
        allowed: networks within which addresses may be that are not public; only there may the URL be plain http.

    Raises:
        InvalidInput: ``webhook-address-refused``.
        Unavailable: ``webhook-host-unknown``.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable("webhook-host-unknown", host=host) from error
    addresses = _addresses(found)
    if not _may_call(parts.scheme, addresses, allowed):
        raise InvalidInput("webhook-address-refused", host=host)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return [Destination(parts.scheme, host, address, port, path) for address in dict.fromkeys(addresses)]


def require_allowed(urls: Sequence[str], allowed: Sequence[str]) -> None:
    """Check webhooks whose hosts are addresses, in whatever spelling, as ``destinations_of`` will before each call.

    A name is left to the call: what it resolves to may change.

    Args:
        urls: of ``require_webhook_url``.
        allowed: as for ``destinations_of``.

    Raises:
        InvalidInput: ``validation-error`` with those that would be refused.
    """
    entries = [
        {"field": f"webhooks.{place}", "message": LocalText.of("value-webhook-address", {})}
        for place, url in enumerate(urls)
        if not _may_call(urlsplit(url).scheme, _literal(urlsplit(url).hostname or ""), allowed)
    ]
    if entries:
        raise InvalidInput("validation-error", members={"validation_errors": entries})


def may_connect(address: Address, allowed: Sequence[Network], *, plain: bool = False) -> bool:
    """Return whether a webhook may connect to an address.

    Args:
        address: as the name resolves to it.
        allowed: networks that may be connected to though they are not public.
        plain: without TLS: within the allowed networks alone.
    """
    if any(address in network for network in allowed if network.version == address.version):
        return True
    meant = _meant(address)
    return not plain and meant.is_global and not meant.is_multicast and not address.is_multicast


def _literal(host: str) -> list[Address]:
    """Return the address that a host is by itself; none for a name."""
    try:
        return _addresses(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    except (OSError, UnicodeError):
        return []


def _addresses(found: Sequence[tuple[Any, Any, Any, str, tuple[Any, ...]]]) -> list[Address]:
    return [ipaddress.ip_address(entry[4][0]) for entry in found]


def _may_call(scheme: str, addresses: Sequence[Address], allowed: Sequence[str]) -> bool:
    """Return whether all addresses of a host may be called.

    One that may not among several is no slip of a public service.
    """
    networks = [ipaddress.ip_network(network, strict=False) for network in allowed]
    return all(may_connect(address, networks, plain=scheme == "http") for address in addresses)


def _meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None) or address


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
