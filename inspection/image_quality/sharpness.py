"""Blur of the edges of an image in pixels, and smear of its detail in one direction.

**Focus** is the width of the blur in pixels. The usual variance of the Laplacian grows with contrast, with the number
of edges and, worst, with noise, so that a dark, blurred, noisy image counts as sharp. Here the Laplacian L and the
gradient g of the image, smoothed by a Gaussian of 1 pixel against noise, are compared: for an edge blurred by
a Gaussian of width t, the mean of g²L² over the mean of g⁴ is 1/(4t²), whatever its contrast and however many edges
there are. (Its profile is g = c·exp(-x²/2t²) and L = -x/t²·g; the mean of x² under g⁴ is t²/4.) The fourth power makes
the strongest edges dominate the noise. The blur is √(t² - smoothing²).

**Smear** is how many times stronger fine detail (between Gaussians of 1 and 2 pixels) is in the direction where it is
strongest than across it: the square root of the ratio of the eigenvalues of its structure tensor. A movement while the
shutter is open wipes out the detail along it. It depends on the part, so its bound has to be learnt from good frames.

Both are sums over all pixels and computed strip by strip: a strip with its intermediate images stays in the processor's
cache; whole intermediate images would be written to memory and read again a dozen times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2

LARGEST = 100.0
"""The blur of an image without any edge, and the largest smear."""
_SMOOTHING, _FINE = 1.0, 2.0
# The Gaussian that turns one smoothing into the other; cut off at three standard deviations, which changes the smear
# by at most 0.3 % and takes two thirds of the time of the wider Gaussian on the image itself.
_BETWEEN, _BETWEEN_TAPS = math.sqrt(_FINE**2 - _SMOOTHING**2), 11
# Gradients below this many grey levels a pixel are rounding, not edges.
_FAINTEST = 0.05
_STRIP_PIXELS = 160_000
_FEWEST_ROWS = 32
# Support of a gradient pixel: the smoothing reaches 4 pixels, the Sobel kernels 1, the other Gaussian 5.
_REACH, _REACH_FINE = 5, 10
_SOBEL_SUM = 8
"""Sum of the absolute weights of a Sobel kernel."""

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sharpness:
    """The sharpness of an image.

    Attributes:
        blur_px: width of the blur of the strongest edges, standard deviation of a Gaussian in pixels; ``LARGEST``
            without any edge.
        smear: how many times stronger detail is in one direction than across it, from 1; None when not measured.
    """

    blur_px: float
    smear: float | None


def measure_sharpness(grey: Pixels, *, smear: bool = True) -> Sharpness:
    """Return the sharpness of an image.

    Args:
        grey: uint8 ``(H, W)``.
        smear: whether to measure it; it takes more than half of the time.
    """
    height, width = grey.shape
    rows = max(_FEWEST_ROWS, _STRIP_PIXELS // width)
    reach = _REACH_FINE if smear else _REACH
    planes = [np.empty((min(height, rows + 2 * reach), width), np.float32) for _ in range(6)]
    sums = np.zeros(5)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        first, last = max(0, top - reach), min(height, bottom + reach)
        sums += _strip_sums(
            grey[first:last],
            [plane[: last - first] for plane in planes],
            slice(top - first, bottom - first),
            smear=smear,
        )
    fourth, with_second, *tensor = (float(value) for value in sums)
    if fourth <= _FAINTEST**4 * grey.size:
        return Sharpness(LARGEST, 1.0 if smear else None)
    width_squared = fourth / max(4 * with_second, 1e-12 * fourth)
    blur = min(LARGEST, math.sqrt(max(0.0, width_squared - _SMOOTHING**2)))
    return Sharpness(blur, _anisotropy(*tensor) if smear else None)


def _strip_sums(grey: Pixels, planes: list[Plane], own_rows: slice, *, smear: bool) -> tuple[float, ...]:
    """Return the sums over a strip's own rows: g⁴, g²L², and the structure tensor of fine detail.

    Args:
        grey: the strip with the rows around it that its gradients depend on.
        planes: six of its shape, overwritten.
        own_rows: the strip without the rows around it.
        smear: whether to compute the tensor; zeros otherwise.
    """
    picture, smooth, across, down, length, other = planes
    np.copyto(picture, grey)
    cv2.GaussianBlur(picture, (0, 0), _SMOOTHING, dst=smooth)
    _gradient(smooth, across, down)
    cv2.Laplacian(smooth, cv2.CV_32F, dst=other)
    cv2.magnitude(across, down, length)
    cv2.multiply(length, other, other)
    cv2.multiply(length, length, length)
    fourth, with_second = _squares(length[own_rows]), _squares(other[own_rows])
    if not smear:
        return fourth, with_second, 0.0, 0.0, 0.0
    cv2.GaussianBlur(smooth, (_BETWEEN_TAPS, _BETWEEN_TAPS), _BETWEEN, dst=other)
    cv2.subtract(smooth, other, other)
    _gradient(other, across, down)
    across, down = across[own_rows], down[own_rows]
    mixed = cv2.sumElems(cv2.multiply(across, down, length[own_rows]))[0]
    return fourth, with_second, _squares(across), _squares(down), mixed


def _gradient(image: Plane, across: Plane, down: Plane) -> None:
    """Write the gradients across and down, in grey levels per pixel."""
    cv2.Sobel(image, cv2.CV_32F, 1, 0, dst=across, ksize=3, scale=1 / _SOBEL_SUM)
    cv2.Sobel(image, cv2.CV_32F, 0, 1, dst=down, ksize=3, scale=1 / _SOBEL_SUM)


def _squares(plane: Plane) -> float:
    """Return the sum of squares in double precision."""
    return float(cv2.norm(plane, cv2.NORM_L2SQR))


def _anisotropy(first: float, last: float, mixed: float) -> float:
    """Return the square root of the ratio of the eigenvalues of a structure tensor."""
    middle, spread = (first + last) / 2, math.hypot((first - last) / 2, mixed)
    if middle <= 0:
        return 1.0
    return min(LARGEST, math.sqrt((middle + spread) / max(middle - spread, 1e-9 * middle)))
