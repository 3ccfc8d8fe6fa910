"""Metrics of model quality, each with the source of its formula."""

from inspection.metrics.intervals import Interval, image_intervals, wilson_interval
from inspection.metrics.pixels import PixelScores
from inspection.metrics.ranking import (
    BestF1,
    Curve,
    ScoreCounts,
    average_precision,
    best_f1,
    image_auroc,
    precision_recall_curve,
    roc_curve,
)
from inspection.metrics.rates import Rate, f1_score, percentiles, rate
from inspection.metrics.series import volume_under_surface

__all__ = [
    "BestF1",
    "Curve",
    "Interval",
    "PixelScores",
    "Rate",
    "ScoreCounts",
    "average_precision",
    "best_f1",
    "f1_score",
    "image_auroc",
    "image_intervals",
    "percentiles",
    "precision_recall_curve",
    "rate",
    "roc_curve",
    "volume_under_surface",
    "wilson_interval",
]
