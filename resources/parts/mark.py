"""The engraved mark, as strokes of an engraving needle (no font: fonts differ between versions of a library)."""

from __future__ import annotations

import numpy as np

from resources.parts.geometry import circle, segment
from resources.parts.rng import Field

PART_NUMBER = "P-204"

_ORIGIN = (-62.0, 60.0)  # upper left corner of the first character in the plate frame
_WIDTH, _HEIGHT, _PITCH = 11.0, 18.0, 17.0
_NEEDLE = 1.3  # half width of a stroke in pixels

# Strokes of each character in a box of 1 x 1, y downwards.
_STROKES: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "P": ((0, 0, 0, 1), (0, 0, 1, 0), (1, 0, 1, 0.5), (1, 0.5, 0, 0.5)),
    "-": ((0.1, 0.5, 0.9, 0.5),),
    "2": ((0, 0, 1, 0), (1, 0, 1, 0.5), (1, 0.5, 0, 0.5), (0, 0.5, 0, 1), (0, 1, 1, 1)),
    "0": ((0, 0, 1, 0), (1, 0, 1, 1), (1, 1, 0, 1), (0, 1, 0, 0)),
    "4": ((0, 0, 0, 0.5), (0, 0.5, 1, 0.5), (1, 0, 1, 1)),
}


def engraving(u: Field, v: Field) -> Field:
    """Return how deep the mark is cut at each pixel: 1 in the middle of a stroke, 0 off it."""
    nearest = np.full(u.shape, 99.0, np.float32)
    left, top = _ORIGIN
    box = (u > left - 4) & (u < left + _PITCH * len(PART_NUMBER) + 28) & (v > top - 4) & (v < top + _HEIGHT + 4)
    inner_u, inner_v = u[box], v[box]
    distance = np.full(inner_u.shape, 99.0, np.float32)
    for place, character in enumerate(PART_NUMBER):
        corner = left + place * _PITCH
        for x0, y0, x1, y1 in _STROKES[character]:
            start = (corner + x0 * _WIDTH, top + y0 * _HEIGHT)
            end = (corner + x1 * _WIDTH, top + y1 * _HEIGHT)
            distance = np.minimum(distance, segment(inner_u, inner_v, start, end))
    ring = np.abs(circle(inner_u, inner_v, left + len(PART_NUMBER) * _PITCH + 12, top + _HEIGHT / 2, 8.0))
    nearest[box] = np.minimum(distance, ring)
    depth: Field = np.clip(np.float32(_NEEDLE + 0.5) - nearest, 0, 1)
    return depth
