"""Ports of services that are started for their first caller, as systemd-socket-proxyd does; loads nothing of gRPC.

Passing on takes a millisecond of a call that has six megabytes blurred: once the services run, new callers reach them
at the same port without the proxy, where the system can arrange it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial

from models.errors import Unavailable, UserFacingError
from server.core.structlog_import import structlog
from server.grpc.contract import SERVICES, Service
from server.grpc.port_sharing import give_callers_to_second, let_share
from server.grpc.ports import listen_for, target

_PIECE = 256 * 1024
_log = structlog.get_logger("imageflow.grpc")


class ServiceProxy:
    """Listens for services, has them started for the first connection, and passes connections on to them.

    The port is never closed in between, so no caller is refused while the services start.

    Args:
        host: IP address to listen on.
        start: starts the services; returns when they listen and ``forward_to`` was called.

    Attributes:
        addresses: that callers connect to, by key of the service.
    """

    def __init__(self, host: str, start: Callable[[], Awaitable[None]]) -> None:
        self._host = host
        self._start = start
        self._services: dict[str, tuple[str, int]] = {}
        self._servers: list[asyncio.Server] = []
        self._listeners: list[socket.socket] = []
        self._connections: set[asyncio.Task[None]] = set()
        self.addresses: dict[str, str] = {}

    async def listen(self, service: Service, port: int) -> None:
        """Listen for a service.

        Args:
            service: to listen for.
            port: 0 for any that is free.

        Raises:
            InvalidInput: ``service-host-unknown``.
            Unavailable: ``service-port-taken``.
        """
        listener = listen_for(service, self._host, port, of_command=False)
        address = target(self._host, listener.getsockname()[1])
        connected = partial(self._connected, service.key)
        try:
            server = await asyncio.start_server(connected, sock=listener, limit=_PIECE, start_serving=False)
        except BaseException:
            listener.close()
            raise
        self._servers.append(server)
        self._listeners.append(listener)
        await server.start_serving()
        self.addresses[service.key] = address

    def share(self) -> Mapping[str, str]:
        """Return the addresses, by key, at which the services may listen too from now on; none where they cannot."""
        return self.addresses if all(map(let_share, self._listeners)) else {}

    def step_aside(self) -> None:
        """Let new callers reach the services that listen at shared addresses; they come here again when those end."""
        for listener in self._listeners:
            try:
                give_callers_to_second(listener)
            except OSError as error:
                _log.info("callers of services go on passing the proxy", error=str(error))

    def forward_to(self, ports: Mapping[str, int]) -> None:
        """Pass connections on to services that listen on these ports, by key."""
        self._services = {key: (self._host, port) for key, port in ports.items()}

    async def close(self) -> None:
        """Listen no longer, and end every connection."""
        for server in self._servers:
            server.close()
        for connection in tuple(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _connected(self, key: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.get_running_loop().create_task(self._pass_on(key, reader, writer), name=f"caller of {key}")
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _pass_on(self, key: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with ended(writer):
            try:
                back, onward = await self._open(key)
            except (UserFacingError, OSError) as error:
                _log.error("a service could not be started for a caller", service=key, error=str(error))
                return
            except Exception:  # noqa: BLE001 - a bug ends this connection, not the proxy; the log has it whole
                _log.exception("a service could not be started for a caller", service=key)
                return
            async with ended(onward):
                try:
                    async with asyncio.TaskGroup() as both:
                        both.create_task(_copy(reader, onward))
                        both.create_task(_copy(back, writer))
                except* OSError:
                    pass  # One end is gone, and sees that itself; the other one is closed here.
                except* RuntimeError:
                    # What uvloop raises, without a class of its own, for a connection that is closed.
                    if not (writer.is_closing() or onward.is_closing()):
                        raise

    async def _open(self, key: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if key not in self._services:
            await self._start()
        found = self._services.get(key)
        if found is None:  # They have stopped meanwhile.
            raise Unavailable("service-not-connected", service=SERVICES[key].name)
        return await asyncio.open_connection(*found, limit=_PIECE)


@asynccontextmanager
async def ended(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Close a connection after use, and wait for its end: what ended it would else be reported as an error of nobody.

    A cancelled use drops what was not yet sent, since a caller that reads nothing would hold it for ever.
    """
    try:
        yield
    except asyncio.CancelledError:
        writer.transport.abort()
        raise
    finally:
        writer.close()
        try:
            with suppress(OSError):
                await writer.wait_closed()
        except asyncio.CancelledError:
            writer.transport.abort()
            raise


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE):
        if writer.is_closing():
            raise ConnectionResetError
        writer.write(piece)
        await writer.drain()
    if not writer.is_closing():
        writer.write_eof()
