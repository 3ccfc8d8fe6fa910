"""Finding the stops of a machine among its training rows, so that they do not widen the limits of running rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.stops import Stops

_FAR = 6.0
"""Deviations of running rows below their median at which a machine stands still."""
_NEAR = 2.0
"""Deviations within which it runs again."""
_ENTERED, _LEFT, _REACHED = 0.1, 0.05, 0.5
"""Where a stop begins and ends, and where it is certain: shares of the way from the lowest running rows to the stopped
ones."""
_LEAST_ROWS = 5
"""Of a stop; fewer are outliers."""
_APART = 1.0
"""Least way from the lowest running rows down to the stopped ones, in ranges of the running rows: the low load of a
machine that keeps a load for hours is a floor too, but lies nearer."""
_LEAST_STOPS = 3
"""What training rows show less often is normal only where at least half of the sensors show it."""
_MOST_SENSORS = 0.5
_LEAST_EDGES = 2
"""Of stops whose first and last rows, on the way down and up, widen the limits: one may be like no other."""
_MOST_ROWS = 0.35
"""Share of stopped rows up to which the median is one of running rows."""
_QUARTER = 0.6744897501960817
"""Upper quartile of the normal distribution."""
_LONGER = 2
"""How much longer than the longest stop of the training one may be."""
_TOGETHER = 0.5

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FoundStops:
    """The stops among training rows.

    Attributes:
        mask: bool ``(rows,)``: rows that are not learned from as running ones.
        count: how many stops there are.
        normal: how later ones are recognised; None where there are too few to be normal.
    """

    mask: Mask
    count: int
    normal: Stops | None


def find_stops(values: Matrix, deviations: Matrix) -> FoundStops | None:
    """Return the stops among training rows; None without one.

    A machine stands still where sensors lie far below their usual range for several rows, most of them near the lowest
    values: a floor, and not the tail of a distribution.

    Args:
        values: float64 ``(rows, sensors)``, in the order of time; NaN where missing.
        deviations: float64 ``(rows, sensors)``, of the values from what is expected of a running machine.
    """
    middle, upper = np.nanpercentile(deviations, (50, 75), axis=0)
    # The lower half may hold stops.
    spread = (upper - middle) / _QUARTER
    far = np.zeros(values.shape, np.bool_)
    for place in np.flatnonzero(spread > 0):
        low = deviations[:, place] < middle[place] - _FAR * spread[place]
        far[:, place] = low & _has_floor(values[:, place], low)
    far = np.stack([_long_runs(column) for column in far.T], axis=1)
    any_far = far.any(axis=1)
    if not any_far.any() or any_far.mean() > _MOST_ROWS:
        return None
    showing = far[any_far].mean(axis=0) > _TOGETHER
    if not showing.any():
        return None
    core = _long_runs(np.all(far[:, showing], axis=1))
    if not core.any():
        return None
    near = (deviations >= middle - _NEAR * spread)[:, showing].any(axis=1)
    mask = _grown(core, near)
    starts, ends = _runs(mask)
    lowest, highest = np.nanpercentile(values[~mask], (1, 99), axis=0)
    way = lowest - np.nanmedian(values[core], axis=0)
    shown = showing & (way > _APART * (highest - lowest))
    # Where running rows lie as low, at another time of the day or under another load, it is no floor.
    if not shown.any():
        return None
    if len(starts) < _LEAST_STOPS and shown.mean() < _MOST_SENSORS:
        return FoundStops(mask, len(starts), None)
    longest = _LONGER * int((ends - starts).max())
    lowest, way = np.where(shown, lowest, 0.0), np.where(shown, way, 0.0)  # The others have no limits.
    below, floor = lowest - _ENTERED * way, lowest - _REACHED * way
    entering = _LONGER * _longest_way_down(values[:, shown], mask, below[shown], floor[shown])
    normal = Stops(shown, below, lowest - _LEFT * way, longest, floor, entering)
    edges_known = len(starts) >= _LEAST_EDGES
    return FoundStops(normal.mask(values, 0)[0] if edges_known else mask, len(starts), normal)


def _longest_way_down(values: Matrix, mask: Mask, below: Vector, floor: Vector) -> int:
    """Return the most rows in which a stop came from below the running rows to its floor, at least 1."""
    most = 1
    for start, end in zip(*_runs(mask), strict=True):
        low = np.flatnonzero(np.all(values[start:end] < below, axis=1))
        reached = np.flatnonzero(np.all(values[start:end] < floor, axis=1))
        if len(low) and len(reached):
            most = max(most, int(reached[0] - low[0]) + 1)
    return most


def _has_floor(column: Vector, low: Mask) -> bool:
    """Return whether most low rows lie nearer to the lowest of them than to the lowest of the others."""
    found = column[low]
    if len(found) < _LEAST_ROWS:
        return False
    return float(np.median(found)) <= float(found.min() + np.nanpercentile(column[~low], 1)) / 2


def _long_runs(mask: Mask) -> Mask:
    out = np.zeros_like(mask)
    for start, end in zip(*_runs(mask), strict=True):
        out[start:end] = end - start >= _LEAST_ROWS
    return out


def _runs(mask: Mask) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return edges[::2], edges[1::2]


def _grown(core: Mask, running: Mask) -> Mask:
    """Return stops with the rows before and after, up to those in which the machine runs."""
    out = core.copy()
    starts, ends = _runs(core)
    bounds = np.concatenate([[-1], np.flatnonzero(running), [len(core)]])
    firsts = bounds[np.searchsorted(bounds, starts) - 1] + 1
    lasts = bounds[np.searchsorted(bounds, ends)]
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        out[first:last] = True
    return out
