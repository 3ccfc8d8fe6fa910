"""The one worker facility of the window: operations run off the UI thread, their results arrive on it.

Each lane has one thread, so database work is serial and a slow network never delays an inspection. Nothing else in
``app`` starts a thread, but the feed of the image source.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.window.presenting.running import Lane, Result, Task
from models.errors import ImageFlowError, UserFacingError


class Workers(QObject):
    """Runs operations in lanes and delivers success, failure and progress on the thread that made it.

    Signals:
        idle: nothing is running or waiting any more.
    """

    idle = Signal()
    _arrived = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._executors: dict[Lane, ThreadPoolExecutor] = {}
        self._tasks: set[Task] = set()
        self._closed = False
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is running or waiting."""
        return not self._tasks

    def run(
        self,
        operation: Callable[[Task], Result],
        *,
        lane: Lane,
        on_success: Callable[[Result], object],
        on_failure: Callable[[UserFacingError], object],
        on_progress: Callable[[Any], object] | None = None,
        on_finished: Callable[[], object] | None = None,
    ) -> Task:
        """Run ``operation(task)`` in a lane; call from the UI thread.

        ``on_success`` gets its result, ``on_failure`` the trouble a person can act on, ``on_progress`` whatever it
        gives to ``task.report``; ``on_finished`` comes after either, also after a cancellation. Any other exception is
        a bug: it is raised on the UI thread, after ``on_finished``. Nothing is called once ``close`` has begun.
        """
        task = Task(lambda progress: self.post(lambda: on_progress(progress) if on_progress else None))
        if self._closed:
            task.cancel()
            return task
        self._tasks.add(task)

        def finish() -> None:
            if on_finished is not None:
                on_finished()
            self._tasks.discard(task)
            if not self._tasks:
                self.idle.emit()

        def succeed(result: Result) -> None:
            try:
                on_success(result)
            finally:
                finish()

        def fail(error: BaseException) -> None:
            try:
                if task.cancelled.is_set() and isinstance(error, ImageFlowError):
                    return
                if not isinstance(error, UserFacingError):
                    raise error
                on_failure(error)
            finally:
                finish()

        def work() -> None:
            try:
                result = operation(task)
            except BaseException as error:  # noqa: BLE001 - not handled here: raised again on the UI thread
                # A name bound by "except" ends with the block; the lambda runs later.
                trouble = error
                self.post(lambda: fail(trouble))
            else:
                self.post(lambda: succeed(result))

        self._executor(lane).submit(work)
        return task

    def post(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` on the UI thread soon; safe from any thread; forgotten once ``close`` has begun."""
        if not self._closed:
            self._arrived.emit(callback)

    def close(self) -> None:
        """Cancel what runs, forget what waits and join every thread; safe to call again."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        for executor in self._executors.values():
            executor.shutdown(wait=True, cancel_futures=True)
        self._executors.clear()
        self._tasks.clear()

    def _executor(self, lane: Lane) -> ThreadPoolExecutor:
        if lane not in self._executors:
            self._executors[lane] = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"station-{lane}")
        return self._executors[lane]

    @Slot(object)
    def _deliver(self, callback: Callable[[], object]) -> None:
        if not self._closed:
            callback()
