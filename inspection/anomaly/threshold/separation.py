"""How well scores separate good images from defects, and how much of that a threshold uses."""

from __future__ import annotations

from collections.abc import Sequence

from inspection.anomaly.manifest import DefectSource, SeparationRecord
from inspection.metrics import best_f1, f1_score, image_auroc, rate
from inspection.metrics.ranking import ScoreCounts


def separation(
    good: Sequence[float], defects: Sequence[float], threshold: float, source: DefectSource
) -> SeparationRecord:
    """Return the separation of held-out good images from defects, and F1 at ``threshold`` beside the best.

    Args:
        good: held-out scores of good images, at least one.
        defects: scores of defects, at least one.
        threshold: of the model.
        source: where the defects come from.

    Raises:
        ValueError: when there are no good images or no defects.
    """
    counts = ScoreCounts.of(good, defects)
    auroc = image_auroc(good, defects)
    escapes = rate(sum(score <= threshold for score in defects), len(defects))
    f1 = f1_score(escapes, rate(sum(score > threshold for score in good), len(good)))
    if auroc is None or f1 is None:
        raise ValueError("scores of good images and of defects are needed")
    best = best_f1(counts)
    return SeparationRecord(
        source=source,
        good=len(good),
        defects=len(defects),
        auroc=auroc,
        f1=f1,
        escapes=escapes["count"],
        best_f1=best.f1,
        best_threshold=best.threshold,
    )
