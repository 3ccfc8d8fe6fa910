"""Lets a pass step aside for the work at the station: a part under inspection does not wait for a backlog.

While parts are inspected, a pass does one small step between two of them; when nobody works it goes on at full speed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

AT_WORK_S = 5.0
"""So long after the last part somebody still counts as working."""
LONGEST_WAIT_S = 0.5


class Courtesy:
    """Knows whether something is worked on; safe to use from several threads.

    Args:
        monotonic: a monotonic clock, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._working = 0
        self._ended = 0
        self._used = 0
        self._ended_at = float("-inf")

    @contextmanager
    def working(self) -> Iterator[None]:
        """Mark the block as work that a pass steps aside for."""
        with self._changed:
            self._working += 1
        try:
            yield
        finally:
            with self._changed:
                self._working -= 1
                self._ended += 1
                self._ended_at = self._monotonic()
                self._changed.notify_all()

    @property
    def at_work(self) -> bool:
        """Whether something is worked on, or was a moment ago."""
        with self._changed:
            return self._is_at_work()

    def step_aside(self, longest_s: float = LONGEST_WAIT_S) -> None:
        """Wait for the end of what is worked on, at most ``longest_s`` seconds; each end lets one step begin."""
        with self._changed:
            if self._is_at_work():
                self._changed.wait_for(self._has_room, longest_s)
            self._used = self._ended

    def _is_at_work(self) -> bool:
        return self._working > 0 or self._monotonic() - self._ended_at < AT_WORK_S

    def _has_room(self) -> bool:
        return not self._working and self._ended > self._used
