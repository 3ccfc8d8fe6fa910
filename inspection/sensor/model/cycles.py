"""Cycles that sensors repeat: those of a machine, the day, the week."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

_CLIPPED = 5.0
"""Usual deviations beyond the range of the cycles at which rows are clipped while their place is sought."""
_MOST_VALUES = 65_536
"""Values of the rows by which the place is sought: half a mebibyte."""
_MOST_TURNS = 10

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


def moved(cycles: tuple[Cycle, ...], offsets: Vector) -> tuple[Cycle, ...]:
    """Return cycles that are further on by offsets ``(cycles,)``, in rows."""
    return tuple(
        replace(cycle, shift=cycle.shift + offset) for cycle, offset in zip(cycles, offsets.tolist(), strict=True)
    )


def rows_to_align(cycles: tuple[Cycle, ...], sensors: int) -> int:
    """Return how many rows without times show the place in the cycles; 0 without cycles.

    Those of the longest cycle, but no more than hold ``_MOST_VALUES`` values, since a stream stores them.
    """
    longest = int(np.ceil(max((cycle.period for cycle in cycles), default=0.0)))
    return min(longest, _MOST_VALUES // sensors)


def align(cycles: tuple[Cycle, ...], spread: Vector, values: Matrix) -> Vector:
    """Return the offsets at which the cycles fit the first rows of a table without times best, float64 ``(cycles,)``.

    Cycles that do not depend on each other can meet in any way, so each has an offset of its own. It is sought in what
    the others leave, in turn until none changes (backfitting). A machine that runs elsewhere than in the training has
    its cycles nevertheless: each sensor is compared without its mean. Outliers are clipped.

    Args:
        cycles: of the model.
        spread: float64 ``(sensors,)``, above 0, by which the sensors are weighed.
        values: float64 ``(rows, sensors)``; NaN where missing.
    """
    first = values[: rows_to_align(cycles, values.shape[1])] / spread
    profiles = [cycle.profile / spread for cycle in cycles]
    offsets = np.zeros(len(cycles))
    if not len(first):
        return offsets
    known = ~np.isnan(first)
    first = np.where(known, first - _medians(first, known), 0.0)
    most = sum((np.ptp(profile, axis=0) for profile in profiles), np.full(values.shape[1], _CLIPPED))
    left = np.clip(first, -most, most)
    rows = np.arange(len(first), dtype=np.float64)
    parts = [np.zeros_like(left) for _ in cycles]
    largest_first = sorted(range(len(cycles)), key=lambda place: -float(np.square(profiles[place]).mean(axis=0).sum()))
    for turn in range(_MOST_TURNS):
        before = offsets.copy()
        for place in largest_first:
            cycle, profile = cycles[place], profiles[place]
            left = left + parts[place]
            course = np.arange(int(np.ceil(cycle.period)) + len(rows) - 1, dtype=np.float64)
            offsets[place] = _best_start(left, known, profile[cycle.phases(course)])
            parts[place] = np.where(known, profile[cycle.phases(rows + offsets[place])], 0.0)
            left = left - parts[place]
        if turn and (offsets == before).all():
            break
    return offsets


def _medians(rows: Matrix, known: NDArray[np.bool_]) -> Vector:
    """Return the median of the known rows of each column; 0 without one."""
    pairs = zip(rows.T, known.T, strict=True)
    return np.array([np.median(column[there]) if there.any() else 0.0 for column, there in pairs])


def _best_start(rows: Matrix, known: NDArray[np.bool_], course: Matrix) -> float:
    """Return the row of a course at which a part as long as ``rows`` fits them best."""
    errors = np.zeros(len(course) - len(rows) + 1)
    for column, there, wanted in zip(rows.T, known.T, course.T, strict=True):
        if there.any():
            errors += _square_sums(column, there, wanted)
    # Starts that are equal but for the rounding of the transform: the first one.
    return float(np.flatnonzero(errors <= errors.min() + 1e-9 * max(float(np.ptp(errors)), 1e-12))[0])


def _square_sums(above: Vector, known: NDArray[np.bool_], wanted: Vector) -> Vector:
    """Return the variance of what rows lie above each part of ``wanted`` as long, times the number of known rows.

    The sums of squares of all parts are cross-correlations, computed by FFT.
    """
    size = 1 << (len(wanted) + len(above)).bit_length()
    mask = known.astype(np.float64)

    def products(rows: Vector, course: Vector) -> Vector:
        transformed = np.conj(np.fft.rfft(rows, size)) * np.fft.rfft(course, size)
        return np.asarray(np.fft.irfft(transformed, size)[: len(wanted) - len(above) + 1])

    squares = np.square(above).sum() - 2 * products(above, wanted) + products(mask, np.square(wanted))
    return np.asarray(squares - np.square(above.sum() - products(mask, wanted)) / mask.sum(), np.float64)
