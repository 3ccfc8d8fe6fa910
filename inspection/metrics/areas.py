"""Areas under curves from counts of good and defective cases per score value, for images, pixels and bootstraps.

Every function takes two arrays of counts whose last axis runs over score values in ascending order; leading axes are
bootstrap replicates. Cases of equal value are ties.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def area_under_roc(good: Floats, defect: Floats) -> Floats:
    """Return the probability that a defective case scores above a good one, ties counting half; NaN without both.

    The Mann-Whitney statistic (Hanley and McNeil 1982).
    """
    below = np.cumsum(good, axis=-1) - good
    pairs = good.sum(axis=-1) * defect.sum(axis=-1)
    above = (defect * (below + good / 2)).sum(axis=-1)
    area: Floats = np.divide(above, pairs, out=np.full(np.shape(pairs), np.nan), where=pairs > 0)
    return area


def average_precision_of(good: Floats, defect: Floats) -> Floats:
    """Return the sum of precision times the recall it adds, from the highest score down; NaN without a defect.

    Without interpolation, which would be optimistic (Davis and Goadrich 2006).
    """
    found = _from_above(defect)
    called = found + _from_above(good)
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    total = defect.sum(axis=-1)
    gained = (precision * defect[..., ::-1]).sum(axis=-1)
    area: Floats = np.divide(gained, total, out=np.full(np.shape(total), np.nan), where=total > 0)
    return area


def region_overlap_curve(good: Floats, overlap: Floats) -> tuple[Floats, Floats]:
    """Return false-positive rate and mean overlap of regions, both ascending from 0, one point per value.

    Args:
        good: defect-free pixels per value; one-dimensional.
        overlap: per value, the sum of 1 / region area over the defective pixels with that value.
    """
    negatives, regions = good.sum(), overlap.sum()
    rates = np.concatenate([[0.0], _from_above(good) / negatives])
    overlaps = np.concatenate([[0.0], _from_above(overlap) / regions])
    return rates, overlaps


def area_up_to(rates: Floats, values: Floats, limit: float) -> float:
    """Return the area under a curve from 0 to ``limit``, divided by ``limit``.

    Args:
        rates: ascending from 0 to 1.
        values: of the curve at these rates, interpolated linearly.
        limit: above 0, at most 1.
    """
    inside = rates < limit
    end = float(np.interp(limit, rates, values))
    across = np.concatenate([rates[inside], [limit]])
    up = np.concatenate([values[inside], [end]])
    return float(np.trapezoid(up, across) / limit)


def _from_above(counts: Floats) -> Floats:
    """Return the number of cases with at least each value, in descending order of values."""
    return np.cumsum(counts[..., ::-1], axis=-1, dtype=np.float64)
