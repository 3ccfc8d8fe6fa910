"""The server as a process: listens, announces its address, stops cleanly."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from models.errors import Conflict, InvalidInput, Unavailable
from models.file_lock import locked_file
from models.storage import reason_of, write_atomically
from server.context import open_context
from server.core.logs import configure_logs
from server.core.settings import ADDRESS_FILE, ServerSettings, prepare_data_dir
from server.http.application import create_app
from server.http.connections import ConnectionLimits, connection_class
from server.users.first import has_users

LOCK_FILE = "server.lock"
_BACKLOG = 512
_GRACE_S = 10
_HEAD_BYTES = 16 * 1024
_OWNER_ONLY = 0o077
_STANDARD_INPUT, _PIECE = 0, 1_024
_TAKEN = {errno.EADDRINUSE, errno.EACCES}


def serve(settings: ServerSettings, *, until_stdin_closes: bool, say: Callable[[str], None]) -> None:
    """Run the server until it is stopped (SIGTERM, SIGINT, or the end of standard input).

    Args:
        settings: as started.
        until_stdin_closes: stop when standard input ends, so that a server never outlives the one who started it.
        say: shows a line to the person who started it.

    Raises:
        UserFacingError: when it cannot start, with what to do.
    """
    os.umask(_OWNER_ONLY)
    settings.require_safe_transport()
    _require_tls_files(settings)
    listener = _listen(settings.host, settings.port)
    with contextlib.closing(listener), _alone(settings):
        context = open_context(settings)
        configure_logs(settings.log_level)
        server = _Server(
            listening(
                create_app(settings, context),
                settings,
                ssl_certfile=settings.tls_cert,
                ssl_keyfile=settings.tls_key,
                proxy_headers=bool(settings.proxy),
                forwarded_allow_ips=settings.proxy or None,
                timeout_graceful_shutdown=_GRACE_S,
            )
        )
        url = address_of(listener, tls=settings.tls_cert is not None)
        first_steps = "" if has_users(context) else _first_steps(settings)

        @contextmanager
        def announced() -> Iterator[None]:
            path = settings.data_dir / ADDRESS_FILE
            write_atomically(path, json.dumps({"url": url, "pid": os.getpid()}).encode())
            say(f"ImageFlow Server listens on {url}{first_steps}")
            try:
                yield
            finally:
                path.unlink(missing_ok=True)

        server.announced = announced
        if until_stdin_closes:
            threading.Thread(target=_stop_at_end_of_input, args=(server,), daemon=True, name="stdin").start()
        server.run(sockets=[listener])


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
        http=connection_class(limits),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        ws="none",
        **further,
    )


def address_of(listener: socket.socket, *, tls: bool) -> str:
    """Return the URL under which a listening socket is reached from this computer."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not listened on
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


class _Server(uvicorn.Server):
    """Announces itself once it listens; ends without re-raising the signal that stopped it."""

    announced: Callable[[], contextlib.AbstractContextManager[None]]

    async def main_loop(self) -> None:
        """Serve until it is to stop."""
        with self.announced():
            await super().main_loop()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop cleanly at the first signal; a clean stop is no failure, so the exit code is 0."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


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
def _alone(settings: ServerSettings) -> Iterator[None]:
    """Keep a second server away from the embedded database: each would give out the positions of its change log.

    Raises:
        Conflict: ``server-running``.
        Unavailable: ``server-data-dir`` when the lock's file cannot be made.
    """
    if settings.database_url is not None:
        yield  # The database server keeps apart those that work with it.
        return
    prepare_data_dir(settings.data_dir)
    try:
        lock = locked_file(settings.data_dir / LOCK_FILE)
    except OSError as error:
        reason = reason_of(error)
        raise Unavailable("server-data-dir", folder=str(settings.data_dir), reason=reason) from error
    if lock is None:
        raise Conflict("server-running", folder=str(settings.data_dir))
    with lock:
        yield


def _require_tls_files(settings: ServerSettings) -> None:
    if settings.tls_cert is None or settings.tls_key is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise InvalidInput("server-tls-files", reason=reason_of(error)) from error


def _first_steps(settings: ServerSettings) -> str:
    command = f"imageflow admin users add NAME --role admin --data-dir {_quoted(settings.data_dir)}"
    return f"; it has no users yet, make the first administrator with: {command}"


def _quoted(path: Path) -> str:
    text = str(path)
    return f'"{text}"' if " " in text else text


def _stop_at_end_of_input(server: uvicorn.Server) -> None:
    # Not through sys.stdin: its lock, held by this thread, would break the end of the interpreter.
    while os.read(_STANDARD_INPUT, _PIECE):
        pass
    server.should_exit = True
