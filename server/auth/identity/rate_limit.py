"""Limits failed sign-ins, by name and by address, with a moving window of one minute."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from models.errors import TooManyRequests

_ADDRESS_FACTOR = 10


class SignInLimiter:
    """Counts attempts that may turn out wrong; a right one gives its name free again.

    Args:
        attempts: failures a minute for one name; an address has ten times as many, as a plant may share one.
    """

    def __init__(self, attempts: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._name = RateLimitItemPerMinute(attempts)
        self._address = RateLimitItemPerMinute(attempts * _ADDRESS_FACTOR)

    def take(self, name: str, address: str) -> None:
        """Count an attempt.

        Raises:
            TooManyRequests: ``sign-in-too-often`` with the member ``retry_after`` in seconds.
        """
        for limit, key in ((self._name, f"name:{name.lower()}"), (self._address, f"address:{address}")):
            if not self._limiter.hit(limit, key):
                seconds = self._wait(limit, key)
                raise TooManyRequests("sign-in-too-often", seconds=seconds, members={"retry_after": seconds})

    def give_back(self, name: str) -> None:
        """Forget the failures of a name after a right sign-in."""
        self._limiter.clear(self._name, f"name:{name.lower()}")

    def _wait(self, limit: RateLimitItem, key: str) -> int:
        reset = self._limiter.get_window_stats(limit, key).reset_time
        return max(1, math.ceil(reset - time.time()))
