"""Whether two ways of running a detector find the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.detection.graph.suppression import iou_matrix
from inspection.detection.model.settings import Boxes
from inspection.detection.model_file.manifest import Agreement

USUAL_CONFIDENCE = 0.25
_BOXES_AN_IMAGE = 2


@dataclass(frozen=True, slots=True)
class Bounds:
    """What two ways of running a detector must share for one to stand in for the other.

    Attributes:
        iou: two boxes of a class that overlap by less are no partners.
        confidence: nor are those whose confidence differs by more.
        matched: least share of boxes with a partner.
        map_drop: most of either mean average precision that may be lost.
    """

    iou: float
    confidence: float
    matched: float
    map_drop: float


EXACT = Bounds(iou=0.99, confidence=1e-3, matched=0.99, map_drop=0.005)
"""The station's float32 runtime beside ultralytics' own ``predict`` with torch."""
FASTER = Bounds(iou=0.7, confidence=0.15, matched=0.9, map_drop=0.02)
"""A faster way of calculating beside float32."""


def confidence_to_compare(reference: Sequence[Boxes]) -> float:
    """Return the confidence above which boxes are compared.

    It is the usual one; lower for a model so unsure that hardly two boxes an image would be left.
    """
    scores = np.sort(np.concatenate([found.scores for found in reference]) if reference else np.zeros(0))[::-1]
    wanted = _BOXES_AN_IMAGE * len(reference)
    if len(scores) == 0:
        return USUAL_CONFIDENCE
    return float(min(USUAL_CONFIDENCE, scores[min(wanted, len(scores)) - 1] * 0.999))


def agreement(
    reference: Sequence[Boxes],
    other: Sequence[Boxes],
    bounds: Bounds,
    *,
    name: str,
    drop: tuple[float, float],
) -> Agreement:
    """Compare what two ways of running a detector find on the same images.

    Both lists reach down to a confidence well below the one that is compared at, so that a box just above it has its
    partner just below.

    Args:
        reference: found by the way that is trusted, an entry an image.
        other: found by the other.
        bounds: what counts as a partner.
        name: of the reference.
        drop: mean average precision that is lost, at IoU 0.5 and over 0.5 to 0.95.
    """
    confidence = confidence_to_compare(reference)
    boxes = partners = total = 0
    worst_iou, worst_confidence = 1.0, 0.0
    for first, second in zip(reference, other, strict=True):
        shares = iou_matrix(first.boxes, second.boxes)
        shares[first.classes[:, None] != second.classes[None, :]] = -1
        apart = np.abs(first.scores[:, None].astype(np.float64) - second.scores[None, :])
        fits: NDArray[np.bool_] = (shares >= bounds.iou) & (apart <= bounds.confidence)
        rows = np.asarray(first.scores > confidence)
        columns = np.asarray(second.scores > confidence)
        boxes += int(rows.sum())
        total += int(rows.sum() + columns.sum())
        partners += int(np.any(fits, axis=1)[rows].sum() + np.any(fits, axis=0)[columns].sum())
        matched = np.flatnonzero(np.logical_and(rows, np.any(fits, axis=1)))
        for row in matched:
            best = int(np.where(fits[row], shares[row], -1).argmax())
            worst_iou = min(worst_iou, float(shares[row, best]))
            worst_confidence = max(worst_confidence, float(apart[row, best]))
    return Agreement(
        reference=name,
        confidence=confidence,
        boxes=boxes,
        matched=partners / total if total else 1.0,
        worst_iou=worst_iou,
        worst_confidence=worst_confidence,
        map50_drop=drop[0],
        map50_95_drop=drop[1],
    )


def within_bounds(found: Agreement, bounds: Bounds) -> bool:
    """Say whether an agreement lies within its bounds."""
    return found.matched >= bounds.matched and max(found.map50_drop, found.map50_95_drop) <= bounds.map_drop
