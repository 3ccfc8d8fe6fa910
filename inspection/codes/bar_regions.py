"""Where bars may be in an image, and in which direction they stand.

A reader scans lines along the rows and columns of an image, so that it misses a bar code turned by about 20° to 70°.
Bars have one thing in common that texts and textures have not: all gradients of a neighbourhood have one direction. The
structure tensor (Bigun and Granlund 1987) gives both the direction and how far it is common.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.placement import Points

_WORKING_SIDE = 480
_WINDOW = 21
_COHERENCE = 0.65
_NOISE = 200.0
"""Gradient energy of noise; plain areas are incoherent by it."""
_DIRECTIONS = 9
_TOLERANCE = np.deg2rad(14)
_LEAST_AREA = 250
_MOST = 4
_SAME_PLACE, _SAME_DIRECTION = 15.0, 0.3
_QUIET_SHARE, _QUIET_PIXELS = 0.25, 40.0
"""Margin before and after the bars, for the quiet zones."""
_LEAST_HEIGHT = 12.0
_HIGHEST_PICTURE = 360
"""Of a region, in pixels; the middle of taller bars is enough to read along."""


@dataclass(frozen=True, slots=True)
class BarRegion:
    """A region of parallel bars.

    Attributes:
        x: centre in pixels of the image, to the right.
        y: centre, down.
        length: across the bars, in the direction of reading.
        height: along the bars.
        angle: of the direction of reading, in radians from the rows, clockwise on the screen.
    """

    x: float
    y: float
    length: float
    height: float
    angle: float

    def scaled(self, factor: float) -> BarRegion:
        """Return the region in an image scaled by ``factor``."""
        return BarRegion(self.x * factor, self.y * factor, self.length * factor, self.height * factor, self.angle)


def bar_regions(grey: Pixels) -> list[BarRegion]:
    """Return regions of parallel bars of a grey image ``(H, W)``, the most conspicuous first, four at most."""
    factor = min(1.0, _WORKING_SIDE / max(grey.shape))
    small = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if factor < 1 else grey
    smooth = cv2.GaussianBlur(small, (0, 0), 0.8)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    window = (_WINDOW, _WINDOW)
    energy = cv2.boxFilter(across * across + down * down, -1, window)
    # Direction as a vector of twice the angle: opposite gradients agree.
    cosine = cv2.boxFilter(across * across - down * down, -1, window)
    sine = cv2.boxFilter(2 * across * down, -1, window)
    coherent = cv2.magnitude(cosine, sine) > _COHERENCE * (energy + _NOISE)
    doubled = cv2.phase(cosine, sine)
    found: list[tuple[float, BarRegion]] = []
    for number in range(_DIRECTIONS):
        off = np.abs(doubled - number * 2 * np.pi / _DIRECTIONS)
        mask = coherent & (np.minimum(off, 2 * np.pi - off) < 2 * _TOLERANCE)
        _, labels, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
        areas = boxes[:, cv2.CC_STAT_AREA]
        areas[0] = 0  # the ground
        for label in np.flatnonzero(areas >= _LEAST_AREA):
            left, top, width, height, area = boxes[label].tolist()
            place = (slice(top, top + height), slice(left, left + width))
            inside = labels[place] == label
            angle = 0.5 * float(np.arctan2(sine[place][inside].sum(), cosine[place][inside].sum()))
            rows, columns = np.nonzero(inside)
            region = _region(columns + left + 0.5, rows + top + 0.5, angle)
            found.append((area * float(np.sqrt(energy[place][inside].mean())), region))
    kept: list[BarRegion] = []
    for _, region in sorted(found, key=lambda item: -item[0]):
        if len(kept) < _MOST and not any(_alike(region, other) for other in kept):
            kept.append(region)
    return [region.scaled(1 / factor) for region in kept]


def _region(x: Points, y: Points, angle: float) -> BarRegion:
    """Return the smallest rectangle in a direction about points, but for a few at its ends along the bars."""
    cosine, sine = np.cos(angle), np.sin(angle)
    along, beside = cosine * x + sine * y, -sine * x + cosine * y
    first, last = float(along.min()), float(along.max())
    top, bottom = np.percentile(beside, [3, 97]).tolist()
    middle, level = (first + last) / 2, (top + bottom) / 2
    return BarRegion(
        float(cosine * middle - sine * level), float(sine * middle + cosine * level), last - first, bottom - top, angle
    )


def _alike(one: BarRegion, other: BarRegion) -> bool:
    near = np.hypot(one.x - other.x, one.y - other.y) < _SAME_PLACE
    return bool(near and abs(np.sin(one.angle - other.angle)) < _SAME_DIRECTION)


def upright(grey: Pixels, region: BarRegion, scale: float) -> tuple[Pixels, Points]:
    """Return the middle of a region with its bars upright and enlarged, and a matrix to places of the image.

    Args:
        grey: the image, uint8 ``(H, W)``.
        region: of it.
        scale: factor of enlargement.

    Returns:
        the picture, and ``(2, 3)``; a pixel covers one unit, the first from 0 to 1.
    """
    width = max(1, round((region.length * (1 + _QUIET_SHARE) + _QUIET_PIXELS) * scale))
    height = max(1, min(_HIGHEST_PICTURE, round(max(region.height, _LEAST_HEIGHT) * scale)))
    cosine, sine = np.cos(region.angle) / scale, np.sin(region.angle) / scale
    turn = np.array([[cosine, -sine], [sine, cosine]])
    shift = np.array([region.x, region.y]) - turn @ np.array([width / 2, height / 2])
    # OpenCV counts from the middle of the first pixel.
    of_middles = np.column_stack([turn, shift + turn @ np.array([0.5, 0.5]) - 0.5])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    turned = cv2.warpAffine(grey, of_middles, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return turned.astype(np.uint8, copy=False), np.column_stack([turn, shift])
