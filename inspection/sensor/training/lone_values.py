"""Single values far from all others of their sensor: a logger's slip, not an operation to learn.

One such value would widen the range that a network rebuilds, the deviation that a score counts as 1, and the errors
that a threshold is chosen from, so that every fault between the usual values and it would score as normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LEAST_KNOWN = 40
"""Values of a sensor, below which their range says little."""

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LoneRule:
    """Which values are lone.

    Attributes:
        rows: most rows that may have one, of all sensors together; more are an operation that is rare, and learned.
        gap: least gap to all others of the sensor, in ranges of these.
    """

    rows: int
    gap: float


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
    values: Matrix, columns: tuple[str, ...], rule: LoneRule
) -> tuple[Matrix, tuple[LoneValues, ...]]:
    """Return rows whose lone values are missing, the rows themselves where there are none; and what is missing.

    A sensor that has one value in nearly all rows has no lone ones.

    Args:
        values: float64 ``(n, sensors)``; NaN where missing.
        columns: names of the sensors.
        rule: what is lone.
    """
    lone = np.zeros(values.shape, np.bool_)
    found = []
    for place, column in enumerate(values.T):
        known = column[~np.isnan(column)]
        lowest, highest = _usual_range(known, rule) if len(known) >= _LEAST_KNOWN else (-np.inf, np.inf)
        lone[:, place] = (column < lowest) | (column > highest)
        if lone[:, place].any():
            far = column[lone[:, place]]
            farthest = far[np.argmax(np.abs(far - np.median(known)))]
            found.append(LoneValues(columns[place], len(far), float(farthest)))
    if not 0 < lone.any(axis=1).sum() <= rule.rows:
        return values, ()
    return np.where(lone, np.nan, values), tuple(found)


def _usual_range(known: Vector, rule: LoneRule) -> tuple[float, float]:
    """Return the least and the largest value that is not lone; infinite where none is."""
    most = min(rule.rows, len(known) // 2 - 1)
    ordered = np.sort(known)
    return -_usual_top(-ordered[::-1], most, rule.gap), _usual_top(ordered, most, rule.gap)


def _usual_top(ordered: Vector, most: int, gap: float) -> float:
    """Return the largest value below a gap among the ``most`` last ones; infinite without one.

    The range is taken without the ``most`` first ones, among which may be lone values too.
    """
    tops = ordered[-most - 1 :]
    ranges = tops[:-1] - ordered[most]
    gaps = np.flatnonzero((np.diff(tops) > gap * ranges) & (ranges > 0))
    return float(tops[gaps[0]]) if len(gaps) else np.inf
