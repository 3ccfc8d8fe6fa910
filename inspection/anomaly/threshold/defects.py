"""Thresholds from scores of good images and of defects: best F1, or minimum expected cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inspection.anomaly.threshold.estimate import Threshold, least_sample

_Floats = NDArray[np.float64]
# Thresholds are positive, and gaps are ratios.
_MIN_SCORE = 1e-9


def f1_threshold(good: Sequence[float], defects: Sequence[float]) -> Threshold:
    """Return the threshold with the best F1 of defect detection, at the class balance of the images given.

    Ties are broken by the widest gap (as a ratio) between the adjacent scores.

    Args:
        good: held-out scores of good images, at least one.
        defects: scores of images of defects, at least one.

    Raises:
        ValueError: when either is empty.
    """
    cuts, gaps, false_alarms, escapes = _cuts(good, defects)
    found = len(defects) - escapes
    utility = 2 * found / (2 * found + false_alarms + escapes)
    return _chosen(cuts, gaps, utility, "f1", good, defects)


def cost_threshold(
    good: Sequence[float], defects: Sequence[float], *, escape_cost: float, overkill_cost: float, defect_rate: float
) -> Threshold:
    """Return the threshold with the minimum expected cost per part.

    The cost is ``π·E·(false-negative rate) + (1 - π)·O·(false-positive rate)``, the expected loss of decision theory
    (Elkan 2001); where rejecting all or none is cheapest, the threshold lies beyond all scores. Ties are broken by the
    widest gap (as a ratio) between the adjacent scores.

    Args:
        good: held-out scores of good images, at least one.
        defects: scores of images of defects, at least one.
        escape_cost: E, of a defect that passes as OK; greater than 0.
        overkill_cost: O, of a good part that is rejected; greater than 0, in the same unit.
        defect_rate: π, the share of defective parts in production, between 0 and 1.

    Raises:
        ValueError: when a list is empty, a cost is not greater than 0 or the rate is not between 0 and 1.
    """
    if not (escape_cost > 0 and overkill_cost > 0 and 0 < defect_rate < 1):
        raise ValueError("costs must be greater than 0 and the defect rate between 0 and 1")
    cuts, gaps, false_alarms, escapes = _cuts(good, defects)
    cost = (
        defect_rate * escape_cost * escapes / len(defects)
        + (1 - defect_rate) * overkill_cost * false_alarms / len(good)
    )  # fmt: skip
    return _chosen(cuts, gaps, -cost, "cost", good, defects)


def _cuts(good: Sequence[float], defects: Sequence[float]) -> tuple[_Floats, _Floats, _Floats, _Floats]:
    """Return all candidate thresholds with their gaps, false alarms and escapes."""
    if not good or not defects:
        raise ValueError("scores of good images and of defects are needed")
    sorted_good, sorted_defects = np.sort(np.asarray(good, np.float64)), np.sort(np.asarray(defects, np.float64))
    levels = np.unique(np.concatenate([sorted_good, sorted_defects]))
    below, above = levels[:-1], levels[1:]
    middle = (below + above) / 2
    # Between adjacent floats the mean rounds to the upper one, which would no longer be rejected.
    middle = np.where(middle < above, middle, below)
    # Half of the minimum rejects all; the maximum rejects none, as only scores above the threshold are rejected.
    cuts = np.maximum(np.concatenate([[levels[0] / 2], middle, [levels[-1]]]), _MIN_SCORE)
    gaps = np.concatenate([[1.0], above / np.maximum(below, _MIN_SCORE), [1.0]])
    false_alarms = len(good) - np.searchsorted(sorted_good, cuts, side="right")
    escapes = np.searchsorted(sorted_defects, cuts, side="right")
    return cuts, gaps, false_alarms.astype(np.float64), escapes.astype(np.float64)


def _chosen(
    cuts: _Floats, gaps: _Floats, utility: _Floats, method: str, good: Sequence[float], defects: Sequence[float]
) -> Threshold:
    equal = np.flatnonzero(utility >= utility.max() - 1e-12)
    value = float(cuts[equal[gaps[equal].argmax()]])
    above = sum(score > value for score in good)
    # Posterior mean of the rate with Jeffreys' prior: neither 0 nor 1 for a finite sample.
    expected = (above + 0.5) / (len(good) + 1)
    return Threshold(value, expected, method, len(good), least_sample(expected), len(defects))
