"""Which pixels belong to a thing that is darker or brighter than its ground."""

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
"""Pixels on either side of an outline in which grey values may be mixed."""
_MOST_FINE = 500
"""Of so many things, the largest, edges are looked at finely; a picture of grain has a hundred thousand."""
_NEIGHBOURHOOD = 15
"""Side of the square whose pure pixels tell how bright thing and ground are at an edge."""


@dataclass(frozen=True, slots=True, eq=False)
class Blob:
    """A connected thing.

    Attributes:
        area: in square pixels of the picture, finer than a pixel at sharp edges.
        outline: its outer outline ``(N, 2)`` in pixels of the picture.
    """

    area: float
    outline: Points


def otsu_threshold(grey: Pixels, counting: Mask | None) -> tuple[float, float]:
    """Return the threshold that parts the grey values best, and the difference of the means of the two parts.

    Otsu 1979, "A threshold selection method from gray-level histograms".
    """
    values = grey.ravel() if counting is None else grey[counting]
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
    counting: Mask | None,
    least_contrast: float,
    fill_holes: bool = False,
) -> list[Blob]:
    """Return the connected things of a picture, largest first.

    Beyond the 500 largest ones whole pixels are counted, and the outline is the box around them.

    Args:
        grey: uint8 ``(H, W)``.
        tone: whether the things are darker or brighter than the ground.
        threshold: grey value between thing and ground; None takes Otsu's.
        counting: which pixels count, bool ``(H, W)``; None takes all.
        least_contrast: grey values by which things and ground must differ in the mean for Otsu's threshold to mean
            anything; nothing is found in a picture that is even but for its noise.
        fill_holes: whether holes in a thing belong to it, with what lies in them.
    """
    level = threshold
    if level is None:
        level, contrast = otsu_threshold(grey, counting)
        if contrast < least_contrast:
            return []
    mask = grey < level if tone == "dark" else grey > level
    if counting is not None:
        mask = mask & counting
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
        usable = ~others if counting is None else ~others & counting[window]
        contours = cv2.findContours(own.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
        outline = max(contours, key=len).reshape(-1, 2).astype(np.float64)
        outline += 0.5 + np.array([window[1].start, window[0].start])
        blobs.append(Blob(_fine_area(grey[window], own, material[window], usable), outline))
    return sorted(blobs, key=lambda blob: -blob.area)


def _filled(mask: Mask) -> Mask:
    """Return ``mask`` without holes; a thing that lies in a hole of another is part of that."""
    outlines = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    filled = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(filled, outlines, -1, 1, cv2.FILLED)
    return filled.astype(np.bool_)


def _fine_area(grey: Pixels, own: Mask, material: Mask, usable: Mask) -> float:
    """Return the area with the pixels along the outline counted by how much of them the thing covers.

    A pixel on a sharp edge is as bright as the share of it that the thing covers says, between the brightness of the
    thing and of the ground nearby.

    Args:
        grey: uint8 ``(H, W)``.
        own: what belongs to the thing, filled holes too.
        material: what is as dark or as bright as a thing, holes not.
        usable: what counts and is of no other thing.
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
    """Return the mean of ``values`` where ``mask`` is true around every pixel; NaN where it is true nowhere near."""
    side = (_NEIGHBOURHOOD, _NEIGHBOURHOOD)
    weights = cv2.blur(mask.astype(np.float32), side, borderType=cv2.BORDER_CONSTANT)
    sums = cv2.blur(np.where(mask, values, np.float32(0)), side, borderType=cv2.BORDER_CONSTANT)
    present = weights > 0.5 / _NEIGHBOURHOOD**2
    return np.where(present, sums / np.where(present, weights, 1), np.nan).astype(np.float32)
