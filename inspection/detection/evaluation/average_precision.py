"""Mean average precision of boxes, as COCO defines it and ultralytics 8.4 computes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.detection.graph.suppression import iou_matrix
from inspection.runtime.arrays import FloatArray, IntArray

LIMITS = np.linspace(0.5, 0.95, 10).astype(np.float32)
"""Minimum intersection over union of a true positive."""
_RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedImage:
    """Detections and ground truth of an image.

    Attributes:
        boxes: detections, float32 ``(n, 4)`` corners in pixels, by descending score.
        scores: ``(n,)``.
        classes: ``(n,)``.
        labelled: ground truth, float32 ``(m, 4)``.
        labelled_classes: ``(m,)``.
    """

    boxes: FloatArray
    scores: FloatArray
    classes: IntArray
    labelled: FloatArray
    labelled_classes: IntArray


@dataclass(frozen=True, slots=True)
class AveragePrecision:
    """Average precision of one class at IoU 0.5 and averaged over 0.5 to 0.95, and the number of labelled boxes."""

    at_50: float
    at_50_to_95: float
    boxes: int


def average_precision(images: Sequence[EvaluatedImage]) -> dict[int, AveragePrecision]:
    """Return the average precision of every class that has labelled boxes.

    The mean over these classes is the mean average precision.
    """
    positives = [_true_positives(image) for image in images]
    hits = np.concatenate(positives) if positives else np.zeros((0, len(LIMITS)), np.bool_)
    scores = np.concatenate([image.scores for image in images]) if images else np.zeros(0, np.float32)
    classes = np.concatenate([image.classes for image in images]) if images else np.zeros(0, np.intp)
    labelled = np.concatenate([image.labelled_classes for image in images]) if images else np.zeros(0, np.intp)
    found: dict[int, AveragePrecision] = {}
    for number in np.unique(labelled):
        count = int((labelled == number).sum())
        of_class = np.flatnonzero(classes == number)
        ordered = hits[of_class[np.argsort(-scores[of_class], kind="stable")]]
        areas = [_area(ordered[:, column], count) for column in range(len(LIMITS))]
        found[int(number)] = AveragePrecision(areas[0], float(np.mean(areas)), count)
    return found


def mean_of(found: dict[int, AveragePrecision]) -> tuple[float, float] | None:
    """Return the mean average precision at IoU 0.5 and over 0.5 to 0.95; None without any labelled box."""
    if not found:
        return None
    return (
        float(np.mean([value.at_50 for value in found.values()])),
        float(np.mean([value.at_50_to_95 for value in found.values()])),
    )


def _true_positives(image: EvaluatedImage) -> NDArray[np.bool_]:
    """Return at which IoU limits each detection is a true positive; matching is greedy by score, then by IoU."""
    positives = np.zeros((len(image.boxes), len(LIMITS)), np.bool_)
    if not len(image.boxes) or not len(image.labelled):
        return positives
    iou = iou_matrix(image.labelled, image.boxes)
    iou[image.labelled_classes[:, None] != image.classes[None, :]] = 0
    matched = np.zeros((len(image.labelled), len(LIMITS)), np.bool_)
    columns = np.arange(len(LIMITS))
    for number in range(len(image.boxes)):
        unmatched = np.where(matched, 0, iou[:, number, None])
        best = unmatched.argmax(axis=0)
        positives[number] = unmatched[best, columns] >= LIMITS
        matched[best, columns] |= positives[number]
    return positives


def _area(hits: NDArray[np.bool_], count: int) -> float:
    """Return the area under the 101-point interpolated precision-recall curve."""
    if not len(hits):
        return 0.0
    true = np.cumsum(hits)
    recall = true / count
    precision = true / np.arange(1, len(hits) + 1)
    across = np.concatenate(([0.0], recall, [recall[-1], 1.0]))
    up = np.concatenate(([1.0], precision, [0.0, 0.0]))
    envelope = np.maximum.accumulate(up[::-1])[::-1]
    return float(np.trapezoid(np.interp(_RECALLS, across, envelope), _RECALLS))
