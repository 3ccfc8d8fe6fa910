"""Segmentation of objects that are darker or brighter than the background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.placement import Mask, Points, corners_of

Tone = Literal["dark", "bright"]

_LEVELS = 256
_EDGE = 2
"""Half width in pixels of the band of mixed pixels along an outline."""
_MOST_FINE = 500
"""Number of objects, the largest, with sub-pixel areas; an image of grain has a hundred thousand."""
_NEIGHBOURHOOD = 15
"""Side in pixels of the square over which the brightness of object and background is averaged at an edge."""


@dataclass(frozen=True, slots=True, eq=False)
class Blob:
    """A connected object.

    Attributes:
        area: square pixels of the image, with sub-pixel accuracy at sharp edges.
        outline: its outer outline, float64 ``(N, 2)``, pixels of the image.
    """

    area: float
    outline: Points


def otsu_threshold(grey: Pixels, valid_mask: Mask | None) -> tuple[float, float]:
    """Return Otsu's threshold, and the difference of the mean grey values of the two classes; 0 and 0 without two.

    Args:
        grey: uint8 ``(H, W)``.
        valid_mask: bool ``(H, W)``, true for pixels that count; None when all do.

    Otsu 1979, "A threshold selection method from gray-level histograms".
    """
    values = grey.ravel() if valid_mask is None else grey[valid_mask]
    counts = np.bincount(values, minlength=_LEVELS).astype(np.float64)
    total = counts.sum()
    if total == 0:
        return 0.0, 0.0
    below = np.cumsum(counts)
    sums = np.cumsum(counts * np.arange(_LEVELS))
    above = total - below
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = sums / below, (sums[-1] - sums) / above
        between = np.where((below > 0) & (above > 0), below * above * (high - low) ** 2, 0.0)
    best = np.flatnonzero(between == between.max())
    if between.max() == 0:
        return 0.0, 0.0
    level = int(best[len(best) // 2])
    return level + 0.5, float(high[level] - low[level])


def segment(
    grey: Pixels,
    *,
    tone: Tone,
    threshold: float | None,
    valid_mask: Mask | None,
    least_contrast: float,
    fill_holes: bool = False,
) -> list[Blob]:
    """Return the connected objects of an image, largest first.

    Beyond the 500 largest, areas are counts of whole pixels and outlines are bounding boxes.

    Args:
        grey: uint8 ``(H, W)``.
        tone: whether objects are darker or brighter than the background.
        threshold: grey value between object and background; None takes Otsu's.
        valid_mask: bool ``(H, W)``, true for valid pixels; None when all are.
        least_contrast: smallest difference of the mean grey values of object and background for Otsu's threshold to be
            used; below it nothing is found, as in a uniform image with noise.
        fill_holes: whether holes in an object, with their contents, belong to it.
    """
    level = threshold
    if level is None:
        level, contrast = otsu_threshold(grey, valid_mask)
        if contrast < least_contrast:
            return []
    mask = grey < level if tone == "dark" else grey > level
    if valid_mask is not None:
        mask = mask & valid_mask
    material = mask
    if fill_holes:
        mask = _filled(mask)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    blobs = []
    order = 1 + np.argsort(-stats[1:count, cv2.CC_STAT_AREA], kind="stable")
    for rank, index in enumerate(order):
        left, top, width, height, pixels = (int(value) for value in stats[index])
        if rank >= _MOST_FINE:
            blobs.append(Blob(float(pixels), corners_of(left, top, width, height)))
            continue
        margin = _EDGE + _NEIGHBOURHOOD // 2 + 1
        window = (
            slice(max(0, top - margin), top + height + margin),
            slice(max(0, left - margin), left + width + margin),
        )
        own, others = labels[window] == index, mask[window] & (labels[window] != index)
        usable = ~others if valid_mask is None else ~others & valid_mask[window]
        contours = cv2.findContours(own.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
        outline = max(contours, key=len).reshape(-1, 2).astype(np.float64)
        outline += 0.5 + np.array([window[1].start, window[0].start])
        blobs.append(Blob(_fine_area(grey[window], own, material[window], usable), outline))
    return sorted(blobs, key=lambda blob: -blob.area)


def _filled(mask: Mask) -> Mask:
    """Return ``mask`` with holes filled; an object in a hole of another becomes part of it."""
    outlines = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    filled = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(filled, outlines, -1, 1, cv2.FILLED)
    return filled.astype(np.bool_)


def _fine_area(grey: Pixels, own: Mask, material: Mask, usable: Mask) -> float:
    """Return the area in square pixels, each pixel along the outline weighted by its coverage.

    The coverage of a pixel on a sharp edge follows from its brightness between those of object and background nearby.

    Args:
        grey: uint8 ``(H, W)``.
        own: pixels of the object, with filled holes.
        material: pixels on the object's side of the threshold, without holes.
        usable: valid pixels that belong to no other object.
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _EDGE + 1, 2 * _EDGE + 1))
    inner = cv2.erode(own.astype(np.uint8), disc, borderType=cv2.BORDER_CONSTANT, borderValue=0).astype(np.bool_)
    outer = cv2.dilate(own.astype(np.uint8), disc).astype(np.bool_)
    edge = outer & ~inner & usable
    values = grey.astype(np.float32)
    thing, ground = _mean_near(values, inner & material & usable), _mean_near(values, ~outer & usable)
    known = edge & ~np.isnan(thing) & ~np.isnan(ground)
    known[known] = np.abs(thing[known] - ground[known]) >= 1
    covered = own.astype(np.float64)
    covered[known] = np.clip((values[known] - ground[known]) / (thing[known] - ground[known]), 0.0, 1.0)
    return float(covered[(own | edge) & (own | usable)].sum())


def _mean_near(values: NDArray[np.float32], mask: Mask) -> NDArray[np.float32]:
    """Return the local mean of ``values`` over ``mask``, float32 ``(H, W)``; NaN without masked pixels nearby."""
    side = (_NEIGHBOURHOOD, _NEIGHBOURHOOD)
    weights = cv2.blur(mask.astype(np.float32), side, borderType=cv2.BORDER_CONSTANT)
    sums = cv2.blur(np.where(mask, values, np.float32(0)), side, borderType=cv2.BORDER_CONSTANT)
    present = weights > 0.5 / _NEIGHBOURHOOD**2
    return np.where(present, sums / np.where(present, weights, 1), np.nan).astype(np.float32)
