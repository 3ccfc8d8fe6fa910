"""Progress of a long command as lines, for a log or a pipe, where no bar can be drawn."""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY_S = 10.0


class ProgressLines:
    """Writes a line at most every ten seconds; a command that takes less writes none.

    Args:
        write: takes a line with its end.
        now: seconds of a clock that never goes back.
    """

    def __init__(self, write: Callable[[str], object], now: Callable[[], float] = time.monotonic) -> None:
        self._write, self._now = write, now
        self._written = now()

    def advance(self, description: str, fraction: float | None) -> None:
        """Take how far the command is: what is being done, and the fraction that is done, 0 to 1, or None."""
        now = self._now()
        if now - self._written < EVERY_S:
            return
        self._written = now
        self._write(f"{description}\n" if fraction is None else f"{description} ({fraction:.0%})\n")
