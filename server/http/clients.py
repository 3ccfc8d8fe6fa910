"""The address a request comes from."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import Scope

_FORWARDED_PREFIX = b"x-forwarded-"
_FORWARDED = frozenset(
    {
        b"forwarded",
        b"via",
        b"x-real-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-original-forwarded-for",
        b"x-envoy-external-address",
        b"true-client-ip",
        b"cf-connecting-ip",
    }
)
"""Heads that proxies add, in lower case."""


def client_address(request: Request) -> str:
    """Return the client's address, for the limit of sign-ins and the audit trail; it is never logged."""
    return request.client.host if request.client else "-"


def is_on_loopback(scope: Scope) -> bool:
    """Return whether a request comes from a program on this computer, and from nobody behind it.

    What a proxy on this computer passes on comes from elsewhere, whatever address the proxy names.
    """
    client = scope["client"]
    if client is None or not _is_loopback(client[0]):
        return False
    return not any(name in _FORWARDED or name.startswith(_FORWARDED_PREFIX) for name, _ in scope["headers"])


@lru_cache(maxsize=1_000)
def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


async def _client_address(request: Request) -> str:
    return client_address(request)


ClientAddress = Annotated[str, Depends(_client_address)]
