"""Single values far from all others of their sensor: a logger's slip, not an operation to learn.

One such value would widen the range that a network rebuilds, the deviation that a score counts as 1, and the errors
that a threshold is chosen from, so that every fault between the usual values and it would score as normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_GAP = 5.0
"""Least gap to all others, in ranges of these: heavy tails leave such a gap in a few tables of a hundred."""
_LEAST_KNOWN = 40
"""Values of a sensor, below which their range says little."""

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LoneValues:
    """The values of one sensor that are not learned.

    Attributes:
        column: name of the sensor.
        count: how many there are.
        farthest: the one that lies furthest from the others.
    """

    column: str
    count: int
    farthest: float


def without_lone_values(
    values: Matrix, columns: tuple[str, ...], share: float
) -> tuple[Matrix, tuple[LoneValues, ...]]:
    """Return rows whose lone values are missing, the rows themselves where there are none; and what is missing.

    Values are lone where the gap between them and all others of their sensor is five times as wide as the range of
    these. A sensor that has one value in nearly all rows has none. Where more rows have one than a share, or than a
    single row, they are taken for an operation that is rare, and learned.

    Args:
        values: float64 ``(n, sensors)``; NaN where missing.
        columns: names of the sensors.
        share: most of the rows that may have a lone value, of all sensors together.
    """
    most = max(int(share * len(values)), 1)
    lone = np.zeros(values.shape, np.bool_)
    found = []
    for place, column in enumerate(values.T):
        known = column[~np.isnan(column)]
        lowest, highest = _usual_range(known, most) if len(known) >= _LEAST_KNOWN else (-np.inf, np.inf)
        lone[:, place] = (column < lowest) | (column > highest)
        if lone[:, place].any():
            far = column[lone[:, place]]
            farthest = far[np.argmax(np.abs(far - np.median(known)))]
            found.append(LoneValues(columns[place], len(far), float(farthest)))
    if not 0 < lone.any(axis=1).sum() <= most:
        return values, ()
    return np.where(lone, np.nan, values), tuple(found)


def _usual_range(known: Vector, most: int) -> tuple[float, float]:
    """Return the least and the largest value that is not lone, of which there are ``most`` at most; infinite if all."""
    most = min(most, len(known) // 2 - 1)
    ordered = np.sort(known)
    return -_usual_top(-ordered[::-1], most), _usual_top(ordered, most)


def _usual_top(ordered: Vector, most: int) -> float:
    """Return the largest value below a gap among the ``most`` last ones; infinite without one.

    The range is taken without the ``most`` first ones, among which may be lone values too.
    """
    tops = ordered[-most - 1 :]
    ranges = tops[:-1] - ordered[most]
    gaps = np.flatnonzero((np.diff(tops) > _GAP * ranges) & (ranges > 0))
    return float(tops[gaps[0]]) if len(gaps) else np.inf
