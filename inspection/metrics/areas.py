"""Areas under curves, from counts of good and defective scores per value: one rule for images, pixels and bootstraps.

Every function takes two arrays whose last axis runs over score values in ascending order and says how many good and how
many defective cases have that value; leading axes are repetitions. Cases of one value are ties.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def area_under_roc(good: Floats, defect: Floats) -> Floats:
    """Return how often a defective case scores above a good one, ties counting half; NaN without one of them.

    The Mann-Whitney statistic (Hanley and McNeil 1982).
    """
    below = np.cumsum(good, axis=-1) - good
    pairs = good.sum(axis=-1) * defect.sum(axis=-1)
    above = (defect * (below + good / 2)).sum(axis=-1)
    area: Floats = np.divide(above, pairs, out=np.full(np.shape(pairs), np.nan), where=pairs > 0)
    return area


def average_precision_of(good: Floats, defect: Floats) -> Floats:
    """Return the sum of precision times the recall it adds, from the highest score down; NaN without a defect.

    Davis and Goadrich 2006: without interpolation, which would flatter.
    """
    found = _from_above(defect)
    called = found + _from_above(good)
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    total = defect.sum(axis=-1)
    gained = (precision * defect[..., ::-1]).sum(axis=-1)
    area: Floats = np.divide(gained, total, out=np.full(np.shape(total), np.nan), where=total > 0)
    return area


def region_overlap_curve(good: Floats, overlap: Floats) -> tuple[Floats, Floats]:
    """Return false-positive rate and mean overlap of regions, both ascending from 0, one point a value.

    Args:
        good: defect-free pixels per value; one-dimensional.
        overlap: for each value the sum of 1 / area over the pixels of defective regions with it.
    """
    negatives, regions = good.sum(), overlap.sum()
    rates = np.concatenate([[0.0], _from_above(good) / negatives])
    overlaps = np.concatenate([[0.0], _from_above(overlap) / regions])
    return rates, overlaps


def area_up_to(rates: Floats, values: Floats, limit: float) -> float:
    """Return the area under a curve from 0 to ``limit``, divided by ``limit``: 0 to 1 where the curve is.

    Args:
        rates: ascending from 0 to 1.
        values: of the curve there; straight lines between.
        limit: above 0, 1 at most.
    """
    inside = rates < limit
    end = float(np.interp(limit, rates, values))
    across = np.concatenate([rates[inside], [limit]])
    up = np.concatenate([values[inside], [end]])
    return float(np.trapezoid(up, across) / limit)


def _from_above(counts: Floats) -> Floats:
    """Return how many cases have this value or a higher one, from the highest value down."""
    return np.cumsum(counts[..., ::-1], axis=-1, dtype=np.float64)
