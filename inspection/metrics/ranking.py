"""Threshold-independent ranking metrics of image scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inspection.metrics.areas import area_under_roc, average_precision_of

Floats = NDArray[np.float64]


class Curve(NamedTuple):
    """Points of a curve: abscissa ``across``, non-decreasing, and ordinate ``up``, float64 of equal length."""

    across: Floats
    up: Floats


@dataclass(frozen=True, slots=True, eq=False)
class ScoreCounts:
    """Counts of good and defective images per score.

    Attributes:
        values: distinct scores, ascending.
        good: float64 counts of good images per value.
        defect: float64 counts of defective images per value.
    """

    values: Floats
    good: Floats
    defect: Floats

    @classmethod
    def of(cls, good: ArrayLike, defect: ArrayLike) -> ScoreCounts:
        """Return the counts of scores of good and of defective images."""
        negatives, positives = np.asarray(good, np.float64), np.asarray(defect, np.float64)
        values, place = np.unique(np.concatenate([negatives, positives]), return_inverse=True)
        return cls(
            values,
            np.bincount(place[: negatives.size], minlength=values.size).astype(np.float64),
            np.bincount(place[negatives.size :], minlength=values.size).astype(np.float64),
        )

    @property
    def both(self) -> bool:
        """Whether there are good and defective images."""
        return bool(self.good.sum() > 0 and self.defect.sum() > 0)


class BestF1(NamedTuple):
    """The maximum F1 over all thresholds, and a threshold that attains it."""

    f1: float
    threshold: float


def image_auroc(good: ArrayLike, defect: ArrayLike) -> float | None:
    """Return the area under the ROC curve: the probability that a defect scores above a good image, ties counting half.

    The Mann-Whitney statistic (Hanley and McNeil 1982).

    Args:
        good: scores of good images.
        defect: scores of defective images.

    Returns:
        0 to 1, or None when one of them is empty.
    """
    counts = ScoreCounts.of(good, defect)
    return float(area_under_roc(counts.good, counts.defect)) if counts.both else None


def average_precision(good: ArrayLike, defect: ArrayLike) -> float | None:
    """Return the area under the precision-recall curve as a step function (Davis and Goadrich 2006).

    Returns:
        0 to 1, or None when one of them is empty.
    """
    counts = ScoreCounts.of(good, defect)
    return float(average_precision_of(counts.good, counts.defect)) if counts.both else None


def roc_curve(counts: ScoreCounts) -> Curve:
    """Return false-positive and true-positive rate, from the highest threshold down."""
    return Curve(_shares_from_above(counts.good), _shares_from_above(counts.defect))


def precision_recall_curve(counts: ScoreCounts) -> Curve:
    """Return recall and precision of NG from the highest threshold down, the first precision also at recall 0."""
    found = np.cumsum(counts.defect[::-1])
    called = found + np.cumsum(counts.good[::-1])
    precision = found / called
    return Curve(
        np.concatenate([[0.0], found / counts.defect.sum()]),
        np.concatenate([precision[:1], precision]),
    )


def best_f1(counts: ScoreCounts) -> BestF1:
    """Return the maximum F1 and its threshold, midway to the next lower score.

    Chosen on the evaluated images, so it is an optimistic bound.
    """
    found = np.cumsum(counts.defect[::-1])
    called = found + np.cumsum(counts.good[::-1])
    scores = 2 * found / (called + counts.defect.sum())
    best = int(np.argmax(scores))
    values = counts.values[::-1]
    below = values[best + 1] if best + 1 < values.size else 0.0
    middle = (values[best] + below) / 2
    # Between adjacent floats the mean rounds to the upper one, which would no longer be rejected.
    return BestF1(float(scores[best]), float(middle if middle < values[best] else below))


def _shares_from_above(counts: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(counts[::-1]) / counts.sum()])
