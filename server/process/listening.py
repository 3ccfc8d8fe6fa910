"""What a server listens on, and how its connections are bounded."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI

from models.errors import Conflict, InvalidInput, Unavailable
from models.file_lock import locked_file
from server.core.data_folder import data_dir_unusable, prepare_data_dir
from server.core.hosts import reached_at
from server.core.settings import DATABASE_FILE, ServerSettings
from server.core.tls_files import require_usable
from server.http.connections import ConnectionLimits, connection_class
from server.http.websocket_protocol import MESSAGE_BYTES, WebSocketLimits, websocket_class

LOCK_FILE = "server.lock"
_BACKLOG = 512
_HEAD_BYTES = 16 * 1024
_TAKEN = {errno.EADDRINUSE, errno.EACCES}


@contextmanager
def listener_of(settings: ServerSettings) -> Iterator[socket.socket]:
    """Listen as the settings say, alone with the embedded database, until the block ends.

    Raises:
        InvalidInput: ``server-insecure-host``, ``server-tls-files`` or ``server-host-unknown``.
        Conflict: ``server-running``.
        Unavailable: ``server-port-taken`` or ``server-data-dir``.
    """
    settings.require_safe_transport()
    require_usable(certificate=settings.tls_cert, key=settings.tls_key)
    listener = _listen(settings.host, settings.port)
    with contextlib.closing(listener), alone(settings):
        yield listener


def listening(app: FastAPI, settings: ServerSettings, **further: Any) -> uvicorn.Config:
    """Return uvicorn's settings for an application, with the limits of connections.

    Args:
        app: the application.
        settings: as started.
        further: settings of uvicorn.
    """
    limits = ConnectionLimits(settings.max_connections, _HEAD_BYTES, settings.head_timeout_s, settings.body_timeout_s)
    return uvicorn.Config(
        app,
        http=connection_class(limits, app.state.lean_batches),
        log_config=None,
        access_log=False,
        server_header=False,
        # Only a proxy that is named says where a request comes from; uvicorn by itself believes any of this computer.
        proxy_headers=bool(settings.proxy),
        forwarded_allow_ips=settings.proxy or None,
        lifespan="on",
        ws=websocket_class(WebSocketLimits(settings.websocket_unread_s)),
        ws_max_size=MESSAGE_BYTES,
        # Its windows would take most of the memory of a connection, and JPEG does not get smaller by it.
        ws_per_message_deflate=False,
        ws_ping_interval=settings.websocket_ping_s,
        ws_ping_timeout=settings.websocket_ping_s,
        **further,
    )


def address_of(listener: socket.socket, *, tls: bool) -> str:
    """Return the URL under which a listening socket is reached from this computer."""
    host, port = listener.getsockname()[:2]
    host = reached_at(host)
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InvalidInput("server-host-unknown", host=host) from error
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno in _TAKEN:
            raise Unavailable("server-port-taken", host=host, port=port) from error
        raise InvalidInput("server-host-unknown", host=host) from error
    return listener


@contextmanager
def alone(settings: ServerSettings) -> Iterator[None]:
    """Keep another server away from a SQLite file: each would give out the positions of its change log.

    Raises:
        Conflict: ``server-running``.
        Unavailable: ``server-data-dir`` when the lock's file cannot be made.
    """
    place = settings.database_file
    if place is None:
        yield  # The database server keeps apart those that work with it.
        return
    prepare_data_dir(place.parent)
    lock_file = place.parent / LOCK_FILE if place.name == DATABASE_FILE else place.with_name(f"{place.name}.lock")
    try:
        lock = locked_file(lock_file)
    except OSError as error:
        raise data_dir_unusable(place.parent, error) from error
    if lock is None:
        raise Conflict("server-running", folder=str(place.parent))
    with lock:
        yield
