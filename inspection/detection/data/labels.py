"""YOLO label files: one box per line, ``class centre-x centre-y width height`` relative to the image size."""

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


def read_labels(path: Path, classes: int) -> tuple[tuple[LabelledBox, ...], bytes]:
    """Return the boxes of a label file without duplicates, and its bytes; none when the file is missing.

    Raises:
        InvalidInput: ``detector-label-file``; with file and line ``detector-label-count``, ``detector-label-number``,
            ``detector-label-class`` or ``detector-label-share``.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return (), b""
    except OSError as error:
        raise InvalidInput("detector-label-file", file=str(path), reason=reason_of(error)) from error
    if len(data) > _MAX_BYTES:
        raise InvalidInput(
            "detector-label-file", file=str(path), reason=LocalText.of("detector-text-large", {"most": _MAX_BYTES})
        )
    try:
        text = decoded(data)
    except InvalidMetadataError as error:
        raise InvalidInput("detector-label-file", file=str(path), reason=error.reason) from error
    boxes: dict[LabelledBox, None] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            boxes[parse_line(line, classes)] = None
        except WrongLineError as error:
            raise InvalidInput(error.code, file=str(path), line=number, **error.values) from error
    return tuple(boxes), data


def parse_line(line: str, classes: int) -> LabelledBox:
    """Return the box of a line.

    Raises:
        WrongLineError: when the line is not a valid box.
    """
    try:
        values = [float(value) for value in line.split()]
    except ValueError as error:
        raise WrongLineError("detector-label-number") from error
    if len(values) != _VALUES:
        raise WrongLineError("detector-label-count", count=len(values))
    number, x, y, width, height = values
    if not number.is_integer() or not 0 <= number < classes:
        raise WrongLineError("detector-label-class", given=f"{number:g}", last=classes - 1)
    if not all(math.isfinite(value) and 0 <= value <= 1 for value in values[1:]) or width == 0 or height == 0:
        raise WrongLineError("detector-label-share")
    return LabelledBox(int(number), x, y, width, height)


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
