"""Placement of a step's image on the original image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from models.results import BoundingBox, Point

FloatMap = NDArray[np.float32]
Mask = NDArray[np.bool_]
Points = NDArray[np.float64]
"""float64 ``(N, 2)``: x and y of each point; the first pixel covers 0 to 1."""
Affine = tuple[float, float, float, float, float, float]
"""``(a, b, c, d, e, f)``: ``x' = a x + b y + c``, ``y' = d x + e y + f``."""

_IDENTITY: Affine = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Placement:
    """The affine map from the original image to the image of a step.

    Attributes:
        width: columns of the original image.
        height: rows of the original image.
        affine: maps points of the original to points of the picture.
    """

    width: int
    height: int
    affine: Affine = _IDENTITY

    @property
    def identity(self) -> bool:
        """Whether the map is the identity."""
        return self.affine == _IDENTITY

    @property
    def scale_x(self) -> float:
        """Picture pixels per original pixel along the original's rows."""
        return math.hypot(self.affine[0], self.affine[3])

    @property
    def scale_y(self) -> float:
        """Picture pixels per original pixel down the original's columns."""
        return math.hypot(self.affine[1], self.affine[4])

    @property
    def area_scale(self) -> float:
        """Square pixels of the picture per square pixel of the original."""
        a, b, _, d, e, _ = self.affine
        return abs(a * e - b * d)

    def then(self, scale_x: float, scale_y: float, offset_x: float = 0.0, offset_y: float = 0.0) -> Placement:
        """Return the placement after scaling the picture and then cropping the offsets at the left and the top."""
        return self.warped((scale_x, 0.0, -offset_x, 0.0, scale_y, -offset_y))

    def warped(self, affine: Affine) -> Placement:
        """Return the placement after ``affine`` was applied to the points of the picture."""
        product = _square(affine) @ _square(self.affine)
        a, b, c, d, e, f = (float(value) for value in product[:2].ravel())
        return Placement(self.width, self.height, (a, b, c, d, e, f))

    def to_original(self, points: Points) -> Points:
        """Return points ``(N, 2)`` of the picture as points of the original."""
        inverse = np.linalg.inv(_square(self.affine))
        moved: Points = points @ inverse[:2, :2].T + inverse[:2, 2]
        return moved

    def from_original(self, points: Points) -> Points:
        """Return points ``(N, 2)`` of the original as points of the picture."""
        matrix = _square(self.affine)
        return points @ matrix[:2, :2].T + matrix[:2, 2]

    def map_to_original(self, values: FloatMap) -> FloatMap:
        """Return a map over the picture as a map over the original, bilinear, 0 outside the picture.

        Args:
            values: float32 ``(h, w)`` over the picture.

        Returns:
            float32 ``(height, width)``.
        """
        if self.identity and values.shape == (self.height, self.width):
            return values
        if self._only_scaled and self._covers(values):
            stretched = cv2.resize(values, (self.width, self.height), interpolation=cv2.INTER_LINEAR)
            return stretched.astype(np.float32, copy=False)
        moved = cv2.warpAffine(
            values,
            self.pixel_matrix(),
            (self.width, self.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=0,
        )
        return moved.astype(np.float32, copy=False)

    def map_from_original(self, values: FloatMap, picture: Pixels) -> FloatMap:
        """Return a float32 map over the original as one over ``picture``, of its height and width, bilinear."""
        height, width = picture.shape[:2]
        if self.identity and values.shape == (height, width):
            return values
        moved = cv2.warpAffine(
            values, self.pixel_matrix(), (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return moved.astype(np.float32, copy=False)

    def mask_from_original(self, mask: Mask, picture: Pixels, *, outside: bool) -> Mask:
        """Return a mask over the original as a mask over ``picture``, nearest pixel.

        Args:
            mask: bool ``(height, width)``.
            picture: gives height and width of the result.
            outside: the value beyond the edges of the original.
        """
        height, width = picture.shape[:2]
        if self.identity and mask.shape == (height, width):
            return mask
        moved = cv2.warpAffine(
            mask.astype(np.uint8),
            self.pixel_matrix(),
            (width, height),
            flags=cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=int(outside),
        )
        return moved.astype(np.bool_)

    def mask_to_original(self, mask: Mask, *, outside: bool) -> Mask:
        """Return a mask over the picture, bool ``(h, w)``, as one over the original, bool ``(H, W)``.

        A pixel takes the value of the nearest one, beyond the picture ``outside``.
        """
        if self.identity and mask.shape == (self.height, self.width):
            return mask
        moved = cv2.warpAffine(
            mask.astype(np.uint8),
            self.pixel_matrix(),
            (self.width, self.height),
            flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=int(outside),
        )
        return moved.astype(np.bool_)

    def shows_only_original(self, picture: Pixels) -> bool:
        """Return whether each pixel of ``picture``, uint8 ``(h, w[, 3])``, is on the original, within half a pixel."""
        corners = self.to_original(corners_of(0.0, 0.0, float(picture.shape[1]), float(picture.shape[0])))
        lowest, highest = corners.min(axis=0), corners.max(axis=0)
        slack = 0.5 / min(self.scale_x, self.scale_y) + 1e-6
        return bool((lowest >= -slack).all() and (highest <= np.array([self.width, self.height]) + slack).all())

    def box_from_original(self, box: BoundingBox) -> BoundingBox:
        """Return the bounding box on the picture of a box on the original, not clipped."""
        return hull_of(self.from_original(corners_of(box.x, box.y, box.width, box.height)))

    def box_to_original(self, box: BoundingBox) -> BoundingBox:
        """Return the bounding box on the original of a box on the picture, clipped to the original."""
        corners = self.to_original(corners_of(box.x, box.y, box.width, box.height))
        return hull_of(np.clip(corners, 0.0, np.array([self.width, self.height], np.float64)))

    def pixel_matrix(self) -> NDArray[np.float64]:
        """Return ``affine`` in OpenCV's convention: float64 ``(2, 3)``, pixel centres at whole coordinates."""
        a, b, c, d, e, f = self.affine
        return np.array([[a, b, 0.5 * (a + b) + c - 0.5], [d, e, 0.5 * (d + e) + f - 0.5]])

    @property
    def _only_scaled(self) -> bool:
        _, b, c, d, _, f = self.affine
        return b == c == d == f == 0.0

    def _covers(self, values: FloatMap) -> bool:
        height, width = values.shape
        return bool(abs(self.width * self.scale_x - width) < 1.0 and abs(self.height * self.scale_y - height) < 1.0)


def corners_of(x: float, y: float, width: float, height: float) -> Points:
    """Return the corners ``(4, 2)`` of a box, clockwise from the top left."""
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float64)


def hull_of(points: Points) -> BoundingBox:
    """Return the smallest axis-aligned box around points ``(N, 2)``."""
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return BoundingBox(x=float(left), y=float(top), width=float(right - left), height=float(bottom - top))


def as_points(points: Sequence[Point]) -> Points:
    """Return points as an array ``(N, 2)``."""
    return np.array([(point.x, point.y) for point in points], np.float64).reshape(-1, 2)


def from_array(points: Points) -> list[Point]:
    """Return the rows of ``(N, 2)`` as points, rounded to a thousandth of a pixel."""
    return [Point(x=round(float(x), 3), y=round(float(y), 3)) for x, y in points]


def _square(affine: Affine) -> NDArray[np.float64]:
    return np.vstack([np.array(affine, np.float64).reshape(2, 3), [0.0, 0.0, 1.0]])
