"""Decoding of detector and classifier outputs; heads are recognised by the output shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspection.runtime.arrays import FloatArray, IntArray

_BOX = 4
_YOLOX_STRIDES = (8, 16, 32)


class Head(StrEnum):
    """Kinds of output.

    Attributes:
        YOLO: ``(1, 4 + classes, anchors)``: centre and size in pixels of the input, class scores 0 to 1 (YOLOv8, 11).
        END_TO_END: ``(1, boxes, 6)``: corners, score, class; boxes no longer overlap (YOLO26, YOLOv10).
        YOLOX: ``(1, anchors, 5 + classes)``: offsets on the grid, object score, class scores.
        CLASSIFIER: ``(1, classes)``: one value a class for the whole image.
    """

    YOLO = "yolo"
    END_TO_END = "end-to-end"
    YOLOX = "yolox"
    CLASSIFIER = "classifier"


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Decoded boxes: corners float32 ``(n, 4)`` in pixels of the input, scores ``(n,)``, classes ``(n,)``."""

    boxes: FloatArray
    scores: FloatArray
    classes: IntArray


class NotFiniteError(ValueError):
    """The output has NaN or infinite values; no result can be derived from it, not even that nothing was found."""


def recognise(
    shape: Sequence[int], height: int, width: int, class_count: int | None, *, end_to_end: bool = False
) -> tuple[Head, int] | None:
    """Return the head an output shape belongs to and its number of classes; None for an unknown shape.

    Args:
        shape: of the only output.
        height: rows of the network's input.
        width: its columns.
        class_count: number of class names in the metadata, if any.
        end_to_end: whether the metadata declare the output free of overlaps.
    """
    anchors = sum((height // stride) * (width // stride) for stride in _YOLOX_STRIDES)
    match list(shape):
        case [1, classes] | [1, classes, 1, 1]:
            head, count, min_classes = Head.CLASSIFIER, classes, 2
        case [1, boxes, 6] if class_count is not None and (end_to_end or boxes != anchors):
            head, count, min_classes = Head.END_TO_END, class_count, 1
        case [1, rows, columns] if columns == anchors:
            head, count, min_classes = Head.YOLO, rows - _BOX, 1
        case [1, rows, columns] if rows == anchors:
            head, count, min_classes = Head.YOLOX, columns - _BOX - 1, 1
        case _:
            return None
    return (head, count) if count >= min_classes and class_count in {None, count} else None


def decode_yolo(output: FloatArray, min_score: float) -> Candidates:
    """Return the candidates of a YOLO head whose best class scores above ``min_score``; ``output`` is ``(4 + c, n)``.

    Raises:
        NotFiniteError: when a score, or the position of a candidate, is NaN or infinite.
    """
    scores = output[_BOX:]
    best = scores.max(axis=0)
    chosen = np.flatnonzero(best > np.float32(min_score))
    centres, half = output[:2, chosen].T, output[2:_BOX, chosen].T / np.float32(2)
    boxes = np.concatenate((centres - half, centres + half), axis=1)
    _require_finite(best, boxes)
    return Candidates(boxes, best[chosen], scores[:, chosen].argmax(axis=0))


def decode_end_to_end(output: FloatArray, min_score: float) -> Candidates:
    """Return the rows of an end-to-end head above ``min_score``, by descending score; ``output`` is ``(n, 6)``.

    Raises:
        NotFiniteError: when a score, or the position or class of a candidate, is NaN or infinite.
    """
    chosen = output[output[:, _BOX] > np.float32(min_score)]
    _require_finite(output[:, _BOX], chosen)
    # Exporters sort them, but the file does not guarantee it.
    chosen = chosen[np.argsort(-chosen[:, _BOX], kind="stable")]
    return Candidates(chosen[:, :_BOX], chosen[:, _BOX], chosen[:, _BOX + 1].astype(np.intp))


def decode_yolox(output: FloatArray, min_score: float, height: int, width: int) -> Candidates:
    """Return the candidates of a YOLOX head; ``output`` is ``(n, 5 + c)`` (Ge et al. 2021, arXiv 2107.08430).

    Raises:
        NotFiniteError: when a score, or the position of a candidate, is NaN or infinite.
    """
    scores = output[:, _BOX + 1 :] * output[:, _BOX : _BOX + 1]
    best = scores.max(axis=1)
    chosen = np.flatnonzero(best > np.float32(min_score))
    cells, strides = yolox_grid(height, width)
    centres = (output[chosen, :2] + cells[chosen]) * strides[chosen]
    half = np.exp(output[chosen, 2:_BOX]) * strides[chosen] / np.float32(2)
    boxes = np.concatenate((centres - half, centres + half), axis=1)
    _require_finite(best, boxes)
    return Candidates(boxes, best[chosen], scores[chosen].argmax(axis=1))


def yolox_grid(height: int, width: int) -> tuple[FloatArray, FloatArray]:
    """Return cell (column, row) ``(n, 2)`` and stride ``(n, 1)`` of each YOLOX anchor, float32."""
    cells: list[NDArray[np.float32]] = []
    strides: list[NDArray[np.float32]] = []
    for stride in _YOLOX_STRIDES:
        rows, columns = height // stride, width // stride
        down, across = np.mgrid[:rows, :columns]
        cells.append(np.stack((across.ravel(), down.ravel()), axis=1).astype(np.float32))
        strides.append(np.full((rows * columns, 1), stride, np.float32))
    return np.concatenate(cells), np.concatenate(strides)


def probabilities(output: FloatArray, *, normalised: bool) -> FloatArray:
    """Return the class probabilities of a classifier, float32 ``(classes,)``.

    Args:
        output: of the graph, ``(classes,)``.
        normalised: whether these are probabilities already; else softmax is applied.

    Raises:
        NotFiniteError: when a value is NaN or infinite.
    """
    values = output.astype(np.float64)
    _require_finite(values)
    if not normalised:
        values = np.exp(values - values.max())
        values /= values.sum()
    return np.clip(values, 0.0, 1.0).astype(np.float32)


def _require_finite(*values: NDArray[np.floating[Any]]) -> None:
    if not all(np.isfinite(array).all() for array in values):
        raise NotFiniteError
