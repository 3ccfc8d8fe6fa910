"""YOLO label files: a box a line, ``class centre-x centre-y width height`` relative to the image size, or a polygon.

A polygon, ``class x y x y x y…``, as segmentation sets and smart polygons have it, stands for the box around it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inspection.detection.reasons import InvalidMetadataError, decoded
from inspection.runtime.arrays import FloatArray
from models.errors import ImageFlowError, InvalidInput
from models.messages import LocalText
from models.storage import reason_of

_VALUES = 5
_LEAST_OF_POLYGON = 7
"""Class, and three points."""
_ROUNDING = 0.001
"""How far a share may lie outside 0 to 1: a box at the edge of an image, in few decimals."""
_MAX_BYTES = 8 * 1024 * 1024


class WrongLineError(ImageFlowError):
    """A line is not a valid box; ``code`` and ``values`` are those of the message, without file and line."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values: dict[str, Any] = values


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """A ground-truth box: class number, centre and size relative to the image size, 0 to 1."""

    number: int
    x: float
    y: float
    width: float
    height: float

    def as_line(self) -> str:
        """Return the line of a label file."""
        return f"{self.number} {self.x:.6f} {self.y:.6f} {self.width:.6f} {self.height:.6f}"


@dataclass(frozen=True, slots=True)
class LabelFile:
    """The content of a label file.

    Attributes:
        boxes: without duplicates.
        data: the bytes of the file; empty when it is missing.
        wrong: the error of each line that is no box, or of the file.
    """

    boxes: tuple[LabelledBox, ...] = ()
    data: bytes = b""
    wrong: tuple[InvalidInput, ...] = ()


def read_labels(path: Path, classes: int) -> LabelFile:
    """Return the content of a label file; no boxes when the file is missing.

    Its errors are ``detector-label-file``; with file and line ``detector-label-count``, ``detector-label-number``,
    ``detector-label-class`` or ``detector-label-share``.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return LabelFile()
    except OSError as error:
        return LabelFile(wrong=(_unreadable(path, reason_of(error)),))
    if len(data) > _MAX_BYTES:
        return LabelFile(wrong=(_unreadable(path, LocalText.of("detector-text-large", {"most": _MAX_BYTES})),))
    try:
        text = decoded(data)
    except InvalidMetadataError as error:
        return LabelFile(wrong=(_unreadable(path, error.reason),))
    boxes: dict[LabelledBox, None] = {}
    wrong = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            boxes[parse_line(line, classes)] = None
        except WrongLineError as error:
            wrong.append(InvalidInput(error.code, file=str(path), line=number, **error.values))
    return LabelFile(tuple(boxes), data, tuple(wrong))


def _unreadable(path: Path, reason: str) -> InvalidInput:
    return InvalidInput("detector-label-file", file=str(path), reason=reason)


def parse_line(line: str, classes: int) -> LabelledBox:
    """Return the box of a line: of a box, or around a polygon of three points or more.

    What lies outside the image by rounding is clipped.

    Raises:
        WrongLineError: when the line is neither.
    """
    try:
        values = [float(value) for value in line.split()]
    except ValueError as error:
        raise WrongLineError("detector-label-number") from error
    polygon = len(values) >= _LEAST_OF_POLYGON and len(values) % 2 == 1
    if len(values) != _VALUES and not polygon:
        raise WrongLineError("detector-label-count", count=len(values))
    number, *shares = values
    if not number.is_integer() or not 0 <= number < classes:
        raise WrongLineError("detector-label-class", given=f"{number:g}", last=classes - 1)
    if not all(math.isfinite(value) and -_ROUNDING <= value <= 1 + _ROUNDING for value in shares):
        raise WrongLineError("detector-label-share")
    x, y, width, height = _around(shares) if polygon else (min(max(value, 0.0), 1.0) for value in shares)
    if width == 0 or height == 0:
        raise WrongLineError("detector-label-share")
    return LabelledBox(int(number), x, y, width, height)


def _around(shares: list[float]) -> tuple[float, float, float, float]:
    """Return centre and size of the box around points, each as x and y."""
    clipped = [min(max(value, 0.0), 1.0) for value in shares]
    left, right = min(clipped[::2]), max(clipped[::2])
    top, bottom = min(clipped[1::2]), max(clipped[1::2])
    return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top


def corners(boxes: tuple[LabelledBox, ...], width: int, height: int) -> FloatArray:
    """Return left, top, right, bottom in pixels of an image of ``width`` × ``height``, float32 ``(n, 4)``."""
    rows = [
        (
            (box.x - box.width / 2) * width,
            (box.y - box.height / 2) * height,
            (box.x + box.width / 2) * width,
            (box.y + box.height / 2) * height,
        )
        for box in boxes
    ]
    return np.array(rows, np.float32).reshape(-1, 4)
