"""The threads of one run: a run that fails or is cancelled stops them before it ends."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Self, TypeVar

from inspection.components.registry import InspectionCancelled
from inspection.imaging.files import ImageLimits
from models.errors import ImageFlowError
from server.core.structlog_import import structlog
from server.objects.store import ObjectStore

P = ParamSpec("P")
T = TypeVar("T")
STOP_S = 0.3
"""Seconds that a run waits for its threads; with the look for a cancellation it ends within a second."""
_log = structlog.get_logger("imageflow.server")


@dataclass(frozen=True, slots=True)
class Work:
    """Where the work of executions is done.

    Attributes:
        objects: the object store.
        threads: for steps, decoding and encoding.
        limits: of images.
        first_attempts: places for steps of services that run on these threads; fewer than there are threads, so that
            a service that hangs leaves some for everything else.
    """

    objects: ObjectStore
    threads: Executor
    limits: ImageLimits
    first_attempts: threading.Semaphore = field(default_factory=functools.partial(threading.Semaphore, 2))


class RunWork:
    """The work of one run, as a block: when it ends with an error or is cancelled, its threads are stopped.

    A step is asked to stop, and waited for. One that does not stop in time computes on, but nothing takes what it
    returns, and nothing of it is stored: what stores asks ``stop_if_cancelled`` before.

    Args:
        work: where it is done.
    """

    def __init__(self, work: Work) -> None:
        self.objects = work.objects
        self.limits = work.limits
        self.first_attempts = work.first_attempts
        self.cancel = threading.Event()
        self._threads = work.threads
        self._under_way: set[Future[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            await self.stop()

    async def on_thread(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Run ``work`` on a thread and return what it returns.

        Raises:
            InspectionCancelled: when the run was stopped.
        """
        self.stop_if_cancelled()
        future = self._threads.submit(functools.partial(work, *arguments, **named))
        self._under_way.add(future)
        wrapped = asyncio.wrap_future(future)
        try:
            return await wrapped
        finally:
            if future.done():
                self._under_way.discard(future)

    def submit(self, work: Callable[[], object]) -> None:
        """Run ``work`` on a thread, which nobody waits for but ``stop``; from any thread."""
        future = self._threads.submit(work)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)

    def stop_if_cancelled(self) -> None:
        """Stop when the run was stopped; for threads too.

        Raises:
            InspectionCancelled: when it was.
        """
        if self.cancel.is_set():
            raise InspectionCancelled

    async def stop(self) -> None:
        """Ask every thread of the run to stop, and wait for them for a moment."""
        self.cancel.set()
        under_way = list(self._under_way)  # Threads that end leave it.
        ending = [asyncio.wrap_future(future) for future in under_way if not future.cancel()]
        for future in under_way:
            future.add_done_callback(_report)
        if ending:
            await asyncio.wait(ending, timeout=STOP_S)


def _report(future: Future[Any]) -> None:
    """Log a fault of a thread that nobody waits for any more."""
    error = None if future.cancelled() else future.exception()
    if error is not None and not isinstance(error, ImageFlowError):
        _log.error("a step of a run that was stopped failed", error=repr(error))
