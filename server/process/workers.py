"""Several processes that serve on one socket, for a server with more processors than one process can use.

Only PostgreSQL keeps processes apart that give out positions of one change log. The first process makes the others,
makes another for one that ends by itself, and ends them all when it ends, whatever ends it: each waits for the end of a
pipe that only the first one holds.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Any

from models.errors import InvalidInput, Unavailable
from server.context import open_context
from server.core.logs import configure_logs
from server.core.settings import ServerSettings
from server.core.structlog_import import structlog
from server.process.own_process import set_up_process
from server.process.running import server_of

_START_S = 60.0
_STOP_S = 15.0
_KILLED_S = 5.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
_log = structlog.get_logger("imageflow.server")


def require_shared_database(settings: ServerSettings) -> None:
    """Check that several processes may work with the database.

    Raises:
        InvalidInput: ``server-workers-embedded``.
    """
    if settings.workers > 1 and not settings.database.startswith("postgresql"):
        raise InvalidInput("server-workers-embedded", workers=settings.workers)


@dataclass(eq=False, slots=True)
class _Worker:
    """A process that serves, or is about to.

    Attributes:
        served: says once that it serves; None after that.
        due: monotonic time by which it must serve.
    """

    process: SpawnProcess
    served: Connection | None
    due: float


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
        self._workers: list[_Worker] = []
        self._stopping = False
        self._pause_s = _FIRST_PAUSE_S

    def run(self) -> None:
        """Serve until ``stop``, SIGTERM or SIGINT.

        Raises:
            Unavailable: ``server-worker-ended`` when one of the first ends before it serves.
        """
        before = {number: signal.signal(number, self._heard) for number in (signal.SIGTERM, signal.SIGINT)}
        # Python runs a handler when the system call that waits returns; a signal just before it would not end it.
        os.set_blocking(self._wake.fileno(), False)
        wakeup_before = signal.set_wakeup_fd(self._wake.fileno())
        try:
            self._workers = [self._started() for _ in range(self._settings.workers)]
            while not self._stopping and any(worker.served is not None for worker in self._workers):
                for worker in self._ended(self._next_due()):
                    raise Unavailable("server-worker-ended", exit_code=_exit_code(worker.process))
            if not self._stopping:
                with self._announced():
                    self._watch()
        finally:
            signal.set_wakeup_fd(wakeup_before)
            self._end()
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """End what is being answered, then stop; may be called by any thread, and by a handler of signals."""
        self._stopping = True
        os.write(self._wake.fileno(), b"\0")

    def _heard(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.stop()

    def _started(self) -> _Worker:
        served, serves = self._context.Pipe(duplex=False)
        arguments = (self._settings, self._listener, self._life, serves)
        process = self._context.Process(target=_work, args=arguments, name="imageflow-worker")
        process.start()
        serves.close()
        return _Worker(process, served, time.monotonic() + _START_S)

    def _watch(self) -> None:
        """Make another worker for each that ends; when those end at once too, after growing pauses."""
        while not self._stopping:
            ended = self._ended(self._next_due())
            for worker in ended:
                _log.error("worker ended", pid=worker.process.pid, exit_code=_exit_code(worker.process))
                self._workers.remove(worker)
                if worker.served is None:
                    self._pause_s = _FIRST_PAUSE_S
                elif not self._stopping:
                    wait([self._woken], self._pause_s)
                    self._pause_s = min(_LONGEST_PAUSE_S, 2 * self._pause_s)
            while not self._stopping and len(self._workers) < self._settings.workers:
                self._workers.append(self._started())

    def _next_due(self) -> float | None:
        """Return the seconds until the first worker must serve; None when all do."""
        dues = [worker.due for worker in self._workers if worker.served is not None]
        return max(0.0, min(dues) - time.monotonic()) if dues else None

    def _ended(self, timeout: float | None) -> list[_Worker]:
        """Wait until something happens, note who serves, and return the workers that ended or are late."""
        starting = [worker.served for worker in self._workers if worker.served is not None]
        happened = wait([self._woken, *starting, *(worker.process.sentinel for worker in self._workers)], timeout)
        for worker in self._workers:
            if worker.served in happened and _received(worker.served):
                worker.served.close()
                worker.served = None
        now = time.monotonic()
        return [
            worker
            for worker in self._workers
            if worker.process.sentinel in happened or (worker.served is not None and worker.due <= now)
        ]

    def _end(self) -> None:
        self._lifeline.close()
        until = time.monotonic() + _STOP_S
        for worker in self._workers:
            worker.process.join(max(0.0, until - time.monotonic()))
        for worker in self._workers:
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join(_KILLED_S)
            if worker.served is not None:
                worker.served.close()
        for end in (self._life, self._woken, self._wake):
            end.close()


def _received(served: Any) -> bool:
    """Return whether a worker has said that it serves; one that ended has closed its end."""
    try:
        served.recv()
    except EOFError:
        return False
    return True


def _exit_code(process: SpawnProcess) -> int:
    """Return the exit code of a process that ended or is late; the latter is ended here."""
    process.join(0.1)
    if process.is_alive():
        process.kill()
    process.join(_KILLED_S)
    return process.exitcode if process.exitcode is not None else -1


def _work(settings: ServerSettings, listener: socket.socket, life: Connection, serves: Connection) -> None:
    """Serve in a process of its own until the first process ends its end of ``life``."""
    # A signal of the terminal reaches every process; the first one says when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    set_up_process()
    configure_logs(settings.log_level)

    @contextmanager
    def announced() -> Iterator[None]:
        # The first process may have gone meanwhile; the end of ``life`` then stops this one as it should be stopped.
        with suppress(BrokenPipeError):
            serves.send(os.getpid())
        serves.close()
        yield

    server = server_of(settings, open_context(settings), announced)

    def wait_for_the_end() -> None:
        wait([life])
        server.stop()

    threading.Thread(target=wait_for_the_end, daemon=True, name="life").start()
    server.run(sockets=[listener])
