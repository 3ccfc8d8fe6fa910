"""The first attempts at services of this process that a walk's threads make: each is given up at its deadline."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from server.services.embedded import EmbeddedCall


@dataclass(frozen=True, slots=True, eq=False)
class _FirstAttempt:
    """One that a thread makes.

    Attributes:
        call: whose first attempt it is.
        go_on: makes the further ones.
        deadline: on the clock of ``FirstAttempts``.
    """

    call: EmbeddedCall
    go_on: Callable[[], object]
    deadline: float


class FirstAttempts:
    """The first attempts of one walk that are under way.

    Args:
        lock: of the walk.
        require_going_on: raises when the walk has ended; the lock is held.
        clock: seconds.
    """

    def __init__(
        self,
        lock: threading.Lock,
        require_going_on: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = lock
        self._require_going_on = require_going_on
        self._clock = clock
        self._under_way: set[_FirstAttempt] = set()
        self._next_look: asyncio.TimerHandle | None = None

    @contextmanager
    def under_way(self, call: EmbeddedCall, go_on: Callable[[], object]) -> Iterator[None]:
        """Let a first attempt be given up at its deadline within the block, and at the walk's end; on a thread.

        Args:
            call: whose first attempt the block makes.
            go_on: called in the event loop when the attempt was given up at its deadline.

        Raises:
            ImageFlowError: as ``require_going_on``; the block does not begin.
        """
        with self._lock:
            self._require_going_on()
            attempt = _FirstAttempt(call, go_on, self._clock() + call.timeout_s)
            self._under_way.add(attempt)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.remove(attempt)

    def give_up_overdue(self, shortest_s: float) -> None:
        """Give up attempts whose deadline has passed, now and from then on until ``abandon``; in the event loop.

        Args:
            shortest_s: the shortest deadline of any attempt of the walk, seconds.
        """
        now = self._clock()
        for attempt in list(self._under_way):  # Threads change it meanwhile.
            if attempt.deadline <= now and attempt.call.overdue():
                attempt.go_on()
        # One that begins from now on is not overdue before the shortest deadline has passed.
        left_s = [attempt.deadline - now for attempt in list(self._under_way) if attempt.deadline > now]
        delay_s = min([shortest_s, *left_s])
        self._next_look = asyncio.get_running_loop().call_later(delay_s, self.give_up_overdue, shortest_s)

    def abandon(self) -> None:
        """Give up all attempts, since nobody waits for them; in the event loop, once the walk has ended."""
        if self._next_look is not None:
            self._next_look.cancel()
        for attempt in list(self._under_way):  # No other one joins: the walk has ended.
            attempt.call.abandon()
