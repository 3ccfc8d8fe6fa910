"""Whether a service can listen at an address, found out before gRPC tries, which says nothing of the reason."""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import Any

from models.errors import InvalidInput, Unavailable
from server.core.settings import PREFIX, ServerSettings
from server.grpc.contract import Service

_MAPPED = "::ffff:"
"""Before an address of IPv4 it makes one of IPv6 (RFC 4291, 2.5.5.2)."""
_TAKEN = frozenset({errno.EADDRINUSE, errno.EACCES})


def require_free(service: Service, host: str, port: int, *, of_command: bool) -> None:
    """Check that a service can listen; see ``listen_for``.

    Raises:
        InvalidInput: ``service-host-unknown``.
        Unavailable: ``service-port-taken``.
    """
    listen_for(service, host, port, of_command=of_command).close()


def listen_for(service: Service, host: str, port: int, *, of_command: bool) -> socket.socket:
    """Return a socket that listens at the address of a service.

    Args:
        service: that is to listen.
        host: name or IP address.
        port: 0 for any that is free.
        of_command: whether host and port are options of the command.

    Raises:
        InvalidInput: ``service-host-unknown``.
        Unavailable: ``service-port-taken``.
    """
    try:
        family, address = _to_bind(host, port)
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6 and str(address[0]).startswith(_MAPPED):
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            made.bind(address)
            made.listen()
        except BaseException:
            made.close()
            raise
    except OSError as error:
        if error.errno in _TAKEN:
            raise port_taken(service, host, port, of_command=of_command) from error
        option = f"--host, {PREFIX}GRPC_HOST" if of_command else f"{PREFIX}GRPC_HOST"
        raise InvalidInput("service-host-unknown", host=host, option=option) from error
    return made


def _to_bind(host: str, port: int) -> tuple[int, tuple[Any, ...]]:
    """Return family and address that gRPC binds: IPv4 by a socket of IPv6 that takes both, where there is one.

    Only sockets of one family share a port as one group.
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    if family == socket.AF_INET and sys.platform == "linux" and socket.has_dualstack_ipv6():
        return socket.AF_INET6, (f"{_MAPPED}{address[0]}", port)
    return family, address


def port_taken(service: Service, host: str, port: int, *, of_command: bool) -> Unavailable:
    """Return the error of a port that another program has."""
    option = "--port" if of_command else f"--grpc-port, {PREFIX}GRPC_PORT"
    return Unavailable("service-port-taken", service=service.name, host=host, port=port, option=option)


def port_of(service: Service, settings: ServerSettings) -> int:
    """Return the port of a service by the settings; 0 for any that is free."""
    return settings.grpc_port + service.port_offset if settings.grpc_port else 0


def target(host: str, port: int) -> str:
    """Return host and port as gRPC and people write them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
