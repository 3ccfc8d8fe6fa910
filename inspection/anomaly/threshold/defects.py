"""A threshold between good images and images of defects: by best F1, or by what escapes and overkill cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inspection.anomaly.threshold.estimate import Threshold, least_sample

_Floats = NDArray[np.float64]
# A threshold is above nought, and gaps are ratios.
_MIN_SCORE = 1e-9


def f1_threshold(good: Sequence[float], defects: Sequence[float]) -> Threshold:
    """Choose the threshold with the best F1 of calling defects, in the mix of the images given.

    Among equals the one with the widest gap (as a ratio) between the scores on its two sides.

    Args:
        good: scores of good images that were held out of the fit, at least one.
        defects: scores of images of defects, at least one.

    Raises:
        ValueError: when one of them is empty.
    """
    cuts, gaps, false_alarms, escapes = _cuts(good, defects)
    found = len(defects) - escapes
    worth = 2 * found / (2 * found + false_alarms + escapes)
    return _chosen(cuts, gaps, worth, "f1", good, defects)


def cost_threshold(
    good: Sequence[float], defects: Sequence[float], *, escape_cost: float, overkill_cost: float, defect_rate: float
) -> Threshold:
    """Choose the threshold with the least expected cost of a part.

    The cost of a part is ``π·E·(share of defects that pass) + (1 - π)·O·(share of good parts rejected)``, the expected
    loss of decision theory (Elkan 2001); where it is least to reject all or none, the threshold lies beyond all scores.
    Among equals the one with the widest gap (as a ratio) between the scores on its two sides.

    Args:
        good: scores of good images that were held out of the fit, at least one.
        defects: scores of images of defects, at least one.
        escape_cost: E, of a defect that passes as OK; greater than 0.
        overkill_cost: O, of a good part that is rejected; greater than 0, in the same unit.
        defect_rate: π, the share of defective parts in production, between 0 and 1.

    Raises:
        ValueError: when a list is empty, a cost is not greater than 0 or the rate is not between 0 and 1.
    """
    if not (escape_cost > 0 and overkill_cost > 0 and 0 < defect_rate < 1):
        raise ValueError("costs are greater than 0 and the rate of defects lies between 0 and 1")
    cuts, gaps, false_alarms, escapes = _cuts(good, defects)
    cost = (
        defect_rate * escape_cost * escapes / len(defects)
        + (1 - defect_rate) * overkill_cost * false_alarms / len(good)
    )  # fmt: skip
    return _chosen(cuts, gaps, -cost, "cost", good, defects)


def _cuts(good: Sequence[float], defects: Sequence[float]) -> tuple[_Floats, _Floats, _Floats, _Floats]:
    """Return every way to cut the scores in two: thresholds, gaps, and false alarms and escapes of each."""
    if not good or not defects:
        raise ValueError("a threshold between good and defective needs scores of both")
    sorted_good, sorted_defects = np.sort(np.asarray(good, np.float64)), np.sort(np.asarray(defects, np.float64))
    seen = np.unique(np.concatenate([sorted_good, sorted_defects]))
    below, above = seen[:-1], seen[1:]
    # All rejected: half of the least; none rejected: the largest itself, as only a score above it counts.
    cuts = np.maximum(np.concatenate([[seen[0] / 2], (below + above) / 2, [seen[-1]]]), _MIN_SCORE)
    gaps = np.concatenate([[1.0], above / np.maximum(below, _MIN_SCORE), [1.0]])
    false_alarms = len(good) - np.searchsorted(sorted_good, cuts, side="right")
    escapes = np.searchsorted(sorted_defects, cuts, side="right")
    return cuts, gaps, false_alarms.astype(np.float64), escapes.astype(np.float64)


def _chosen(
    cuts: _Floats, gaps: _Floats, worth: _Floats, method: str, good: Sequence[float], defects: Sequence[float]
) -> Threshold:
    equal = np.flatnonzero(worth >= worth.max() - 1e-12)
    value = float(cuts[equal[gaps[equal].argmax()]])
    above = sum(score > value for score in good)
    # Mean of the rate after these images, with Jeffreys' prior: neither 0 nor 1 from a finite sample.
    expected = (above + 0.5) / (len(good) + 1)
    return Threshold(value, expected, method, len(good), least_sample(expected), len(defects))
