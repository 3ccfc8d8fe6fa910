"""Times of arrival on the monotonic clock, of images that a library dates by the wall clock."""

from __future__ import annotations

import time
from collections.abc import Callable

_READINGS = 3


def both_clocks(
    monotonic_clock: Callable[[], float] = time.monotonic, wall_clock_ns: Callable[[], int] = time.time_ns
) -> tuple[float, int]:
    """Return the monotonic clock, seconds, and the wall clock, nanoseconds, of one moment.

    Of three readings it is the one that took the shortest time: whoever is held up between two clocks reads different
    moments.
    """
    readings = []
    for _ in range(_READINGS):
        before, wall_ns, after = monotonic_clock(), wall_clock_ns(), monotonic_clock()
        readings.append((after - before, after, wall_ns))
    _, monotonic, wall_ns = min(readings)
    return monotonic, wall_ns


class ArrivalClock:
    """Dates images by the monotonic clock, none before its predecessor and none in the future.

    A wall clock that is set meanwhile makes an image at most as old as the image before it.

    Args:
        read: returns the monotonic clock, seconds, and the wall clock, nanoseconds, of one moment.
    """

    def __init__(self, read: Callable[[], tuple[float, int]] = both_clocks) -> None:
        self._read = read
        self._last, _ = read()

    def arrival(self, wall_ns: int) -> float:
        """Return when an image arrived, on the monotonic clock.

        Args:
            wall_ns: its arrival on the wall clock, nanoseconds since the epoch.
        """
        now, wall_now_ns = self._read()
        self._last = min(now, max(self._last, now - (wall_now_ns - wall_ns) / 1e9))
        return self._last
