"""How many pixels the network is given: usually, at least and at most."""

from __future__ import annotations

MEDIAN_SIDE = 288
"""The median area of the training images becomes this, squared."""
MIN_SIDE = 32
_MAX_AREA = 16 * MEDIAN_SIDE**2


def is_too_large(height: float, width: float, scale: float) -> bool:
    """Say whether an image would have more than 16 times the area of the usual one.

    Args:
        height: rows of the original image.
        width: its columns.
        scale: network pixels per original pixel.
    """
    # A line of a million pixels has little area, but grows to the least side.
    return max(height * scale, MIN_SIDE) * max(width * scale, MIN_SIDE) > _MAX_AREA
