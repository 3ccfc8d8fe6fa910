"""Cycles that sensors repeat: those of a machine, the day, the week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cycle:
    """What the sensors do, on average, in the course of one cycle.

    Attributes:
        period: rows of a cycle.
        shift: rows from the beginning of a cycle to the position 0.
        profile: float64 ``(phases, sensors)``, added to what is expected.
    """

    period: float
    shift: float
    profile: Matrix

    def phases(self, positions: Vector) -> NDArray[np.int64]:
        """Return the place of each row in the cycle, an index of the profile, int64 ``(rows,)``."""
        return phases_of(positions, self.period, self.shift, len(self.profile))


def phases_of(positions: Vector, period: float, shift: float, phases: int) -> NDArray[np.int64]:
    """Return the phase of each position, 0 to ``phases`` less 1, int64 ``(rows,)``."""
    # A row that stands on the edge of a phase belongs to it, whichever way its time was rounded.
    place = np.floor(((positions + shift) / period % 1.0) * phases + 1e-6).astype(np.int64)
    return np.asarray(place % phases, np.int64)


def expected(cycles: tuple[Cycle, ...], mean: Vector, positions: Vector) -> Matrix:
    """Return what is expected at positions, float64 ``(rows, sensors)``."""
    out = np.tile(mean, (len(positions), 1))
    for cycle in cycles:
        out += cycle.profile[cycle.phases(positions)]
    return out


def best_start(cycles: tuple[Cycle, ...], mean: Vector, spread: Vector, values: Matrix) -> float:
    """Return the position of the first row of a table without times: where the cycles fit its first rows best.

    Args:
        cycles: of the model.
        mean: float64 ``(sensors,)``.
        spread: float64 ``(sensors,)``, above 0, by which the sensors are weighed.
        values: float64 ``(rows, sensors)``; NaN where missing.
    """
    if not cycles:
        return 0.0
    longest = max(cycle.period for cycle in cycles)
    first = values[: int(np.ceil(2 * longest))]
    steps = np.arange(len(first), dtype=np.float64)
    errors = []
    for start in range(int(np.ceil(longest))):
        off = (first - expected(cycles, mean, steps + start)) / spread
        # A machine that runs elsewhere than in the training has its cycles nevertheless.
        errors.append(float(np.nan_to_num(np.abs(off - np.nan_to_num(np.nanmedian(off, axis=0)))).sum()))
    return float(np.argmin(errors))
