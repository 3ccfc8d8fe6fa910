"""Mean average precision of boxes, as COCO defines it and ultralytics 8.4 computes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.detection.graph.suppression import iou_matrix
from inspection.runtime.arrays import FloatArray, IntArray

LIMITS = np.linspace(0.5, 0.95, 10).astype(np.float32)
"""Intersection over union that a box needs with a labelled one to count as right."""
_RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedImage:
    """The boxes found on an image beside those a person drew.

    Attributes:
        boxes: found, float32 ``(n, 4)`` corners in pixels, surest first.
        scores: ``(n,)``.
        classes: ``(n,)``.
        labelled: drawn, float32 ``(m, 4)``.
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
    right = [_right(image) for image in images]
    hits = np.concatenate(right) if right else np.zeros((0, len(LIMITS)), np.bool_)
    scores = np.concatenate([image.scores for image in images]) if images else np.zeros(0, np.float32)
    classes = np.concatenate([image.classes for image in images]) if images else np.zeros(0, np.intp)
    drawn = np.concatenate([image.labelled_classes for image in images]) if images else np.zeros(0, np.intp)
    found: dict[int, AveragePrecision] = {}
    for number in np.unique(drawn):
        count = int((drawn == number).sum())
        mine = np.flatnonzero(classes == number)
        ordered = hits[mine[np.argsort(-scores[mine], kind="stable")]]
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


def _right(image: EvaluatedImage) -> NDArray[np.bool_]:
    """Return for each box found at which limits it is right: the surest takes the best labelled box still free."""
    right = np.zeros((len(image.boxes), len(LIMITS)), np.bool_)
    if not len(image.boxes) or not len(image.labelled):
        return right
    shares = iou_matrix(image.labelled, image.boxes)
    shares[image.labelled_classes[:, None] != image.classes[None, :]] = 0
    taken = np.zeros((len(image.labelled), len(LIMITS)), np.bool_)
    columns = np.arange(len(LIMITS))
    for number in range(len(image.boxes)):
        free = np.where(taken, 0, shares[:, number, None])
        best = free.argmax(axis=0)
        right[number] = free[best, columns] >= LIMITS
        taken[best, columns] |= right[number]
    return right


def _area(hits: NDArray[np.bool_], count: int) -> float:
    """Return the area under precision over recall at 101 points, precision never falling with recall."""
    if not len(hits):
        return 0.0
    true = np.cumsum(hits)
    recall = true / count
    precision = true / np.arange(1, len(hits) + 1)
    across = np.concatenate(([0.0], recall, [recall[-1], 1.0]))
    up = np.concatenate(([1.0], precision, [0.0, 0.0]))
    falling = np.maximum.accumulate(up[::-1])[::-1]
    return float(np.trapezoid(np.interp(_RECALLS, across, falling), _RECALLS))
