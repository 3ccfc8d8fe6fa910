"""One process that serves: the application under uvicorn, stopped cleanly."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager

import uvicorn

from server.camera_stream.service import CameraStreams
from server.context import ServerContext
from server.core.settings import ServerSettings
from server.http.application import create_app
from server.http.lanes import Lane, set_threads
from server.process.listening import listening
from server.process.services import connected_services

_GRACE_S = 10
_YOUNG_OBJECTS = 5_000
"""New objects between two collections of garbage; at the 700 of Python they take a sixth of the time of a push."""
_READING_AT_A_DISTANCE = 16


class RunningServer(uvicorn.Server):
    """Announces itself once it serves; ends without re-raising the signal that stopped it.

    Args:
        config: of uvicorn.
        announced: entered when it serves, left when it stops.
        context: the server's parts, whose gRPC services are hosted and connected.
        streams: camera streams of this process.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        announced: Callable[[], AbstractContextManager[None]],
        context: ServerContext,
        streams: CameraStreams,
    ) -> None:
        super().__init__(config)
        self._announced = announced
        self._context = context
        self._streams = streams
        self._services = AsyncExitStack()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the services, then serve.

        Raises:
            UserFacingError: when a service cannot start; nothing serves then.
        """
        try:
            connected = connected_services(self._context.settings, self._context, self._streams)
            await self._services.enter_async_context(connected)
        except BaseException:
            self._context.close()
            raise
        await super().startup(sockets)
        if self.should_exit:  # The application could not start; what follows is not run.
            await self._services.aclose()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what is under way, then stop the services."""
        await super().shutdown(sockets)
        await self._services.aclose()

    async def main_loop(self) -> None:
        """Serve until it is to stop."""
        with self._announced():
            await super().main_loop()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop cleanly at the first signal; a clean stop is no failure, so the exit code is 0."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()

    def stop(self) -> None:
        """End what is being answered, then stop; may be called by any thread."""
        self.should_exit = True


def server_of(
    settings: ServerSettings, context: ServerContext, announced: Callable[[], AbstractContextManager[None]]
) -> RunningServer:
    """Return the server of this process, ready to run; the application closes ``context`` at its end."""
    # A database across a network is waited for without the interpreter's lock.
    distant = None if context.database.is_sqlite else _READING_AT_A_DISTANCE
    threads = settings.threads or distant
    if threads is not None:
        set_threads(Lane.READS, threads)
    app = create_app(settings, context)
    config = listening(
        app,
        settings,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        timeout_graceful_shutdown=_GRACE_S,
    )
    # What lives as long as the process is not looked through again at each collection of garbage.
    gc.collect()
    gc.freeze()
    # Requests leave hardly any cycles behind, so that garbage is looked for less often.
    gc.set_threshold(_YOUNG_OBJECTS)
    return RunningServer(config, announced, context, app.state.camera_streams)
