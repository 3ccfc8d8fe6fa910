"""How good a model is, as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Positive float32 compare like their bit patterns; the upper 20 bits keep differences of 0.05 % apart.
_SHIFT = 12
_BINS = 1 << (32 - _SHIFT)


class Rate(TypedDict):
    """How many of how many; ``rate`` is None when there are none at all."""

    count: int
    total: int
    rate: float | None


def rate(count: int, total: int) -> Rate:
    """Return ``count`` of ``total`` with their ratio."""
    return {"count": count, "total": total, "rate": count / total if total else None}


def image_auroc(good: ArrayLike, defect: ArrayLike) -> float | None:
    """Return the area under the ROC curve: how often a defect scores above a good image, ties counting half.

    The Mann-Whitney statistic (Hanley and McNeil 1982).

    Args:
        good: scores of good images.
        defect: scores of defective images.

    Returns:
        0 to 1, or None when one of them is empty.
    """
    negatives = np.asarray(good, np.float64)
    positives = np.asarray(defect, np.float64)
    if negatives.size == 0 or positives.size == 0:
        return None
    scores = np.concatenate([negatives, positives])
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    above = ranks[negatives.size :].sum() - positives.size * (positives.size + 1) / 2
    return float(above / (negatives.size * positives.size))


class PixelAuroc:
    """The area under the ROC curve over the pixels of many images, without keeping them.

    Values are counted in bins of 0.05 % relative width; within a bin they count as ties.
    """

    def __init__(self) -> None:
        self._good = np.zeros(_BINS, np.int64)
        self._defect = np.zeros(_BINS, np.int64)

    def add(self, heatmap: NDArray[np.float32], mask: NDArray[np.bool_] | None) -> None:
        """Count the pixels of one image.

        Args:
            heatmap: float32 ``(H, W)``, not negative.
            mask: ``(H, W)``, True where the defect is; None for a good image.
        """
        bits = np.ascontiguousarray(np.maximum(heatmap, 0.0), np.float32).view(np.uint32) >> _SHIFT
        if mask is None:
            self._good += np.bincount(bits.ravel(), minlength=_BINS)
            return
        self._good += np.bincount(bits[~mask], minlength=_BINS)
        self._defect += np.bincount(bits[mask], minlength=_BINS)

    def value(self) -> float | None:
        """Return the area, 0 to 1; None without good or without defective pixels."""
        good, defect = int(self._good.sum()), int(self._defect.sum())
        if not good or not defect:
            return None
        below = np.cumsum(self._good) - self._good
        return float((self._defect * (below + self._good / 2.0)).sum() / (float(good) * float(defect)))


def f1_score(escapes: Rate, overkill: Rate) -> float | None:
    """Return the harmonic mean of precision and recall of NG; None when nothing is defective nor called so."""
    found = escapes["total"] - escapes["count"]
    whole = 2 * found + overkill["count"] + escapes["count"]
    return 2 * found / whole if whole else None


def percentiles(milliseconds: Sequence[float]) -> dict[str, float | None]:
    """Return median and 95th percentile as ``{"p50", "p95"}``; None without a value."""
    if not milliseconds:
        return {"p50": None, "p95": None}
    middle, high = np.percentile(np.asarray(milliseconds, np.float64), [50, 95])
    return {"p50": float(middle), "p95": float(high)}
