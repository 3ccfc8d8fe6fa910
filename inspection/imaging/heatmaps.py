"""Heatmaps as they are stored: grey images in which a fixed value is the threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.frames import Pixels

HEATMAP_THRESHOLD_VALUE = 128
"""Grey value of the threshold in a stored heatmap."""


def heatmap_pixels(heatmap: NDArray[np.float32], threshold: float) -> Pixels:
    """Return a heatmap as grey ``(H, W)`` uint8: 128 is the threshold, 255 twice of it and more.

    Args:
        heatmap: float32 ``(H, W)`` in the unit of the score.
        threshold: what the score was compared with; greater than 0.
    """
    scaled = np.rint(heatmap * (HEATMAP_THRESHOLD_VALUE / threshold))
    return np.asarray(np.clip(scaled, 0, 255), dtype=np.uint8)


def heatmap_of(pixels: Pixels, threshold: float) -> NDArray[np.float32]:
    """Return a stored heatmap, grey ``(H, W)`` uint8, as float32 in the unit of the score.

    The inverse of ``heatmap_pixels`` up to its steps of 1/128 of the threshold; what was beyond twice the threshold is
    at just below twice of it.
    """
    return pixels.astype(np.float32) * np.float32(threshold / HEATMAP_THRESHOLD_VALUE)
