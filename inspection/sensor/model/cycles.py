"""Cycles that sensors repeat: those of a machine, the day, the week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CLIPPED = 5.0
"""Usual deviations beyond the range of the cycles at which rows are clipped while their start is sought."""

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


def rows_of_first_cycle(cycles: tuple[Cycle, ...]) -> int:
    """Return how many rows without times show the place in the cycles: those of the longest one; 0 without cycles."""
    return int(np.ceil(max((cycle.period for cycle in cycles), default=0.0)))


def best_start(cycles: tuple[Cycle, ...], spread: Vector, values: Matrix) -> float:
    """Return the position of the first row of rows without times: where the cycles fit their first cycle best.

    The sums of squares of all starts are cross-correlations, computed by FFT. A machine that runs elsewhere than in the
    training has its cycles nevertheless: each sensor is compared without its mean. Outliers are clipped.

    Args:
        cycles: of the model.
        spread: float64 ``(sensors,)``, above 0, by which the sensors are weighed.
        values: float64 ``(rows, sensors)``; NaN where missing.
    """
    starts = rows_of_first_cycle(cycles)
    first = values[:starts]
    if not len(first):
        return 0.0
    course = expected(cycles, np.zeros(values.shape[1]), np.arange(starts + len(first) - 1, dtype=np.float64))
    errors = np.zeros(starts)
    for column, wanted, scale in zip(first.T, course.T, spread.tolist(), strict=True):
        known = ~np.isnan(column)
        if known.any():
            most = float(np.ptp(wanted)) + _CLIPPED * scale
            above = np.clip(np.where(known, column - np.median(column[known]), 0.0), -most, most)
            errors += _square_sums(above, known, wanted) / scale**2
    # Starts that are equal but for the rounding of the transform: the first one.
    return float(np.flatnonzero(errors <= errors.min() + 1e-9 * max(float(np.ptp(errors)), 1e-12))[0])


def _square_sums(above: Vector, known: NDArray[np.bool_], wanted: Vector) -> Vector:
    """Return the variance of what rows lie above each part of ``wanted`` as long, times the number of known rows."""
    size = len(wanted) + len(above)
    mask = known.astype(np.float64)

    def products(rows: Vector, course: Vector) -> Vector:
        transformed = np.conj(np.fft.rfft(rows, size)) * np.fft.rfft(course, size)
        return np.asarray(np.fft.irfft(transformed, size)[: len(wanted) - len(above) + 1])

    squares = np.square(above).sum() - 2 * products(above, wanted) + products(mask, np.square(wanted))
    return np.asarray(squares - np.square(above.sum() - products(mask, wanted)) / mask.sum(), np.float64)
