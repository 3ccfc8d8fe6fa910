"""Limits of how often something may happen; pure."""

from __future__ import annotations


class TokenBucket:
    """Lets a burst pass at once and a rate in the long run.

    Args:
        per_s: tokens that come back each second.
        burst: tokens there are at most.
    """

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._tokens = burst
        self._filled_at: float | None = None

    def take(self, now: float, tokens: float = 1.0) -> bool:
        """Take tokens and return True; without effect and False when there are not as many.

        Args:
            now: monotonic seconds.
            tokens: to take.
        """
        if self._filled_at is not None:
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_s)
        self._filled_at = now
        if tokens > self._tokens:
            return False
        self._tokens -= tokens
        return True
