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
        below: float64 ``(sensors,)``: it does from the row on in which all of these lie below.
        release: float64 ``(sensors,)``, no less than ``below``: it runs again where any of these lies above.
        longest: rows of a stop; a longer one is judged again.
    """

    shown: Mask
    below: Vector
    release: Vector
    longest: int

    def running(self, values: Matrix, stopped: int) -> tuple[Matrix, int]:
        """Return rows with those of a stop missing, and the rows of the stop that has not ended yet.

        Args:
            values: float64 ``(rows, sensors)``; NaN where missing.
            stopped: rows of the stop that has not ended before.
        """
        masked, stopped = self.mask(values, stopped)
        return (np.where(masked[:, None], np.nan, values) if masked.any() else values), stopped

    def mask(self, values: Matrix, stopped: int) -> tuple[Mask, int]:
        """Return which rows belong to a stop, bool ``(rows,)``, and what ``running`` returns of the last one."""
        out = np.zeros(len(values), np.bool_)
        low = np.all(values[:, self.shown] < self.below[self.shown], axis=1)
        if not stopped and not low.any():
            return out, 0
        high = np.any(values[:, self.shown] > self.release[self.shown], axis=1)
        for row, (enters, leaves) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
            stopped = stopped + 1 if (stopped and not leaves) or enters else 0
            out[row] = 0 < stopped <= self.longest
        return out, stopped
