"""How much of the time heavy reads may take, so that light requests find the interpreter free."""

from __future__ import annotations


class Pace:
    """Tells how long work rests so that in the long run it takes a share of the time; a burst goes without rests.

    A leaky bucket (the generic cell rate algorithm, ITU-T I.371), filled by what work costs.

    Args:
        share: of the time, 0 to 1.
        burst_s: seconds of work that begin without a rest after a time without any.
    """

    def __init__(self, share: float, burst_s: float) -> None:
        self._share = share
        self._ahead_s = burst_s / share
        self._paid_at = 0.0

    def rest_s(self, now: float) -> float:
        """Return for how many seconds work must rest before it begins.

        Args:
            now: seconds of a monotonic clock.
        """
        return max(0.0, self._paid_at - self._ahead_s - now)

    def took(self, cost_s: float, now: float) -> None:
        """Count work that has ended.

        Args:
            cost_s: seconds that count for it.
            now: seconds of the same clock.
        """
        self._paid_at = max(self._paid_at, now) + cost_s / self._share
