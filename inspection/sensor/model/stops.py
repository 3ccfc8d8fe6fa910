"""Rows in which a machine stands still, as it does in normal operation: they are not compared with running ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Stops:
    """How the stops of a machine look.

    Attributes:
        shown: bool ``(sensors,)``: which sensors show that the machine stands still.
        below: float64 ``(sensors,)``: it may do from the row on in which all of these lie below.
        release: float64 ``(sensors,)``, no less than ``below``: it runs again where any of these lies above.
        longest: rows of a stop; a longer one is judged again.
        floor: float64 ``(sensors,)``, no more than ``below``: it does where all of these have come below.
        entering: rows within which they must have; else these are no stop, and judged again.
    """

    shown: Mask
    below: Vector
    release: Vector
    longest: int
    floor: Vector
    entering: int

    def mask(self, values: Matrix, stopped: int) -> tuple[Mask, int]:
        """Return which rows belong to a stop, bool ``(rows,)``, and how far the stop is that has not ended.

        The rows of a stop whose floor has not been reached are counted below 0, those of one that is judged from
        ``longest`` on.
        """
        out = np.zeros(len(values), np.bool_)
        of_shown = values[:, self.shown]
        low = np.all(of_shown < self.below[self.shown], axis=1)
        if not stopped and not low.any():
            return out, 0
        high = np.any(of_shown > self.release[self.shown], axis=1)
        floor = np.all(of_shown < self.floor[self.shown], axis=1)
        for row, (enters, leaves, reached) in enumerate(zip(low.tolist(), high.tolist(), floor.tolist(), strict=True)):
            stopped = self._next(stopped, enters=enters, leaves=leaves, reached=reached)
            out[row] = stopped != 0 and -self.entering <= stopped <= self.longest
        return out, stopped

    def _next(self, stopped: int, *, enters: bool, leaves: bool, reached: bool) -> int:
        """Return the number of rows of a stop after a further row."""
        if leaves or not (stopped or enters):
            return 0
        if stopped > 0:
            return stopped + 1
        if reached:
            return 1 - stopped if -stopped <= self.entering else 1
        return max(stopped, -self.entering) - 1
