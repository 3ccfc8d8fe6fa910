"""Suspicious properties of training rows: placeholder numbers, counters, labels, rows out of order."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.table.clocks import is_clock
from inspection.sensor.table.reading import SensorTable

_NINES = re.compile(r"-?9{2,}(\.(0|9+|25))?")
_FULL_SCALE = frozenset({32767.0, -32768.0, 65535.0, 2147483647.0, -2147483648.0, 4294967295.0})
_LABEL = re.compile(
    r"anomal|label|change.?point|(?<![a-z])(target|class|outlier|fault|failure|defect|is.?normal)(?![a-rt-z])"
    r"|異常|ラベル|正解|変化点|故障|不良|外れ値",
    re.IGNORECASE,
)
_MAX_BACKWARD = 0.01
_MAX_PASSES = 8
_DAY_S = 86_400.0

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NaValue:
    """A number that probably represents a missing value.

    Attributes:
        column: name of the column.
        value: the number.
        rows: number of its occurrences.
    """

    column: str
    value: float
    rows: int


@dataclass(frozen=True, slots=True)
class DataWarnings:
    """Properties of a table to inspect before trusting a model of its rows.

    Attributes:
        na_values: numbers such as -999, far from all other values of their column.
        counters: clocks and counters, as ``is_clock`` recognises them.
        labels: columns of 0 and 1 only with the name of a label, which would be learned as sensors.
        backward: number of rows earlier than the one before, if more than 1 %; else 0.
        mostly_missing: names of columns without a value in more than half of the rows, and the number of these.
    """

    na_values: tuple[NaValue, ...]
    counters: tuple[str, ...]
    labels: tuple[str, ...]
    backward: int
    mostly_missing: tuple[tuple[str, int], ...]


def find_data_warnings(table: SensorTable) -> DataWarnings:
    """Return the warnings for the rows of a table."""
    return DataWarnings(
        na_values=tuple(
            NaValue(name, value, rows)
            for name, column in zip(table.columns, table.values.T, strict=True)
            for value, rows in _na_values(column[~np.isnan(column)])
        ),
        counters=tuple(name for name, column in zip(table.columns, table.values.T, strict=True) if is_clock(column)),
        labels=tuple(
            name
            for name, column in zip(table.columns, table.values.T, strict=True)
            if _is_label(name, column[~np.isnan(column)])
        ),
        backward=_backward(table.seconds),
        mostly_missing=tuple(
            (name, int(missing))
            for name, missing in zip(table.columns, np.isnan(table.values).sum(axis=0), strict=True)
            if 2 * missing > len(table.values)
        ),
    )


def _na_values(values: Vector) -> list[tuple[float, int]]:
    """Return typical placeholder numbers whose distance to all other values exceeds the range of those."""
    found: list[tuple[float, int]] = []
    for _ in range(_MAX_PASSES):
        if not len(values):
            break
        for extreme in (float(values.min()), float(values.max())):
            rest = values[values != extreme]
            if not (_is_placeholder(extreme) and len(rest)):
                continue
            low, high = float(rest.min()), float(rest.max())
            if max(low - extreme, extreme - high) > high - low:
                found.append((extreme, len(values) - len(rest)))
                values = rest
                break
        else:
            break
    return found


def _is_placeholder(value: float) -> bool:
    return value in _FULL_SCALE or _NINES.fullmatch(repr(value)) is not None


def _is_label(name: str, values: Vector) -> bool:
    return _LABEL.search(name) is not None and bool(len(values)) and bool(np.isin(values, (0.0, 1.0)).all())


def rows_going_back(seconds: Vector | None) -> int:
    """Return how many rows are earlier than the one before; a time of day that passes midnight is not.

    Args:
        seconds: of a table, float64 ``(rows,)``; NaN where missing; None without a time column.
    """
    if seconds is None:
        return 0
    known = seconds[~np.isnan(seconds)]
    steps = np.diff(known)
    of_day = bool(len(known)) and bool(known.max() <= _DAY_S)
    return int(((steps < 0) & (steps > -_DAY_S / 2 if of_day else True)).sum())


def _backward(seconds: Vector | None) -> int:
    """Return the rows that go back, unless so few that a clock was set back."""
    backward = rows_going_back(seconds)
    return backward if seconds is not None and backward > _MAX_BACKWARD * np.isfinite(seconds).sum() else 0
