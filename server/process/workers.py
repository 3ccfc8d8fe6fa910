"""Several processes that serve on one socket, for a server with more processors than one process can use.

Only PostgreSQL keeps processes apart that give out positions of one change log. The first process makes the others,
restarts those that end by themselves, and ends them all when it ends, whatever ends it: each waits for the end of a
pipe that only the first one holds.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType

import structlog

from models.errors import InvalidInput, Unavailable
from server.context import open_context
from server.core.logs import configure_logs
from server.core.settings import ServerSettings
from server.process.running import server_of

_OWNER_ONLY = 0o077
_START_S = 60.0
_STOP_S = 15.0
_log = structlog.get_logger("imageflow.server")


def require_shared_database(settings: ServerSettings) -> None:
    """Check that several processes may work with the database.

    Raises:
        InvalidInput: ``server-workers-embedded``.
    """
    if settings.workers > 1 and not settings.database.startswith("postgresql"):
        raise InvalidInput("server-workers-embedded", workers=settings.workers)


class Workers:
    """The processes that serve on a socket.

    Args:
        settings: as started; the database has its newest schema.
        listener: the listening socket.
        announced: entered when all of them serve, left when they stop.
    """

    def __init__(
        self,
        settings: ServerSettings,
        listener: socket.socket,
        announced: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._settings = settings
        self._listener = listener
        self._announced = announced
        self._context = multiprocessing.get_context("spawn")
        self._life, self._lifeline = self._context.Pipe(duplex=False)
        self._woken, self._wake = self._context.Pipe(duplex=False)
        self._processes: list[SpawnProcess] = []
        self._stopping = threading.Event()

    def run(self) -> None:
        """Serve until ``stop``, SIGTERM or SIGINT.

        Raises:
            Unavailable: ``server-worker-ended`` when one ends before it serves.
        """
        before = {number: signal.signal(number, self._heard) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            for _ in range(self._settings.workers):
                self._processes.append(self._started())
            with self._announced():
                self._watch()
        finally:
            self._end()
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """End what is being answered, then stop; may be called by any thread."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._wake.send(None)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.stop()

    def _started(self) -> SpawnProcess:
        served, serves = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=_work, args=(self._settings, self._listener, self._life, serves), name="imageflow-worker"
        )
        process.start()
        serves.close()
        with served:
            ready = wait([served, process.sentinel, self._woken], _START_S)
            if served in ready and served.poll():
                try:
                    served.recv()
                except EOFError:
                    ready = []
            if not ready or (process.sentinel in ready and served not in ready):
                process.terminate()
                raise Unavailable("server-worker-ended", exit_code=process.exitcode or 0)
        return process

    def _watch(self) -> None:
        while not self._stopping.is_set():
            ended = wait([self._woken, *(process.sentinel for process in self._processes)])
            if self._stopping.is_set():
                return
            for place, process in enumerate(self._processes):
                if process.sentinel in ended:
                    _log.error("worker ended", pid=process.pid, exit_code=process.exitcode)
                    self._processes[place] = self._started()

    def _end(self) -> None:
        self._lifeline.close()
        for process in self._processes:
            process.join(_STOP_S)
            if process.is_alive():
                process.kill()
                process.join()
        for end in (self._life, self._woken, self._wake):
            end.close()


def _work(settings: ServerSettings, listener: socket.socket, life: Connection, serves: Connection) -> None:
    """Serve in a process of its own until the first process ends its end of ``life``."""
    os.umask(_OWNER_ONLY)
    configure_logs(settings.log_level)

    @contextmanager
    def announced() -> Iterator[None]:
        serves.send(os.getpid())
        serves.close()
        yield

    server = server_of(settings, open_context(settings), announced)

    def wait_for_the_end() -> None:
        wait([life])
        server.stop()

    threading.Thread(target=wait_for_the_end, daemon=True, name="life").start()
    server.run(sockets=[listener])
