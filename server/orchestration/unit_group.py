"""A group of units of work on threads and in the event loop, each unit begun by others.

The thread that ends a unit goes on with what may begin then, and hands the rest to other threads: the event loop, which
many clients wait for, has nothing to do between the units. It runs what waits for another process.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar

from models.errors import ImageFlowError
from server.orchestration.run_work import RunWork

T = TypeVar("T")
Unit = Callable[[], "list[Unit]"]
"""Work of a thread; returns what may begin after it."""
LoopUnit = Callable[[], Coroutine[Any, Any, list[Unit]]]
"""Work of the event loop; its coroutine returns what may begin after it."""


class GroupEndedError(ImageFlowError):
    """The group has ended: nobody waits for what a unit does."""


class UnitGroup(Generic[T]):
    """Units of one run, which end with a result or with the first error.

    Made in the event loop that waits for ``result``.

    Args:
        work: of the run; it stops the threads when the run ends.
        report_late: called with an error of a unit that comes after the group's end, on any thread.

    Attributes:
        lock: of what the units share; whoever holds it after ``require_going_on`` is not overtaken by the group's end.
    """

    def __init__(self, work: RunWork, report_late: Callable[[Exception], None]) -> None:
        self._work = work
        self._report_late = report_late
        self.lock = threading.Lock()
        self._ended = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._context = contextvars.copy_context()
        self._loop = asyncio.get_running_loop()
        self._result: asyncio.Future[T] = self._loop.create_future()

    async def result(self) -> T:
        """Return what was given to ``succeed``; in the event loop.

        Raises:
            Exception: the error of the first unit that failed.
        """
        return await self._result

    def end(self) -> None:
        """Let no unit begin any more, nor pass ``require_going_on``; from any thread."""
        with self.lock:
            self._ended = True

    async def cancel_tasks(self) -> None:
        """Cancel what runs in the event loop, and wait for it; once the group has ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)

    def require_going_on(self) -> None:
        """Check that the group goes on; the lock is held.

        Raises:
            GroupEndedError: when it has ended.
        """
        if self._ended:
            raise GroupEndedError

    def submit(self, unit: Unit) -> None:
        """Do work on a thread, and what may begin after it; from any thread."""
        self._work.submit(partial(self._context.copy().run, self._go_on, unit))

    def submit_to_loop(self, unit: LoopUnit) -> None:
        """Do work in the event loop, and on threads what may begin after it; from any thread."""
        self._call(partial(self.start_task, unit))

    def start_task(self, unit: LoopUnit) -> None:
        """Do as ``submit_to_loop``, in the event loop."""
        if self._ended:
            return
        task = self._loop.create_task(self._run_task(unit))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def succeed(self, result: T) -> None:
        """Give the result; the first result or error that reaches the event loop is kept. From any thread."""
        self._call(partial(self._set_result, result))

    def _fail(self, error: Exception) -> None:
        """End with an error, from any thread; one that comes after the end is reported as late."""
        with self.lock:
            late, self._ended = self._ended, True
        if late:
            self._report_late(error)
        else:
            self._call(partial(self._set_error, error))

    def _call(self, call: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(call, context=self._context.copy())
        except RuntimeError:
            # Nobody waits for a run whose loop has ended.
            if not self._loop.is_closed():
                raise

    # On threads.

    def _go_on(self, unit: Unit) -> None:
        """Do work and what may begin after it; of several, one here."""
        following: list[Unit] = [unit]
        try:
            while following:
                self._work.stop_if_cancelled()
                first, *others = following
                for other in others:
                    self.submit(other)
                following = first()
        except GroupEndedError:
            return
        except Exception as error:  # noqa: BLE001 - it is raised where the run is waited for
            self._fail(error)
        except BaseException as error:
            self._fail(RuntimeError(repr(error)))
            raise

    # In the event loop.

    async def _run_task(self, unit: LoopUnit) -> None:
        try:
            for following in await unit():
                self.submit(following)
        except GroupEndedError:
            return
        except asyncio.CancelledError:
            # By something else than the group's end, as a channel or a pool that is closed: it must end all the same.
            if not self._ended:
                self._fail(RuntimeError("work in the event loop was cancelled though its group goes on"))
            raise
        except Exception as error:  # noqa: BLE001 - it is raised where the run is waited for
            self._fail(error)

    def _set_result(self, result: T) -> None:
        if not self._result.done():
            self._result.set_result(result)

    def _set_error(self, error: Exception) -> None:
        if not self._result.done():
            self._result.set_exception(error)
