"""The circuit breaker of a replica (Nygard, Release It!): stops calling what fails, and tries again later."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum

FAILURES = 5
OPEN_S = 30.0


class CircuitState(StrEnum):
    """Closed lets calls through, open none, half open one that decides."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Circuit:
    """Opens after failures in a row, and lets one call through when it has been open for a while.

    What a call says counts only in the period that it began in: a late answer of an older one neither closes nor opens
    the circuit. A period ends when the circuit opens, closes, or lets a call through that decides. Safe to use from
    several threads.

    Args:
        clock: seconds, never going back.
        failures: in a row that open it.
        open_s: how long it stays open.
    """

    def __init__(self, clock: Callable[[], float], failures: int = FAILURES, open_s: float = OPEN_S) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._most = failures
        self._open_s = open_s
        self._failures = 0
        self._opened: float | None = None
        self._trying = False
        self._period = 0

    @property
    def state(self) -> CircuitState:
        """The state now."""
        opened = self._opened  # Once: another thread may close it meanwhile.
        if opened is None:
            return CircuitState.CLOSED
        return CircuitState.HALF_OPEN if self._clock() - opened >= self._open_s else CircuitState.OPEN

    @property
    def allows(self) -> bool:
        """Whether a call may begin now."""
        state = self.state
        return state is CircuitState.CLOSED or (state is CircuitState.HALF_OPEN and not self._trying)

    def begin(self) -> int | None:
        """Return the period that a call begins in, to be given back with its end; None when no call may begin now.

        The call that begins while the circuit is half open decides.
        """
        with self._lock:
            if not self.allows:
                return None
            if self._opened is not None:
                self._trying = True
                self._period += 1
            return self._period

    def succeed(self, period: int) -> None:
        """Note that a call was answered: close."""
        with self._lock:
            if period != self._period:
                return
            self._failures = 0
            if self._trying:
                self._opened, self._trying = None, False
                self._period += 1

    def fail(self, period: int) -> None:
        """Note that a call failed: open after too many in a row, or again when it was the one that decides."""
        with self._lock:
            if period != self._period:
                return
            self._failures += 1
            if self._trying or self._failures >= self._most:
                self._opened, self._trying = self._clock(), False
                self._period += 1

    def abandon(self, period: int) -> None:
        """Note that a call ended without saying anything of the replica, as one that was cancelled."""
        with self._lock:
            if period == self._period:
                self._trying = False

    @property
    def seconds_until_tried(self) -> float:
        """Seconds until an open circuit lets a call through; 0 when it is not open."""
        opened = self._opened
        return 0.0 if opened is None else max(0.0, opened + self._open_s - self._clock())
