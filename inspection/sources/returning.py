"""Reconnecting sources: a camera that is unplugged, a stream whose server restarts."""

from __future__ import annotations

import contextlib
import threading
import time
from abc import ABC, abstractmethod

from inspection.imaging.frames import Frame
from inspection.sources.base import SourceBase, SourceState
from models.errors import Unavailable

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 0.5
_LONGEST_GRAB = 0.5


class SourceGoneError(Exception):
    """The source was lost while it was read; never leaves this package."""


class ReturningSource(SourceBase, ABC):
    """A source that reconnects when it is lost: after 0.1 s first, then at most every 0.5 s, until it is closed."""

    def __init__(self, source_id: str) -> None:
        super().__init__(source_id)
        self._closed = threading.Event()
        self._connected = False
        self._pause = FIRST_PAUSE

    @property
    def live(self) -> bool:
        """Frames arrive unrequested."""
        return True

    @abstractmethod
    def _connect(self) -> None:
        """Connect to the source.

        Raises:
            Unavailable: ``camera-not-reachable`` when nothing answers.
            InvalidInput: when its settings can never work.
        """

    @abstractmethod
    def _grab(self, wait: float) -> Frame | None:
        """Return the next frame, or None when there was none within about ``wait`` seconds.

        Raises:
            SourceGoneError: when the source is gone.
        """

    @abstractmethod
    def _release(self, *, lost: bool) -> None:
        """Release the source; may be called twice."""

    def open(self) -> None:
        """Connect.

        Raises:
            InvalidInput: ``camera-address`` when the address is malformed, or a setting that the camera rejects.
            Unavailable: ``camera-not-reachable`` when nothing answers there.
        """
        self._closed.clear()
        self._connect()
        self._connected = True
        self._pause = FIRST_PAUSE
        super().open()

    def read(self, timeout: float | None = None) -> Frame | None:
        """Return the next frame; None when there is none within ``timeout``, also while the source is lost.

        A call can take some seconds longer than ``timeout`` where the other side does not respond; ``LiveSource``
        shields its reader from that.

        Raises:
            InvalidInput: when the reconnected camera rejects the settings.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._closed.is_set():
            frame = self._next_frame(_LONGEST_GRAB if deadline is None else deadline - time.monotonic())
            if frame is not None:
                return frame
            if deadline is not None and time.monotonic() >= deadline:
                return None
        return None

    def close(self) -> None:
        """Release the source; a waiting read returns."""
        self._closed.set()
        self._connected = False
        self._release(lost=self._state is SourceState.LOST)
        super().close()

    def _next_frame(self, remaining: float) -> Frame | None:
        wait = max(0.0, min(remaining, _LONGEST_GRAB))
        if not self._connected and not self._reconnect(wait):
            return None
        try:
            frame = self._grab(wait)
        except SourceGoneError:
            self._connected = False
            if not self._closed.is_set():
                self._state = SourceState.LOST
            self._release(lost=True)
            return None
        if frame is None or self._closed.is_set():
            return None
        self._state = SourceState.OPEN
        self._pause = FIRST_PAUSE
        return frame

    def _reconnect(self, wait: float) -> bool:
        if self._closed.wait(min(self._pause, wait)):
            return False
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        with contextlib.suppress(Unavailable):
            self._connect()
            self._connected = True
        return self._connected
