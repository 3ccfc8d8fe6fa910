"""Areas of the network's input: of the median image, and the largest of any image."""

from __future__ import annotations

MEDIAN_SIDE = 288
"""Side of the square of the median area where a model file says nothing else."""
STANDARD_SIDE = 384
"""The same of a new model at standard detail."""
MIN_SIDE = 32
LARGEST_SIDE = 2304
"""The median area of a model is at most the square of this side."""
TILE_SIDE = 576
"""Side of a tile in network pixels; smaller inputs are one tile of their own size."""
OVERLAP = 64
"""Least overlap of neighbouring tiles in network pixels: half of it from each."""
_MAX_AREA = 16 * STANDARD_SIDE**2
# The median height times the median width may exceed the median area, where some images stand and others lie.
_MEDIAN_AREA_SLACK = 2.0


def largest_area(median_area: float) -> float:
    """Return the largest area of an image's network input, in network pixels.

    16 times the standard median area, and at least twice that of the model: images of a detailed model vary less in
    size, and its memory is bounded.

    Args:
        median_area: of the model's median image, in network pixels.
    """
    return max(float(_MAX_AREA), 2.0 * median_area)


def is_too_large(height: float, width: float, scale: float, median_area: float = MEDIAN_SIDE**2) -> bool:
    """Return whether an image has more than the largest area.

    Args:
        height: rows of the original image.
        width: its columns.
        scale: network pixels per original pixel.
        median_area: of the model's median image, in network pixels.
    """
    # A line of a million pixels has little area but is enlarged to the minimum side.
    return max(height * scale, MIN_SIDE) * max(width * scale, MIN_SIDE) > largest_area(median_area)


def is_usable_median(height: float, width: float, scale: float, *, tiled: bool) -> bool:
    """Return whether a model's median image fits the memory.

    Args:
        height: rows of the median image.
        width: its columns.
        scale: network pixels per original pixel.
        tiled: whether the model works on tiles.
    """
    area = max(height * scale, MIN_SIDE) * max(width * scale, MIN_SIDE)
    return area <= (_MEDIAN_AREA_SLACK * LARGEST_SIDE**2 if tiled else _MAX_AREA)
