"""Parity of two runtimes of a detector: matching of their boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.detection.evaluation.measuring import MIN_CONFIDENCE
from inspection.detection.graph.suppression import iou_matrix
from inspection.detection.model.settings import Boxes
from inspection.detection.model_file.manifest import Agreement

USUAL_CONFIDENCE = 0.25
_BOXES_PER_IMAGE = 2


@dataclass(frozen=True, slots=True)
class Bounds:
    """Tolerances within which one runtime may replace another.

    Attributes:
        iou: minimum IoU of two matching boxes of a class.
        confidence: maximum difference of their confidence.
        matched: minimum share of boxes with a match.
        map_drop: maximum loss of either mean average precision.
    """

    iou: float
    confidence: float
    matched: float
    map_drop: float


EXACT = Bounds(iou=0.99, confidence=1e-3, matched=0.99, map_drop=0.005)
"""The station's float32 runtime against ultralytics' ``predict`` with torch."""
FASTER = Bounds(iou=0.7, confidence=0.15, matched=0.9, map_drop=0.02)
"""A faster runtime against float32."""


def confidence_to_compare(reference: Sequence[Boxes]) -> float:
    """Return the confidence above which boxes are compared.

    ``USUAL_CONFIDENCE``; lower for a model with fewer than two boxes per image above it, but never below
    ``MIN_CONFIDENCE``: what lies there is found by nobody, and which of its boxes come first is chance.
    """
    scores = np.sort(np.concatenate([found.scores for found in reference]) if reference else np.zeros(0))[::-1]
    wanted = _BOXES_PER_IMAGE * len(reference)
    if len(scores) == 0:
        return USUAL_CONFIDENCE
    lowest = scores[min(wanted, len(scores)) - 1] * 0.999
    return float(min(USUAL_CONFIDENCE, max(lowest, MIN_CONFIDENCE)))


def agreement(
    reference: Sequence[Boxes],
    other: Sequence[Boxes],
    bounds: Bounds,
    *,
    name: str,
    drop: tuple[float, float],
) -> Agreement:
    """Compare the boxes that two runtimes find on the same images.

    Both lists must reach well below the confidence of the comparison, so that a box just above it can match one just
    below.

    Args:
        reference: boxes of the trusted runtime, one entry per image.
        other: boxes of the other runtime.
        bounds: tolerances of a match.
        name: of the reference.
        drop: loss of mean average precision, at IoU 0.5 and over 0.5 to 0.95.
    """
    confidence = confidence_to_compare(reference)
    boxes = matches = total = 0
    worst_iou, worst_confidence = 1.0, 0.0
    for first, second in zip(reference, other, strict=True):
        iou = iou_matrix(first.boxes, second.boxes)
        iou[first.classes[:, None] != second.classes[None, :]] = -1
        confidence_difference = np.abs(first.scores[:, None].astype(np.float64) - second.scores[None, :])
        fits: NDArray[np.bool_] = (iou >= bounds.iou) & (confidence_difference <= bounds.confidence)
        rows = np.asarray(first.scores > confidence)
        columns = np.asarray(second.scores > confidence)
        boxes += int(rows.sum())
        total += int(rows.sum() + columns.sum())
        matches += int(np.any(fits, axis=1)[rows].sum() + np.any(fits, axis=0)[columns].sum())
        matched = np.flatnonzero(np.logical_and(rows, np.any(fits, axis=1)))
        for row in matched:
            best = int(np.where(fits[row], iou[row], -1).argmax())
            worst_iou = min(worst_iou, float(iou[row, best]))
            worst_confidence = max(worst_confidence, float(confidence_difference[row, best]))
    return Agreement(
        reference=name,
        confidence=confidence,
        boxes=boxes,
        matched=matches / total if total else 1.0,
        worst_iou=worst_iou,
        worst_confidence=worst_confidence,
        map50_drop=drop[0],
        map50_95_drop=drop[1],
    )


def within_bounds(found: Agreement, bounds: Bounds) -> bool:
    """Return whether an agreement lies within the bounds."""
    return found.matched >= bounds.matched and max(found.map50_drop, found.map50_95_drop) <= bounds.map_drop
