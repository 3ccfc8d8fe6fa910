"""When a frame is taken: whenever one comes, when somebody asks, or when the source says that a part is there."""

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
    """What makes a frame be taken.

    Attributes:
        FREE: every frame that comes.
        KEY: one frame each time somebody asks, by a key or by a program.
        SOURCE: the source gives one frame for each event of its own: a file that appeared, a pulse at the camera.
    """

    FREE = "free"
    KEY = "key"
    SOURCE = "source"


class CapturedAfter:
    """Decides, frame by frame, which is the first that was captured wholly after a moment.

    A frame bears the time it arrived at. The first to arrive after the moment may have been exposed before it, or half
    before and half after; the one behind it began after that one ended. So it is the second that counts.

    Args:
        moment: monotonic seconds.
        latency: seconds a frame takes from the camera to here beyond the time between two frames (network, encoder);
            what arrives within it after the moment does not count at all.
        asked: whether the camera exposes only when it is asked to; then the first frame counts.
    """

    def __init__(self, moment: float, *, latency: float = 0.0, asked: bool = False) -> None:
        self.moment = moment
        self._from = moment + latency
        self._one_passed = asked

    def accepts(self, arrived: float) -> bool:
        """Say whether the frame that arrived then counts; ask for one frame after the other."""
        if arrived < self._from:
            return False
        if self._one_passed:
            return True
        self._one_passed = True
        return False


class TriggeredSource(SourceBase):
    """A source whose frames are taken as the mode says.

    With ``KEY`` a frame of a camera counts only when it was captured after it was asked for, whatever lay in a buffer;
    of a folder or a file it is the next image.

    Args:
        source: opened and closed with this one.
        mode: what makes a frame be taken.
        latency: of ``CapturedAfter``, seconds.
        patience: seconds after which a camera in free run that has to be asked is asked again; the frame was lost.

    Attributes:
        skipped: the newest frame that was read and not returned; the quality gate measures movement against it.
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
        """Whether frames come by themselves; not when they have to be asked for."""
        return self._source.live and self.mode is not TriggerMode.KEY

    @property
    def answers_events(self) -> bool:
        """As the source."""
        return self._source.answers_events

    @property
    def takes_trigger(self) -> bool:
        """Whether frames have to be asked for with ``trigger``."""
        return self.mode is TriggerMode.KEY

    @property
    def images_folder(self) -> Path | None:
        """As the source."""
        return self._source.images_folder

    @property
    def missed(self) -> MissedFrames | None:
        """As the source; frames that nobody asked for are not missed."""
        missed = self._source.missed
        return missed if missed is None or self.mode is not TriggerMode.KEY else replace(missed, dropped=0)

    def describe(self) -> str:
        """Say what the source is."""
        return self._source.describe()

    def open(self) -> None:
        """Open the source.

        Raises:
            InvalidInput: ``trigger-needs-events`` when the source has no events and the mode asks for them.
            UserFacingError: as the source.
        """
        if self.mode is TriggerMode.SOURCE and not self._source.answers_events:
            raise InvalidInput("trigger-needs-events", source=self._source.describe())
        with self._changed:
            self._closed = False
            self._requests.clear()
        self._source.open()

    def trigger(self) -> None:
        """Ask for a frame that is captured from now on; each request gives one. May be called from any thread.

        Raises:
            Unavailable: ``camera-not-reachable`` when the camera is lost and would have to be asked.
        """
        if self.mode is not TriggerMode.KEY:
            super().trigger()
        self._ask()

    def read(self, timeout: float | None = None) -> Frame | None:
        """Return the next frame that counts; None when there is none within ``timeout`` or the source has ended.

        A request that has not been answered by then is answered by a later call.

        Raises:
            UnreadableImage: as the source; the image counts as the answer to its request.
        """
        if self.mode is not TriggerMode.KEY and not self._source.takes_trigger:
            return self._source.read(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        if self.mode is TriggerMode.FREE and not self._is_asked():
            try:
                self._ask()
            except Unavailable:
                # The camera is lost; whoever waits sees it in the state, and asks again with the next call.
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
        """Close the source; a read that waits to be asked ends."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._source.close()

    def _ask(self) -> None:
        asked = self._source.takes_trigger
        request = CapturedAfter(time.monotonic(), latency=0.0 if asked else self._latency, asked=asked)
        if asked:
            self._source.trigger()
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()

    def _is_asked(self) -> bool:
        """Return whether a frame is awaited; one that was asked for too long ago will not come any more."""
        with self._changed:
            if self._requests and time.monotonic() - self._requests[0].moment > self._patience:
                self._requests.popleft()
            return bool(self._requests)

    def _await_request(self, deadline: float | None) -> CapturedAfter | None:
        """Return the oldest request, which stays in its place until it is answered."""
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
