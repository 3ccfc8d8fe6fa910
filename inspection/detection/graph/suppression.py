"""Greedy non-maximum suppression per class, equal to that of ultralytics 8.4."""

from __future__ import annotations

import numpy as np

from inspection.runtime.arrays import FloatArray, IntArray

CLASS_OFFSET = np.float32(7680)
"""Boxes of different classes are shifted apart by this many pixels, so that they never overlap."""
MAX_CANDIDATES = 30_000


def non_max_suppression(
    boxes: FloatArray, scores: FloatArray, classes: IntArray, iou: float, max_kept: int
) -> IntArray:
    """Return the indices of the boxes to keep, by descending score.

    A box is removed when a kept box of its class overlaps it by more than ``iou``.

    Args:
        boxes: float32 ``(n, 4)``: left, top, right, bottom in pixels of the network's input.
        scores: float32 ``(n,)``.
        classes: ``(n,)``.
        iou: intersection over union, 0 to 1.
        max_kept: maximum number of boxes kept.
    """
    order: IntArray = np.argsort(-scores, kind="stable")[:MAX_CANDIDATES]
    # In float32 as in ultralytics: boxes of high class numbers lie on a coarser grid.
    moved = boxes + (classes.astype(np.float32) * CLASS_OFFSET)[:, None]
    areas = (moved[:, 2] - moved[:, 0]) * (moved[:, 3] - moved[:, 1])
    kept: list[int] = []
    while order.size and len(kept) < max_kept:
        first, rest = int(order[0]), order[1:]
        kept.append(first)
        upper = np.maximum(moved[first, :2], moved[rest, :2])
        lower = np.minimum(moved[first, 2:], moved[rest, 2:])
        sides = np.maximum(lower - upper, np.float32(0))
        shared = sides[:, 0] * sides[:, 1]
        union = areas[first] + areas[rest] - shared
        # 0 / 0 for two boxes without area: no overlap.
        overlap = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
        order = rest[overlap <= np.float32(iou)]
    return np.array(kept, np.intp)


def iou_matrix(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return intersection over union of each box of ``first`` with each of ``second``, float32 ``(n, m)``."""
    upper = np.maximum(first[:, None, :2], second[None, :, :2])
    lower = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.maximum(lower - upper, np.float32(0))
    shared = sides[..., 0] * sides[..., 1]
    area_first = (first[:, 2] - first[:, 0]) * (first[:, 3] - first[:, 1])
    area_second = (second[:, 2] - second[:, 0]) * (second[:, 3] - second[:, 1])
    union = area_first[:, None] + area_second[None, :] - shared
    found: FloatArray = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return found
