"""Effects of thresholds on known scores: escapes and overkill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from inspection.metrics import Rate, ScoreCounts, best_f1, f1_score, rate

OVERKILL_STEPS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True, slots=True)
class ThresholdEffect:
    """A threshold and its effect on the evaluated images.

    Attributes:
        threshold: a score strictly above it is NG.
        reason: for being listed: ``in-use``, ``model``, ``best-f1``, ``no-escapes``, ``overkill-at-most``.
        escapes: defective images called OK.
        overkill: good images called NG.
        f1: of NG; None when no image is defective or judged NG.
        limit: largest overkill, where the reason is ``overkill-at-most``.
    """

    threshold: float
    reason: str
    escapes: Rate
    overkill: Rate
    f1: float | None
    limit: float | None = None


def effect(
    good: ArrayLike, defect: ArrayLike, threshold: float, reason: str, limit: float | None = None
) -> ThresholdEffect:
    """Return the effect of ``threshold`` on scores of good and of defective images."""
    goods, defects = np.asarray(good, np.float64), np.asarray(defect, np.float64)
    overkill = rate(int((goods > threshold).sum()), goods.size)
    escapes = rate(int((defects <= threshold).sum()), defects.size)
    return ThresholdEffect(threshold, reason, escapes, overkill, f1_score(escapes, overkill), limit)


def threshold_effects(
    good: Sequence[float], defect: Sequence[float], in_use: float, own: float
) -> list[ThresholdEffect]:
    """Return the effects of the thresholds to compare, in ascending order.

    The one in use, the model's own where it differs, that of the best F1, the highest without escapes, and for each of
    ``OVERKILL_STEPS`` the lowest with at most that overkill.

    Args:
        good: scores of good images, at least one.
        defect: scores of defective images, at least one.
        in_use: the threshold in use.
        own: the model's own.
    """
    goods = np.sort(np.asarray(good, np.float64))
    found = [effect(good, defect, in_use, "in-use")]
    if own != in_use:
        found.append(effect(good, defect, own, "model"))
    found.append(effect(good, defect, best_f1(ScoreCounts.of(good, defect)).threshold, "best-f1"))
    # Just below the lowest defective score: a score equal to the threshold is OK.
    found.append(effect(good, defect, float(np.nextafter(min(defect), -np.inf)), "no-escapes"))
    for limit in OVERKILL_STEPS:
        allowed = int(limit * goods.size + 1e-9)
        border = float(goods[goods.size - 1 - allowed])
        found.append(effect(good, defect, border, "overkill-at-most", limit))
    return sorted(found, key=lambda row: (row.threshold, row.reason != "in-use"))
