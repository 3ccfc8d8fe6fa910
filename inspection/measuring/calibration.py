"""Millimetres per pixel of the original image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from inspection.imaging.frames import Pixels
from inspection.imaging.grey import as_grey
from inspection.imaging.opencv import cv2
from inspection.imaging.placement import Points
from models.errors import DoesNotFit

LEAST_CORNERS = 3
_EVEN_PX = 0.3
"""Largest residual of a uniform scale. Sharp images of flat boards from straight above stay below 0.1 pixels."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Millimetres per pixel of the original image, to the right and down; None measures in pixels.

    Attributes:
        x: along the rows.
        y: down the columns.
    """

    x: float | None = None
    y: float | None = None

    @property
    def unit(self) -> str:
        """``mm``, or ``px`` without a calibration."""
        return "mm" if self.x is not None else "px"

    def scaled(self, points: Points) -> Points:
        """Return points ``(N, 2)`` of the original in the unit."""
        scaled: Points = points * np.array(self._factors())
        return scaled

    def area(self, square_pixels: float) -> float:
        """Return an area of the original in square units."""
        x, y = self._factors()
        return square_pixels * x * y

    def _factors(self) -> tuple[float, float]:
        if self.x is None:
            return (1.0, 1.0)
        return (self.x, self.x if self.y is None else self.y)


@dataclass(frozen=True, slots=True)
class BoardCalibration:
    """The calibration by an image of a checkerboard.

    Attributes:
        x: millimetres per pixel along the rows of the image.
        y: millimetres per pixel down its columns.
        angle: clockwise rotation of the board, degrees, from -45 to 45: its sides are indistinguishable.
        residual: root mean square distance of the corners from a regular grid, millimetres.
    """

    x: float
    y: float
    angle: float
    residual: float

    @property
    def calibration(self) -> Calibration:
        """Millimetres per pixel."""
        return Calibration(self.x, self.y)

    @property
    def residual_px(self) -> float:
        """The residual in pixels of the image."""
        return self.residual / math.sqrt(self.x * self.y)

    @property
    def even(self) -> bool:
        """Whether the scale is uniform over the board: no perspective and no lens distortion."""
        return self.residual_px <= _EVEN_PX


def from_length(start: tuple[float, float], end: tuple[float, float], millimetres: float) -> Calibration:
    """Return the calibration by a known length between two points of the original, equal in both directions.

    Raises:
        ValueError: when the points coincide or the length is not positive.
    """
    pixels = math.dist(start, end)
    if pixels <= 0 or not millimetres > 0:
        raise ValueError("a reference length is longer than nothing")
    return Calibration(millimetres / pixels, millimetres / pixels)


def from_checkerboard(pixels: Pixels, columns: int, rows: int, square: float) -> BoardCalibration:
    """Return the calibration by an image of a checkerboard in the plane of the parts.

    Args:
        pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
        columns: inner corners in a row of the board, at least 3.
        rows: inner corners in a column, at least 3.
        square: side of a square in millimetres.

    Raises:
        ValueError: when a number is out of bounds.
        DoesNotFit: ``checkerboard-not-found``.
    """
    if columns < LEAST_CORNERS or rows < LEAST_CORNERS or not square > 0:
        raise ValueError("a checkerboard has at least 3 × 3 inner corners and squares with a size")
    found, corners = cv2.findChessboardCornersSB(as_grey(pixels), (columns, rows), flags=cv2.CALIB_CB_ACCURACY)
    if not found:
        raise DoesNotFit("checkerboard-not-found", columns=columns, rows=rows)
    places = np.asarray(corners, np.float64).reshape(-1, 2)
    grid = np.array([(column, row) for row in range(rows) for column in range(columns)], np.float64) * square
    known = np.hstack([places, np.ones((len(places), 1))])
    solution = np.linalg.lstsq(known, grid, rcond=None)[0]
    missed = known @ solution - grid
    across, down = solution[0], solution[1]
    angle = math.degrees(math.atan2(-across[1], across[0]))
    return BoardCalibration(
        float(np.hypot(*across)),
        float(np.hypot(*down)),
        angle=angle - 90 * round(angle / 90),
        residual=float(np.sqrt((missed**2).sum(axis=1).mean())),
    )
