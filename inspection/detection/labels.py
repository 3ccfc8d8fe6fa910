"""Label files of YOLO: a line a box, ``class centre-x centre-y width height`` as shares of the image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inspection.detection.suppression import FloatArray
from models.errors import InvalidInput

_VALUES = 5
_MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """A box as a person drew it: class, centre and size as shares of the image, 0 to 1."""

    number: int
    x: float
    y: float
    width: float
    height: float

    def as_line(self) -> str:
        """Return the line of a label file."""
        return f"{self.number} {self.x:.6f} {self.y:.6f} {self.width:.6f} {self.height:.6f}"


def read_labels(path: Path, classes: int) -> tuple[tuple[LabelledBox, ...], bytes]:
    """Return the boxes of a label file, each once, and its bytes.

    Raises:
        InvalidInput: ``detector-data-label`` with file, line and what is wrong.
    """
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("detector-data-label", file=str(path), line=1, reason=str(error)) from error
    if len(data) > _MOST_BYTES:
        raise InvalidInput("detector-data-label", file=str(path), line=1, reason=f"more than {_MOST_BYTES} bytes")
    boxes: dict[LabelledBox, None] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            boxes[parse_line(line, classes)] = None
        except ValueError as error:
            raise InvalidInput("detector-data-label", file=str(path), line=number, reason=str(error)) from error
    return tuple(boxes), data


def parse_line(line: str, classes: int) -> LabelledBox:
    """Return the box of a line.

    Raises:
        ValueError: with what is wrong with it.
    """
    values = [float(value) for value in line.split()]
    if len(values) != _VALUES:
        raise ValueError(f"{len(values)} values instead of {_VALUES}: class, centre x, centre y, width, height")
    number, x, y, width, height = values
    if not number.is_integer() or not 0 <= number < classes:
        raise ValueError(f"class {values[0]:g}, and there are 0 to {classes - 1}")
    if not all(math.isfinite(value) and 0 <= value <= 1 for value in values[1:]) or width == 0 or height == 0:
        raise ValueError("places and sizes are shares of the image between 0 and 1, sizes above 0")
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
