"""Good images of two very different sizes or shapes: probably two kinds of parts in one folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_APART = 2.0
"""Factor between the largest of one group and the smallest of the other."""


@dataclass(frozen=True, slots=True)
class SizeGroup:
    """Images of about one size.

    Attributes:
        images: how many.
        width: median, pixels.
        height: median, pixels.
    """

    images: int
    width: int
    height: int


def size_groups(sizes: Sequence[tuple[int, int]], least: int) -> tuple[SizeGroup, ...]:
    """Return the two groups that images form by area, else by shape, the smaller images or the squarer ones first.

    Turned by 90° an image has the same shape.

    Args:
        sizes: height and width of each image, pixels.
        least: images of a group that a model of its own could be trained on.

    Returns:
        Empty when the images form no two groups that are more than a factor of two apart.
    """
    pixels = np.array(sizes, np.float64).reshape(-1, 2)
    for values in (pixels.prod(axis=1), pixels.max(axis=1) / pixels.min(axis=1)):
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        steps = (ordered[1:] / ordered[:-1])[least - 1 : len(ordered) - least]
        if len(steps) and steps.max() > _APART:
            first = least + int(steps.argmax())
            return _group(pixels[order[:first]]), _group(pixels[order[first:]])
    return ()


def _group(pixels: NDArray[np.float64]) -> SizeGroup:
    height, width = np.median(pixels, axis=0)
    return SizeGroup(len(pixels), round(float(width)), round(float(height)))
