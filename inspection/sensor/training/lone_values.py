"""Single values far from all others of their sensor: a logger's slip, not an operation to learn.

One such value would widen the range that a network rebuilds, the deviation that a score counts as 1, and the errors
that a threshold is chosen from, so that every fault between the usual values and it would score as normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST = 0.005
"""Share of a sensor's values, one at least; more of them are taken for a mode of operation that is rare."""

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


def without_lone_values(values: Matrix, columns: tuple[str, ...]) -> tuple[Matrix, tuple[LoneValues, ...]]:
    """Return rows whose lone values are missing, the rows themselves where there are none; and what is missing.

    Values are lone where the gap between them and all others of their sensor is wider than the range of these, and
    where they are no more than one in 200, or the only one. A sensor that has one value in nearly all rows has none.

    Args:
        values: float64 ``(n, sensors)``; NaN where missing.
        columns: names of the sensors.
    """
    found, kept = [], values
    for place, column in enumerate(values.T):
        lowest, highest = _usual_range(column[~np.isnan(column)])
        lone = (column < lowest) | (column > highest)
        if lone.any():
            kept = values.copy() if kept is values else kept
            kept[lone, place] = np.nan
            middle = (lowest + highest) / 2
            farthest = column[lone][np.argmax(np.abs(column[lone] - middle))]
            found.append(LoneValues(columns[place], int(lone.sum()), float(farthest)))
    return kept, tuple(found)


def _usual_range(known: Vector) -> tuple[float, float]:
    """Return the least and the largest value that is not lone; infinite where all may be."""
    most = max(int(_MOST * len(known)), 1)
    ordered = np.sort(known)
    return -_usual_top(-ordered[::-1], most), _usual_top(ordered, most)


def _usual_top(ordered: Vector, most: int) -> float:
    """Return the largest value below a gap among the ``most`` last ones; infinite without one.

    The range is taken without the ``most`` first ones, among which may be lone values too.
    """
    tops = ordered[-most - 1 :]
    ranges = tops[:-1] - ordered[most]
    gaps = np.flatnonzero((np.diff(tops) > ranges) & (ranges > 0))
    return float(tops[gaps[0]]) if len(gaps) else np.inf
