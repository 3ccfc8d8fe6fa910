"""Where a picture that a step made lies on the original image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.frames import Pixels
from inspection.opencv import cv2
from models.results import BoundingBox

FloatMap = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Placement:
    """The map from the original image to a picture: ``x_picture = x_original * scale_x - offset_x``, y likewise.

    Attributes:
        width: columns of the original image.
        height: rows of the original image.
        scale_x: picture pixels per original pixel.
        scale_y: the same downwards.
        offset_x: picture pixels cut off at the left.
        offset_y: picture pixels cut off at the top.
    """

    width: int
    height: int
    scale_x: float = 1.0
    scale_y: float = 1.0
    offset_x: float = 0.0
    offset_y: float = 0.0

    @property
    def identity(self) -> bool:
        """Whether the picture is the original, pixel for pixel."""
        return (self.scale_x, self.scale_y, self.offset_x, self.offset_y) == (1.0, 1.0, 0.0, 0.0)

    def then(self, scale_x: float, scale_y: float, offset_x: float = 0.0, offset_y: float = 0.0) -> Placement:
        """Return the placement after scaling the picture and then cutting the offsets off."""
        return Placement(
            self.width,
            self.height,
            self.scale_x * scale_x,
            self.scale_y * scale_y,
            self.offset_x * scale_x + offset_x,
            self.offset_y * scale_y + offset_y,
        )

    def map_to_original(self, values: FloatMap) -> FloatMap:
        """Return a map over the picture as a map over the original, bilinear, 0 where the picture does not reach.

        Args:
            values: float32 ``(h, w)`` of the picture.

        Returns:
            float32 ``(height, width)``.
        """
        if self.identity and values.shape == (self.height, self.width):
            return values
        if self.offset_x == self.offset_y == 0.0 and self._covers(values):
            stretched = cv2.resize(values, (self.width, self.height), interpolation=cv2.INTER_LINEAR)
            return stretched.astype(np.float32, copy=False)
        moved = cv2.warpAffine(
            values,
            self._matrix(),
            (self.width, self.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=0,
        )
        return moved.astype(np.float32, copy=False)

    def map_from_original(self, values: FloatMap, picture: Pixels) -> FloatMap:
        """Return a map over the original as a map over ``picture`` (its height and width)."""
        height, width = picture.shape[:2]
        if self.identity and values.shape == (height, width):
            return values
        moved = cv2.warpAffine(
            values, self._matrix(), (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return moved.astype(np.float32, copy=False)

    def box_from_original(self, box: BoundingBox) -> BoundingBox:
        """Return a box on the original as a box on the picture; parts outside stay outside."""
        return BoundingBox(
            x=box.x * self.scale_x - self.offset_x,
            y=box.y * self.scale_y - self.offset_y,
            width=box.width * self.scale_x,
            height=box.height * self.scale_y,
        )

    def _covers(self, values: FloatMap) -> bool:
        height, width = values.shape
        return bool(abs(self.width * self.scale_x - width) < 1.0 and abs(self.height * self.scale_y - height) < 1.0)

    def _matrix(self) -> NDArray[np.float64]:
        # Pixel centres lie at half coordinates: (x + 0.5) * scale - offset - 0.5.
        return np.array(
            [
                [self.scale_x, 0.0, 0.5 * self.scale_x - self.offset_x - 0.5],
                [0.0, self.scale_y, 0.5 * self.scale_y - self.offset_y - 0.5],
            ]
        )
