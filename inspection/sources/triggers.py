"""Triggers: which frames of a source are returned."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from inspection.imaging.frames import Frame
from inspection.sources.base import ImageSource, MissedFrames, SourceBase, SourceState
from models.errors import InvalidInput, Unavailable

_REQUESTS_KEPT = 32
_SLICE = 0.5


class TriggerMode(StrEnum):
    """The trigger of a source.

    Attributes:
        FREE: every frame.
        KEY: one frame per request, by a key or by a program.
        SOURCE: one frame per event of the source: a file that appeared, a pulse at the camera's input.
    """

    FREE = "free"
    KEY = "key"
    SOURCE = "source"


class CapturedAfter:
    """Selects the first frame whose whole exposure lies after a moment.

    Frames have their arrival time. The first to arrive after the moment may have been exposed partly before it; the
    exposure of the next one began after that one ended. So the second is accepted.

    Args:
        moment: monotonic seconds.
        latency: seconds from exposure to arrival beyond the interval between two frames (network, encoder); frames that
            arrive within it after the moment are ignored.
        on_request: whether the camera exposes only on request; then the first frame is accepted.
    """

    def __init__(self, moment: float, *, latency: float = 0.0, on_request: bool = False) -> None:
        self.moment = moment
        self._from = moment + latency
        self._one_passed = on_request

    def accepts(self, arrived: float) -> bool:
        """Return whether the frame that arrived then is accepted; call it for every frame in order."""
        if arrived < self._from:
            return False
        if self._one_passed:
            return True
        self._one_passed = True
        return False


class TriggeredSource(SourceBase):
    """A source with a trigger.

    With ``KEY`` a camera's frame is returned only when it was captured after the request, whatever was buffered; of a
    folder or a file it is the next image.

    Args:
        source: opened and closed with this one.
        mode: the trigger.
        latency: of ``CapturedAfter``, seconds.
        patience: seconds after which an unanswered request to a software-triggered camera in mode ``FREE`` is repeated.

    Attributes:
        skipped: the newest frame that was read and not returned; the quality gate measures motion against it.
    """

    def __init__(self, source: ImageSource, mode: TriggerMode, *, latency: float = 0.0, patience: float = 5.0) -> None:
        super().__init__(source.source_id)
        self._source = source
        self.mode = mode
        self._latency = latency
        self._patience = patience
        self._requests: deque[CapturedAfter] = deque(maxlen=_REQUESTS_KEPT)
        self._changed = threading.Condition()
        self._closed = False
        self.skipped: Frame | None = None

    @property
    def state(self) -> SourceState:
        """As the source."""
        return self._source.state

    @property
    def ended(self) -> bool:
        """As the source."""
        return self._source.ended

    @property
    def live(self) -> bool:
        """Whether frames arrive unrequested; false with ``KEY``."""
        return self._source.live and self.mode is not TriggerMode.KEY

    @property
    def answers_events(self) -> bool:
        """As the source."""
        return self._source.answers_events

    @property
    def takes_trigger(self) -> bool:
        """Whether frames have to be requested with ``trigger``."""
        return self.mode is TriggerMode.KEY

    @property
    def images_folder(self) -> Path | None:
        """As the source."""
        return self._source.images_folder

    @property
    def missed(self) -> MissedFrames | None:
        """As the source; with ``KEY`` unrequested frames are not missed."""
        missed = self._source.missed
        return missed if missed is None or self.mode is not TriggerMode.KEY else replace(missed, dropped=0)

    def describe(self) -> str:
        """As the source."""
        return self._source.describe()

    def open(self) -> None:
        """Open the source.

        Raises:
            InvalidInput: ``trigger-needs-events`` when the mode is ``SOURCE`` and the source has no events.
            UserFacingError: as the source.
        """
        if self.mode is TriggerMode.SOURCE and not self._source.answers_events:
            raise InvalidInput("trigger-needs-events", source=self._source.describe())
        with self._changed:
            self._closed = False
            self._requests.clear()
        self._source.open()

    def trigger(self) -> None:
        """Request one frame captured from now on; may be called from any thread.

        Raises:
            Unavailable: ``camera-not-reachable`` when a software-triggered camera is lost.
        """
        if self.mode is not TriggerMode.KEY:
            super().trigger()
        self._request()

    def read(self, timeout: float | None = None) -> Frame | None:
        """Return the next accepted frame; None when there is none within ``timeout`` or the source has ended.

        A request that is unanswered by then is answered by a later call.

        Raises:
            UnreadableImage: as the source; the error answers the request.
        """
        if self.mode is not TriggerMode.KEY and not self._source.takes_trigger:
            return self._source.read(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        if self.mode is TriggerMode.FREE and not self._is_pending():
            try:
                self._request()
            except Unavailable:
                # The camera is lost, as the state shows; the next call repeats the request.
                return self._source.read(timeout)
        while True:
            request = self._await_request(deadline)
            if request is None:
                return None
            frame = self._read_for(request, _SLICE if deadline is None else deadline - time.monotonic())
            if frame is not None:
                return frame
            if self.ended or (deadline is not None and time.monotonic() >= deadline):
                return None

    def close(self) -> None:
        """Close the source; a read that waits for a request returns."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._source.close()

    def _request(self) -> None:
        on_request = self._source.takes_trigger
        request = CapturedAfter(time.monotonic(), latency=0.0 if on_request else self._latency, on_request=on_request)
        if on_request:
            self._source.trigger()
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()

    def _is_pending(self) -> bool:
        """Return whether a request is pending; one older than the patience is discarded."""
        with self._changed:
            if self._requests and time.monotonic() - self._requests[0].moment > self._patience:
                self._requests.popleft()
            return bool(self._requests)

    def _await_request(self, deadline: float | None) -> CapturedAfter | None:
        """Return the oldest request; it stays in the queue until it is answered."""
        with self._changed:
            while not self._requests:
                wait = _SLICE if deadline is None else min(_SLICE, deadline - time.monotonic())
                if self._closed or self._source.ended or wait <= 0:
                    return None
                self._changed.wait(wait)
            return None if self._closed else self._requests[0]

    def _read_for(self, request: CapturedAfter, wait: float) -> Frame | None:
        try:
            frame = self._source.read(max(0.0, min(wait, _SLICE)))
        except InvalidInput:
            self._answered()
            raise
        if frame is None:
            return None
        if self._source.live and not request.accepts(frame.monotonic):
            self.skipped = frame
            return None
        self._answered()
        return frame

    def _answered(self) -> None:
        with self._changed:
            self._requests.popleft()
