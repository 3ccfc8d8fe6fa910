"""Median, minimum and maximum area of the network's input."""

from __future__ import annotations

MEDIAN_SIDE = 288
"""Training images are scaled so that their median area is the square of this side, where nothing else is said."""
MIN_SIDE = 32
_MAX_AREA = 16 * MEDIAN_SIDE**2


def is_too_large(height: float, width: float, scale: float) -> bool:
    """Return whether an image would have more than 16 times the median area.

    Args:
        height: rows of the original image.
        width: its columns.
        scale: network pixels per original pixel.
    """
    # A line of a million pixels has little area but is enlarged to the minimum side.
    return max(height * scale, MIN_SIDE) * max(width * scale, MIN_SIDE) > _MAX_AREA
