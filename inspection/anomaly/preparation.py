"""Preprocessing of an image into the network's input tensor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.anomaly.network_area import MEDIAN_SIDE, MIN_SIDE, is_too_large
from inspection.imaging.frames import Pixels, as_rgb
from inspection.imaging.opencv import cv2
from inspection.imaging.picture import Picture
from inspection.imaging.resizing import resize_picture, resize_pixels
from models.errors import DoesNotFit

WORKING_SIDE = 1024
"""Larger images are first shrunk to fit this side, as by the first step of the default pipeline."""
GRID = 32
PATCH = 16
"""Side of one cell of the patch grid in network pixels."""
_MIN_DEVIATION = 4.0
# Deviation of the normalised image in the network's units, (x - 127) / 128.
_DEVIATION = 0.35
# Standard deviation of the Gaussian blur in network pixels. Grain of the camera sensor and of ground surfaces differs
# from part to part and hides small defects; downscaling removes an amount of it that depends on the image size.
SMOOTHING = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class NetworkInput:
    """The input of an image, from which the tensor of all of it or of a tile is made, and its position within.

    Attributes:
        padded: uint8 RGB ``(H, W, 3)``, the image with its padding; ``H`` and ``W`` multiples of 32.
        mean: grey value of the image.
        factor: multiplies a grey value's difference to ``mean``.
        smoothing: standard deviation of the blur in network pixels.
        top: rows of padding above the image.
        left: columns of padding left of the image.
        height: rows of the image.
        width: columns of the image.
    """

    padded: Pixels
    mean: float
    factor: float
    smoothing: float
    top: int
    left: int
    height: int
    width: int

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns with the padding."""
        return self.padded.shape[0], self.padded.shape[1]

    @property
    def tensor(self) -> NDArray[np.float32]:
        """The tensor of all of the image, float32 ``(1, 3, H, W)``."""
        return self.tensor_of(slice(None), slice(None))

    def tensor_of(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Return the tensor of a tile, normalised as the whole image is, float32 ``(1, 3, h, w)``."""
        normalised = self.padded[rows, columns].astype(np.float32)
        normalised -= np.float32(self.mean)
        normalised *= np.float32(self.factor)
        tensor = cv2.GaussianBlur(normalised, (0, 0), self.smoothing) if self.smoothing > 0 else normalised
        return np.ascontiguousarray(tensor.transpose(2, 0, 1)[None])

    def cells(self) -> tuple[slice, slice]:
        """Return the rows and columns of the patch grid that cover at least one pixel of the image."""
        return (
            slice(self.top // PATCH, -(-(self.top + self.height) // PATCH)),
            slice(self.left // PATCH, -(-(self.left + self.width) // PATCH)),
        )


def median_area(sizes: Sequence[tuple[int, int]]) -> float:
    """Return the median area of images of these heights and widths."""
    areas = sorted(height * width for height, width in sizes)
    middle = len(areas) // 2
    return areas[middle] if len(areas) % 2 else (areas[middle - 1] + areas[middle]) / 2


def choose_scale(sizes: Sequence[tuple[int, int]], side: float = MEDIAN_SIDE) -> float:
    """Return the common scale of a data set, which maps its median area to the square of ``side``.

    Args:
        sizes: height and width of every image, in original pixels.
        side: in network pixels.

    Returns:
        network pixels per original pixel.
    """
    return side / math.sqrt(median_area(sizes))


def require_scale(height: float, width: float, scale: float, side: float = MEDIAN_SIDE) -> None:
    """Check that an image is not far larger than the images the scale was chosen for.

    Args:
        height: rows of the original image.
        width: its columns.
        scale: network pixels per original pixel.
        side: of the square of the model's median area, in network pixels.

    Raises:
        DoesNotFit: ``image-scale`` when it exceeds ``largest_area``.
    """
    if is_too_large(height, width, scale, side**2):
        raise DoesNotFit("image-scale", width=round(width), height=round(height), expected=round(side / scale))


def working_size(height: float, width: float, scale: float) -> tuple[int, int]:
    """Return height and width in network pixels to which an original image of ``height`` × ``width`` is resized."""
    return max(MIN_SIDE, round(height * scale)), max(MIN_SIDE, round(width * scale))


def tensor_size(height: int, width: int) -> tuple[int, int]:
    """Return rows and columns of the input tensor for an image of ``height`` × ``width`` network pixels."""
    return height + -height % GRID, width + -width % GRID


def prepare(
    pixels: Pixels,
    scale: float,
    scale_x: float = 1.0,
    scale_y: float = 1.0,
    smoothing: float = SMOOTHING,
    *,
    side: float = MEDIAN_SIDE,
    shrinks_first: bool = True,
) -> NetworkInput:
    """Scale an image, measure its mean and contrast, and pad it by reflection.

    Args:
        pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
        scale: network pixels per original pixel.
        scale_x: columns of ``pixels`` per original column, when an earlier step resized it.
        scale_y: the same for rows.
        smoothing: standard deviation of the blur in network pixels; 0 for none, as for models of format 1.
        side: of the square of the model's median area, in network pixels.
        shrinks_first: whether a larger image is first shrunk to ``WORKING_SIDE``; not for models of tiles, which see
            more than that.

    Raises:
        DoesNotFit: ``image-scale``, see ``require_scale``.
    """
    require_scale(pixels.shape[0] / scale_y, pixels.shape[1] / scale_x, scale, side)
    working = resize_picture(Picture.original(pixels), WORKING_SIDE, WORKING_SIDE).pixels if shrinks_first else pixels
    height, width = working_size(pixels.shape[0] / scale_y, pixels.shape[1] / scale_x, scale)
    resized = as_rgb(resize_pixels(working, width, height))
    grey = cv2.cvtColor(resized, cv2.COLOR_RGB2GRAY)
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(grey))
    # Half of the padding on each side: the network pads with zeros, and an edge of the part next to these scores high,
    # by an amount that depends on the image size.
    full_height, full_width = tensor_size(height, width)
    rows, columns = full_height - height, full_width - width
    top, left = rows // 2, columns // 2
    padded = cv2.copyMakeBorder(resized, top, rows - top, left, columns - left, borderType=cv2.BORDER_REFLECT_101)
    return NetworkInput(
        padded=padded.astype(np.uint8, copy=False),
        mean=mean,
        factor=_DEVIATION / max(deviation, _MIN_DEVIATION),
        smoothing=smoothing,
        top=top,
        left=left,
        height=height,
        width=width,
    )
