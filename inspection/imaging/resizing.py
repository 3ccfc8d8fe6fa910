"""Resizing an image by fitting, filling or stretching."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.picture import Picture

ResizeMode = Literal["fit", "fill", "stretch"]
LARGEST_SIDE = 8192


def resize_pixels(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return ``pixels`` at ``width`` × ``height``: area averaging when shrinking, bilinear when enlarging.

    Args:
        pixels: uint8, RGB ``(H, W, 3)`` or grey ``(H, W)``.
        width: of the result, pixels.
        height: of the result, pixels.

    Returns:
        uint8 ``(height, width, 3)`` or ``(height, width)``.
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    shrinks = width <= pixels.shape[1] and height <= pixels.shape[0]
    resized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return resized.astype(pixels.dtype, copy=False)


def resize_picture(
    picture: Picture, width: int, height: int, mode: ResizeMode = "fit", *, enlarge: bool = False
) -> Picture:
    """Return ``picture`` resized to a box; its placement follows.

    Args:
        picture: the image to resize.
        width: of the box in pixels.
        height: of the box in pixels.
        mode: ``fit`` keeps the aspect and fits all of the image into the box; ``fill`` keeps the aspect, covers the box
            and crops evenly what exceeds it; ``stretch`` gives exactly the box.
        enlarge: whether an image smaller than the box is enlarged.
    """
    rows, columns = picture.pixels.shape[:2]
    if mode == "stretch":
        if not enlarge:
            return _scaled(picture, min(columns, width), min(rows, height))
        return _scaled(picture, width, height)
    horizontal, vertical = width / columns, height / rows
    factor = min(horizontal, vertical) if mode == "fit" else max(horizontal, vertical)
    if not enlarge:
        factor = min(factor, 1.0)
    if mode == "fill" and max(columns, rows) * factor > LARGEST_SIDE:
        # Only the centre remains; a long, narrow image would not fit into memory when enlarged as a whole.
        picture = _centre(picture, math.ceil(width / factor), math.ceil(height / factor))
        rows, columns = picture.pixels.shape[:2]
    scaled = _scaled(picture, max(1, round(columns * factor)), max(1, round(rows * factor)))
    return scaled if mode == "fit" else _centre(scaled, width, height)


def _scaled(picture: Picture, width: int, height: int) -> Picture:
    before = picture.pixels.shape
    across, down = width / before[1], height / before[0]
    return replace(
        picture,
        pixels=resize_pixels(picture.pixels, width, height),
        placement=picture.placement.then(across, down),
        resized=(picture.resized[0] * across, picture.resized[1] * down),
    )


def _centre(picture: Picture, width: int, height: int) -> Picture:
    have_height, have_width = picture.pixels.shape[:2]
    left, top = max(0, (have_width - width) // 2), max(0, (have_height - height) // 2)
    cut = picture.pixels[top : top + height, left : left + width]
    return replace(picture, pixels=cut.copy(), placement=picture.placement.then(1.0, 1.0, left, top))
