"""The picture of a wrong verdict for a report: the image beside its heatmap overlay, reduced."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inspection.components.overlay import draw_overlay
from inspection.components.values import AnomalyFinding
from inspection.imaging.files import encode_jpeg
from inspection.imaging.frames import Pixels, as_rgb
from inspection.imaging.opencv import cv2
from inspection.imaging.picture import Picture
from inspection.imaging.placement import FloatMap

LONGEST_SIDE = 400
_GAP = 4
_QUALITY = 80
_MASK_COLOUR = (0, 230, 118)
# An escape's heatmap lies below the threshold and would show no colour: it is scaled to its own maximum instead.
_PEAK_OVER_REFERENCE = 1.3
# Wider images are stacked vertically.
_WIDE = 1.5


def picture_of(
    pixels: Pixels, heatmap: FloatMap, score: float, threshold: float, mask: NDArray[np.bool_] | None
) -> bytes:
    """Return a JPEG of some 30 KB: the image with the mask outlined in green, beside the image with the heatmap.

    Args:
        pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
        heatmap: float32 ``(H, W)`` in the unit of the score.
        score: of the image.
        threshold: the one that applies.
        mask: bool ``(H, W)``, True on defects; None when unknown.
    """
    height, width = heatmap.shape
    shrink = min(1.0, LONGEST_SIDE / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    small: Pixels = np.asarray(cv2.resize(as_rgb(pixels), size, interpolation=cv2.INTER_AREA), np.uint8)
    heat = cv2.resize(heatmap, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
    plain = small.copy()
    if mask is not None:
        marked = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT)
        outlines, _ = cv2.findContours(marked, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(plain, outlines, -1, _MASK_COLOUR, 1)
    reference = min(threshold, score / _PEAK_OVER_REFERENCE) if score > 0 else threshold
    seen = draw_overlay(Picture.original(small), anomaly=AnomalyFinding(score, reference, heat))
    return encode_jpeg(_together(plain, seen), _QUALITY)


def _together(first: Pixels, second: Pixels) -> Pixels:
    height, width = first.shape[:2]
    if width > _WIDE * height:
        return np.concatenate([first, np.full((_GAP, width, 3), 255, np.uint8), second], axis=0)
    return np.concatenate([first, np.full((height, _GAP, 3), 255, np.uint8), second], axis=1)
