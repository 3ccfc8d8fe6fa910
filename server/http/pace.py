"""How much of the time heavy reads may take while there are others, so that these find the interpreter free."""

from __future__ import annotations

import math


class Pace:
    """Tells how long work rests so that in the long run it takes a share of the time; a burst goes without rests.

    It rests for others: where nobody has asked for anything else of late, work goes on at once.

    A leaky bucket (the generic cell rate algorithm, ITU-T I.371), filled by what work costs. Work that costs more than
    ``longest_rest_s`` allows for takes a greater share: nobody waits longer than that for the rests of others.

    Args:
        share: of the time, 0 to 1.
        burst_s: seconds of work that begin without a rest after a time without any.
        longest_rest_s: the most seconds between two pieces of work, whatever they cost.
        alone_s: seconds without other requests after which there is nobody to rest for.
    """

    def __init__(self, share: float, burst_s: float, longest_rest_s: float, alone_s: float) -> None:
        self._share = share
        self._ahead_s = burst_s / share
        self._longest_rest_s = longest_rest_s
        self._alone_s = alone_s
        self._paid_at = 0.0
        self._others_at = -math.inf

    def others_ask(self, now: float) -> None:
        """Count a request that the work would hold up.

        Args:
            now: seconds of a monotonic clock.
        """
        self._others_at = now

    def rest_s(self, now: float) -> float:
        """Return for how many seconds work must rest before it begins.

        Args:
            now: seconds of the same clock.
        """
        if now - self._others_at > self._alone_s:
            return 0.0
        return max(0.0, self._paid_at - self._ahead_s - now)

    def took(self, cost_s: float, began: float, ended: float) -> None:
        """Count work that has ended.

        Args:
            cost_s: seconds that count for it.
            began: when, in seconds of the same clock.
            ended: when.
        """
        paid_at = max(self._paid_at, began) + cost_s / self._share
        self._paid_at = min(paid_at, ended + self._ahead_s + self._longest_rest_s)
