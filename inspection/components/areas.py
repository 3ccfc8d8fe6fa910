"""Areas drawn by users: rectangles and polygons, in pixels of a step's input."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import numpy as np
from pydantic import ConfigDict, Field

from inspection.components.numbers import JsonNumbers
from inspection.imaging.frames import Pixels
from inspection.imaging.placement import Mask, Points, corners_of

_FURTHEST = 100_000.0
_MOST_CORNERS = 1000

Coordinate = Annotated[float, Field(ge=-_FURTHEST, le=_FURTHEST, allow_inf_nan=False)]
Corner = tuple[Coordinate, Coordinate]
Polygon = Annotated[tuple[Corner, ...], Field(min_length=3, max_length=_MOST_CORNERS)]


class Rectangle(JsonNumbers):
    """A rectangle in pixels: top-left corner and size."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    x: Coordinate = Field(description="Left edge, pixels.")
    y: Coordinate = Field(description="Top edge, pixels.")
    width: float = Field(gt=0, le=_FURTHEST, allow_inf_nan=False, description="Width in pixels.")
    height: float = Field(gt=0, le=_FURTHEST, allow_inf_nan=False, description="Height in pixels.")

    def corners(self) -> Points:
        """Return the corners ``(4, 2)``, clockwise from the top left."""
        return corners_of(self.x, self.y, self.width, self.height)


def polygon_points(polygon: Iterable[Corner]) -> Points:
    """Return the corners of a polygon as ``(N, 2)``."""
    return np.array(list(polygon), np.float64).reshape(-1, 2)


def mask_of(areas: Iterable[Points], picture: Pixels) -> Mask:
    """Return a mask, bool ``(H, W)``, of the pixels of ``picture`` whose centre lies in one of the polygons.

    Self-intersecting polygons follow the even-odd rule.
    """
    height, width = picture.shape[:2]
    inside = np.zeros((height, width), np.bool_)
    for corners in areas:
        crossings = np.zeros((height, width + 1), np.uint8)
        for (x, y), (next_x, next_y) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            upper, lower = min(y, next_y), max(y, next_y)
            first, last = (int(np.clip(np.ceil(bound - 0.5), 0, height)) for bound in (upper, lower))
            if last <= first:
                continue
            rows = np.arange(first, last)
            across = x + (rows + 0.5 - y) * (next_x - x) / (next_y - y)
            crossings[rows, np.clip(np.ceil(across - 0.5), 0, width).astype(np.intp)] ^= 1
        inside |= np.bitwise_xor.accumulate(crossings, axis=1)[:, :width].astype(np.bool_)
    return inside
