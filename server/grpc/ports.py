"""Whether a service can listen at an address, found out before gRPC tries, which says nothing of the reason."""

from __future__ import annotations

import errno
import os
import socket

from models.errors import InvalidInput, Unavailable
from server.core.settings import PREFIX
from server.grpc.contract import Service

_TAKEN = frozenset({errno.EADDRINUSE, errno.EACCES})


def require_free(service: Service, host: str, port: int, *, of_command: bool) -> None:
    """Check that a service can listen.

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
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno in _TAKEN:
            raise port_taken(service, host, port, of_command=of_command) from error
        option = f"--host, {PREFIX}GRPC_HOST" if of_command else f"{PREFIX}GRPC_HOST"
        raise InvalidInput("service-host-unknown", host=host, option=option) from error


def port_taken(service: Service, host: str, port: int, *, of_command: bool) -> Unavailable:
    """Return the error of a port that another program has."""
    option = "--port" if of_command else f"--grpc-port, {PREFIX}GRPC_PORT"
    return Unavailable("service-port-taken", service=service.name, host=host, port=port, option=option)
