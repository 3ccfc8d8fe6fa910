"""Letterboxing: fitting an image into the network's input with its aspect ratio kept and the rest padded.

Geometry and rounding equal those of ultralytics 8.4 (``LetterBox`` and ``scale_boxes``), so that boxes are identical.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2

PADDING = 114
"""Grey value of the padding."""
_UNEVEN = 0.1


@dataclass(frozen=True, slots=True)
class Letterbox:
    """The position of an image in the network's input, in pixels.

    Attributes:
        height: rows of the original image.
        width: its columns.
        inner_height: rows of the image in the input.
        inner_width: its columns there.
        top: rows of padding above it.
        left: columns of padding left of it.
    """

    height: int
    width: int
    inner_height: int
    inner_width: int
    top: int
    left: int

    def to_original(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return boxes of the input as boxes of the original image, clipped to it.

        Args:
            boxes: float32 ``(n, 4)``: left, top, right, bottom.
        """
        offset = np.array([self.left, self.top, self.left, self.top], np.float32)
        across, down = self.inner_width / self.width, self.inner_height / self.height
        gain = np.array([across, down, across, down], np.float32)
        limit = np.array([self.width, self.height, self.width, self.height], np.float32)
        clipped: NDArray[np.float32] = np.clip((boxes - offset) / gain, np.float32(0), limit)
        return clipped


def fit(height: int, width: int, input_height: int, input_width: int, *, centred: bool = True) -> Letterbox:
    """Return the position of an image of ``height`` × ``width`` in an input of ``input_height`` × ``input_width``.

    Args:
        height: rows of the image.
        width: its columns.
        input_height: rows of the network's input.
        input_width: its columns.
        centred: pads both sides equally (YOLO), else only right and below (YOLOX).
    """
    ratio = min(input_height / height, input_width / width)
    inner_height, inner_width = max(round(height * ratio), 1), max(round(width * ratio), 1)
    top = round((input_height - inner_height) / 2 - _UNEVEN) if centred else 0
    left = round((input_width - inner_width) / 2 - _UNEVEN) if centred else 0
    return Letterbox(height, width, inner_height, inner_width, top, left)


def draw(pixels: Pixels, place: Letterbox, target: Pixels) -> None:
    """Draw an image into the network's input.

    Args:
        pixels: uint8 RGB ``(H, W, 3)``.
        place: of ``fit``.
        target: uint8 ``(input height, input width, 3)``, overwritten entirely.
    """
    bottom, right = place.top + place.inner_height, place.left + place.inner_width
    target[: place.top] = PADDING
    target[bottom:] = PADDING
    target[place.top : bottom, : place.left] = PADDING
    target[place.top : bottom, right:] = PADDING
    inner = target[place.top : bottom, place.left : right]
    if pixels.shape[:2] == inner.shape[:2]:
        inner[:] = pixels
    else:
        inner[:] = cv2.resize(pixels, (place.inner_width, place.inner_height), interpolation=cv2.INTER_LINEAR)
