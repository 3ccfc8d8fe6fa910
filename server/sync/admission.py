"""How many requests of stations are under way at once; the others are asked to come again, at different times.

Two hundred stations that come back after a power cut would otherwise all wait, each longer than it is patient for, and
ask again while the server still works on what nobody waits for any more.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from models.errors import TooManyRequests

MOST_AT_ONCE = 12
"""Fewer than a process has threads that write: people's requests find one while stations queue."""
_SHORTEST_S, _LONGEST_S = 1, 30
_REMEMBERED_S = 5.0


class Admission:
    """Counts requests; safe to use from several threads.

    Args:
        most: requests at once.
        monotonic: a monotonic clock, in seconds.
    """

    def __init__(self, most: int = MOST_AT_ONCE, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._under_way = 0
        self._refused: deque[float] = deque()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count a request while the block runs.

        Raises:
            TooManyRequests: ``sync-busy`` with the member ``retry_after``, in seconds.
        """
        with self._lock:
            if self._under_way >= self._most:
                wait = self._seconds_to_wait()
                raise TooManyRequests("sync-busy", members={"retry_after": wait}, seconds=wait)
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def _seconds_to_wait(self) -> int:
        """Return the longer a time the more were refused lately, so that not all come again together."""
        now = self._monotonic()
        self._refused.append(now)
        while self._refused[0] < now - _REMEMBERED_S:
            self._refused.popleft()
        return min(_LONGEST_S, _SHORTEST_S + math.floor(len(self._refused) / self._most))
