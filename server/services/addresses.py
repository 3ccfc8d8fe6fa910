"""Where the replicas of a service are: a list, or a name that stands for several."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
from contextlib import suppress
from dataclasses import dataclass

from models.errors import InvalidInput
from server.core.settings import PREFIX, ServerSettings
from server.grpc.contract import AI_DETECTION, CAMERA_STREAM, FILTER, RESIZE, SERVICES, Service
from server.grpc.ports import target

_DNS = "dns:///"
_RESOLVE_S = 5.0
_IN_NO_HOST = frozenset("/:;@[] \t")
"""Marks of a URL, or of a list that is separated otherwise; colons stand in an IPv6 address within brackets alone."""


@dataclass(frozen=True, slots=True)
class Address:
    """Host and port of one or, when the host is a name, of several replicas.

    Attributes:
        host: name or IP address.
        port: TCP port.
    """

    host: str
    port: int

    @property
    def target(self) -> str:
        """As gRPC and people write it."""
        return target(self.host, self.port)


def parse_addresses(text: str, setting: str) -> tuple[Address, ...]:
    """Return the addresses of a setting, such as ``10.0.0.5:50051, dns:///resize:50051``.

    Raises:
        InvalidInput: ``service-address-invalid``.
    """
    return tuple(_address(part.strip(), setting) for part in text.split(",") if part.strip())


def configured(settings: ServerSettings, service: Service) -> tuple[Address, ...]:
    """Return the configured addresses of a service; none when it runs in this process.

    Raises:
        InvalidInput: ``service-address-invalid``.
    """
    given = {
        RESIZE.key: settings.grpc_resize,
        AI_DETECTION.key: settings.grpc_ai_detection,
        FILTER.key: settings.grpc_filter,
        CAMERA_STREAM.key: settings.grpc_camera_stream,
    }
    return parse_addresses(given[service.key], f"{PREFIX}GRPC_{service.key.replace('-', '_').upper()}")


def embedded_services(settings: ServerSettings) -> list[Service]:
    """Return the services that have no address: they run in this process."""
    return [service for service in SERVICES.values() if not configured(settings, service)]


async def resolve(address: Address) -> tuple[Address, ...]:
    """Return the addresses that a name stands for now, sorted.

    Raises:
        OSError: with the reason, when it stands for nothing or no name server answers within 5 s.
    """
    with suppress(ValueError):
        ipaddress.ip_address(address.host)
        return (address,)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_RESOLVE_S):
            found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except TimeoutError as error:
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from error
    except UnicodeError as error:  # A name that no name server could be asked for, such as one with an empty part.
        raise OSError(errno.EINVAL, str(error)) from error
    return tuple(sorted({Address(str(place[4][0]), address.port) for place in found}, key=lambda one: one.target))


def _address(text: str, setting: str) -> Address:
    host, colon, port = text.removeprefix(_DNS).rpartition(":")
    numbered = port.isascii() and port.isdigit() and 0 < int(port) < 65_536  # noqa: PLR2004
    if not (colon and numbered and _is_host(host)):
        raise InvalidInput("service-address-invalid", setting=setting, value=text[:200])
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


def _is_host(text: str) -> bool:
    if text.startswith("[") and text.endswith("]"):
        with suppress(ValueError):
            return ipaddress.ip_address(text[1:-1]).version == 6  # noqa: PLR2004
        return False
    return bool(text) and _IN_NO_HOST.isdisjoint(text)
