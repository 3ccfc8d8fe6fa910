"""Colour images as grey ones."""

from __future__ import annotations

import numpy as np

from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2


def as_grey(pixels: Pixels) -> Pixels:
    """Return ``pixels``, RGB ``(H, W, 3)`` or grey, as contiguous grey ``(H, W)``: luma of ITU-R BT.601."""
    if pixels.ndim == 2:  # noqa: PLR2004 - grey
        return np.ascontiguousarray(pixels)
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
