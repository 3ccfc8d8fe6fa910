"""The curves and the score histogram of an evaluation, reduced for plots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.evaluation.scored_set import ScoredSet
from inspection.metrics import Curve, ScoreCounts, precision_recall_curve, roc_curve

MOST_POINTS = 200
BINS = 40


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Scores of good and of defective images in the same bins.

    Attributes:
        edges: float64, one more than bins.
        good: counts of good images per bin.
        defect: counts of defective ones.
    """

    edges: NDArray[np.float64]
    good: NDArray[np.int64]
    defect: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """The curves of an evaluation.

    Attributes:
        image_roc: false-alarm rate → detection rate.
        precision_recall: recall → precision.
        pixel_roc: the ROC curve of pixels; None without masks.
        pro: share of defect-free pixels marked → mean overlap of defective regions; None without masks.
        histogram: of the scores.
    """

    image_roc: Curve
    precision_recall: Curve
    pixel_roc: Curve | None
    pro: Curve | None
    histogram: Histogram


def curves_of(scored: ScoredSet) -> Curves:
    """Return the curves of a scored set."""
    good = [file.score for file in scored.good]
    defect = [file.score for file in scored.defect]
    counts = ScoreCounts.of(good, defect)
    pixels = scored.pixels if scored.pixels is not None and scored.pixels.auroc() is not None else None
    return Curves(
        thinned(roc_curve(counts)),
        thinned(precision_recall_curve(counts)),
        None if pixels is None else resampled(pixels.roc_curve()),
        None if pixels is None else resampled(pixels.pro_curve()),
        histogram_of(good, defect, scored.threshold),
    )


def thinned(curve: Curve, most: int = MOST_POINTS) -> Curve:
    """Return at most ``most`` of the points, including the first and the last."""
    if curve.across.size <= most:
        return curve
    chosen = np.unique(np.linspace(0, curve.across.size - 1, most).round().astype(int))
    return Curve(curve.across[chosen], curve.up[chosen])


def resampled(curve: Curve, most: int = MOST_POINTS) -> Curve:
    """Return the curve interpolated at ``most`` abscissas, denser where a pixel curve rises."""
    # A good heatmap rises within the first hundredths.
    across = np.linspace(0.0, 1.0, most) ** 3
    return Curve(across, np.interp(across, curve.across, curve.up))


def histogram_of(good: list[float], defect: list[float], threshold: float) -> Histogram:
    """Return the histogram of the scores in ``BINS`` equal bins over the range of all scores and the threshold."""
    scores = [*good, *defect, threshold]
    edges = np.histogram_bin_edges(scores, BINS)
    return Histogram(edges, np.histogram(good, edges)[0], np.histogram(defect, edges)[0])
