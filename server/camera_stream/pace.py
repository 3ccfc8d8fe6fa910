"""How old a frame of a stream is, and how old it may be; pure."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from statistics import median

MOST_PERIODS = 2.0
"""Periods after which a frame is out of date: two later ones have come, or should have."""
FIRST_PERIOD_S = 1.0
"""Assumed until two frames have come."""
MOST_FPS = 120
"""Frames a second that are taken in the long run; a source that sends more is no camera."""
_REMEMBERED = 32
_CLOCK_STEP_S = 10.0
"""A frame that seems to have travelled longer than this comes from a source whose clock was set."""


class Pace:
    """The period of a stream, from its frames so far.

    The period is the longer one of two: that of the source, and the time that the pipeline takes for a frame. So a
    pipeline that is slower than its camera still shows frames, the newest it can.

    Args:
        fps: frames a second that the source claims; None takes what arrives.
    """

    def __init__(self, fps: float | None = None) -> None:
        self._claimed_s = None if fps is None else 1.0 / fps
        self._arrivals: deque[float] = deque(maxlen=_REMEMBERED)
        self._took: deque[float] = deque(maxlen=_REMEMBERED)
        self._offsets: deque[float] = deque(maxlen=_REMEMBERED)

    @property
    def period_s(self) -> float:
        """The period, in seconds."""
        return max(self._source_period_s, median(self._took) if self._took else 0.0)

    def arrived(self, now: float, timestamp_ms: int) -> float:
        """Note a frame, and return when it was captured, on the clock of ``now``.

        The clock of the source is not that of this computer. The frame that travelled fastest of the last ones is
        taken to have needed no time, so only delays beyond its own are seen.

        Args:
            now: monotonic seconds.
            timestamp_ms: of the capture, on the clock of the source; 0 when it gives none.
        """
        self._arrivals.append(now)
        if timestamp_ms <= 0:
            return now
        offset = now - timestamp_ms / 1000
        if self._offsets and abs(offset - min(self._offsets)) > _CLOCK_STEP_S:
            self._offsets.clear()
        self._offsets.append(offset)
        return timestamp_ms / 1000 + min(self._offsets)

    def took(self, seconds: float) -> None:
        """Note how long the pipeline took for a frame."""
        self._took.append(seconds)

    def is_out_of_date(self, captured_at: float, now: float) -> bool:
        """Return whether a frame is older than two periods."""
        return now - captured_at > MOST_PERIODS * self.period_s

    @property
    def _source_period_s(self) -> float:
        if self._claimed_s is not None:
            return self._claimed_s
        between = [later - earlier for earlier, later in pairwise(self._arrivals)]
        return max(median(between), 1 / MOST_FPS) if between else FIRST_PERIOD_S
