"""Reading a source in a background thread, so that the caller never waits for a camera."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from dataclasses import replace
from pathlib import Path

from inspection.imaging.frames import Frame
from inspection.sources.base import ImageSource, MissedFrames, SourceBase, SourceState
from models.errors import Unavailable, UserFacingError

_LONGEST_READ = 0.5
_PATIENCE = 10.0
_PATIENCE_TO_OPEN = 2.0


class LiveSource(SourceBase):
    """Reads another source in a thread and buffers the newest frames only.

    Args:
        source: the source to read; it is opened and closed with this one.
        capacity: size of the buffer in frames; when it is full the oldest is dropped and counted.
        patience: seconds that ``close`` waits for the source to be released; the next ``open`` waits at most two.
    """

    def __init__(self, source: ImageSource, *, capacity: int = 2, patience: float = _PATIENCE) -> None:
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        super().__init__(source.source_id)
        self._source = source
        self._queue: deque[Frame | UserFacingError] = deque()
        self._capacity = capacity
        self._patience = patience
        self._dropped = 0
        self._exhausted = False
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._ending: threading.Thread | None = None
        self._failure: BaseException | None = None

    @property
    def live(self) -> bool:
        """Frames arrive unrequested."""
        return True

    @property
    def answers_events(self) -> bool:
        """As the source."""
        return self._source.answers_events

    @property
    def takes_trigger(self) -> bool:
        """As the source."""
        return self._source.takes_trigger

    def trigger(self) -> None:
        """Request one frame of the source.

        Raises:
            Unavailable: as the source.
        """
        self._source.trigger()

    @property
    def images_folder(self) -> Path | None:
        """As the source."""
        return self._source.images_folder

    @property
    def missed(self) -> MissedFrames:
        """Frames dropped from the buffer, and those that the source itself missed."""
        before = self._source.missed or MissedFrames()
        return replace(before, dropped=before.dropped + self._dropped)

    @property
    def dropped(self) -> int:
        """How many frames were dropped because nobody took them in time."""
        return self._dropped

    @property
    def state(self) -> SourceState:
        """State of the source; ``ENDED`` once its last frame was read."""
        if self._thread is None:
            return SourceState.CLOSED
        if self._exhausted:
            return SourceState.OPEN if self._queue else SourceState.ENDED
        return self._source.state

    @property
    def ended(self) -> bool:
        """Whether there will be no further frame."""
        return self.state is SourceState.ENDED

    def describe(self) -> str:
        """As the source."""
        return self._source.describe()

    def open(self) -> None:
        """Open the source and start reading it.

        Raises:
            NotFound: as the source.
            Unavailable: as the source, and ``source-still-closing`` when it was closed and is not released yet.
        """
        if self._thread is not None:
            return
        # The previous thread closes the source when it ends: it must not close the source opened here.
        if not self._has_ended(min(self._patience, _PATIENCE_TO_OPEN)):
            raise Unavailable("source-still-closing", source=self.describe())
        self._source.open()
        self._stop = threading.Event()
        self._queue.clear()
        self._dropped = 0
        self._exhausted = False
        self._failure = None
        self._thread = threading.Thread(
            target=self._pump, args=(self._stop,), name=f"source-{self.source_id}", daemon=True
        )
        self._thread.start()

    def read(self, timeout: float | None = None) -> Frame | None:
        """Return the oldest buffered frame; wait up to ``timeout`` seconds for one.

        Raises:
            UserFacingError: raised by the source, in the order of its frames. Any other exception is a bug there
                and ends the reading; it is raised here, so that no caller waits for frames that never arrive.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not self._queue:
                if self._failure is not None:
                    raise self._failure
                if self._stop.is_set() or self._thread is None or not self._thread.is_alive():
                    return None
                wait = _LONGEST_READ if deadline is None else min(_LONGEST_READ, deadline - time.monotonic())
                if wait <= 0:
                    return None
                self._changed.wait(wait)
            item = self._queue.popleft()
        if isinstance(item, UserFacingError):
            raise item
        return item

    def close(self) -> None:
        """Stop reading and release the source."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._ending, self._thread = self._thread, None
            self._has_ended(self._patience)
        with self._changed:
            self._queue.clear()

    def _has_ended(self, wait: float) -> bool:
        """Wait for the previous thread; return whether it has released the source."""
        if self._ending is not None and self._ending is not threading.current_thread():
            self._ending.join(wait)
            if not self._ending.is_alive():
                self._ending = None
        return self._ending is None

    def _pump(self, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                try:
                    item: Frame | UserFacingError | None = self._source.read(_LONGEST_READ)
                except UserFacingError as error:
                    item = error
                if item is not None:
                    self._buffer(item, stop)
                elif self._source.ended:
                    self._exhausted = True
                    return
        finally:
            if not stop.is_set():
                self._failure = sys.exception()
            # Only this thread uses the source, so only this thread may close it.
            self._source.close()
            with self._changed:
                self._changed.notify_all()

    def _buffer(self, item: Frame | UserFacingError, stop: threading.Event) -> None:
        with self._changed:
            if stop.is_set():
                return
            while len(self._queue) >= self._capacity:
                self._queue.popleft()
                self._dropped += 1
            self._queue.append(item)
            self._changed.notify_all()
