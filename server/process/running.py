"""One process that serves: the application under uvicorn, stopped cleanly."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import uvicorn

from server.context import ServerContext
from server.core.settings import ServerSettings
from server.http.application import create_app
from server.http.lanes import Lane, set_threads
from server.process.listening import listening

OWNER_ONLY = 0o077
"""Umask of a server: what it writes is for its own user."""
_GRACE_S = 10
_READING_AT_A_DISTANCE = 16


class RunningServer(uvicorn.Server):
    """Announces itself once it serves; ends without re-raising the signal that stopped it.

    Args:
        config: of uvicorn.
        announced: entered when it serves, left when it stops.
    """

    def __init__(self, config: uvicorn.Config, announced: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__(config)
        self._announced = announced

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
    config = listening(
        create_app(settings, context),
        settings,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        proxy_headers=bool(settings.proxy),
        forwarded_allow_ips=settings.proxy or None,
        timeout_graceful_shutdown=_GRACE_S,
    )
    # What lives as long as the process is not looked through again at each collection of garbage.
    gc.collect()
    gc.freeze()
    return RunningServer(config, announced)
