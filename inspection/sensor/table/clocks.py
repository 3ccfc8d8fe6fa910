"""Columns of numbers that are clocks or counters: every later row lies outside what they were in training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_MIN_ROWS = 20
_MIN_STEPS = 10
_MIN_ONE_WAY = 100
"""Moves without one back from which on a column is a counter, such as one of hours or of energy; a sensor has noise."""
_FORWARD, _REGULAR, _MOSTLY_FORWARD = 0.98, 0.9, 0.9
_SINCE_1970 = (1.0e9, 2.2e9)
"""Seconds since 1970 in the years 2001 to 2039; also in milliseconds, microseconds and nanoseconds."""
_EXCEL_DAYS = (36_526.0, 54_789.0)
"""Days since 1900 in the years 2000 to 2049."""

Vector = NDArray[np.float64]


def is_clock(column: Vector) -> bool:
    """Return whether a column goes one way as a clock or a counter does.

    It does when every row differs from the one before in the same direction; when a hundred moves go the same way,
    however often the value repeats in between; when whole numbers, or days as Excel
    counts them, advance by equal steps, which may repeat (two rows a second), be set back or start again at times; when
    all values are times since 1970 and most are later than the one before.

    Args:
        column: float64 ``(rows,)``; NaN where a value is missing.
    """
    values = column[~np.isnan(column)]
    if len(values) < _MIN_ROWS:
        return False
    steps = np.diff(values)
    moves = steps[steps != 0]
    if not len(moves):
        return False
    upwards = float((moves > 0).mean())
    forward = max(upwards, 1 - upwards)
    if forward == 1 and (len(moves) == len(steps) or len(moves) >= _MIN_ONE_WAY):
        return True
    if _is_since_1970(values) and upwards >= _MOSTLY_FORWARD:
        return True
    whole = bool((values == np.rint(values)).all())
    if not (whole or _within(values, _EXCEL_DAYS)) or forward < _FORWARD or len(moves) < _MIN_STEPS:
        return False
    usual = float(np.median(moves))
    # Days are rounded, to five decimals by some.
    tolerance = 0.0 if whole else abs(usual)
    return float((np.abs(moves - usual) <= tolerance).mean()) >= _REGULAR


def _is_since_1970(values: Vector) -> bool:
    return any(_within(values / unit, _SINCE_1970) for unit in (1.0, 1e3, 1e6, 1e9))


def _within(values: Vector, bounds: tuple[float, float]) -> bool:
    return bool(bounds[0] <= values.min() and values.max() <= bounds[1])
