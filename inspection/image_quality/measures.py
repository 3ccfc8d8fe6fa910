"""Figures that say how well a frame was taken.

**Focus** is the width of the blur in pixels. The usual variance of the Laplacian grows with contrast, with the number
of edges and, worst, with noise, so that a dark, blurred, noisy picture counts as sharp. Here the Laplacian L and the
gradient g of the picture, smoothed by a Gaussian of 1 pixel against noise, are set in relation: for an edge blurred by
a Gaussian of width t, the mean of g²L² over the mean of g⁴ is 1/(4t²), whatever its contrast and however many edges
there are. (Its profile is g = c·exp(-x²/2t²) and L = -x/t²·g; the mean of x² under g⁴ is t²/4.) The fourth power makes
the strongest edges count and drowns noise. The blur is what t has beyond the smoothing.

**Smear** is how many times stronger fine detail (between Gaussians of 1 and 2 pixels) is in the direction where it is
strongest than across it: the square root of the ratio of the eigenvalues of its structure tensor. A movement while the
shutter is open wipes out the detail along it. It depends on what is shown, so its bound has to be learnt from good
frames.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from inspection.frames import Frame, Pixels
from inspection.grey import as_grey
from inspection.opencv import cv2

DARK, BRIGHT = 4, 251
_SMOOTHING, _FINE = 1.0, 2.0
# Gradients below this many grey levels a pixel are rounding, not edges.
_FAINTEST = 0.05
_LONGEST_STEP = 1.0
_MOTION_SIDE = 256
_MOTION_STEP = 12.0
_LARGEST = 100.0


class ImageQuality(BaseModel):
    """How well a frame was taken.

    Attributes:
        blur_px: width of the blur of the strongest edges, standard deviation of a Gaussian in pixels; 100 where the
            picture has no edge at all.
        smear: how many times stronger detail is in one direction than across it, from 1; at most 100.
        mean: brightness, 0 to 255.
        contrast: standard deviation of the brightness.
        dark_share: part of the pixels that are black (4 or less in every channel), 0 to 1.
        bright_share: part of the pixels that are saturated (251 or more in any channel), 0 to 1.
        moving_share: part of the picture that changed by more than 12 grey levels since the frame before, 0 to 1; None
            without a frame of the same size at most a second before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    blur_px: float = Field(ge=0, le=_LARGEST)
    smear: float = Field(ge=1, le=_LARGEST)
    mean: float = Field(ge=0, le=255)
    contrast: float = Field(ge=0, le=255)
    dark_share: float = Field(ge=0, le=1)
    bright_share: float = Field(ge=0, le=1)
    moving_share: float | None = Field(default=None, ge=0, le=1)


def measure_quality(frame: Frame, before: Frame | None = None) -> ImageQuality:
    """Measure a frame.

    Args:
        frame: to measure.
        before: the frame before it from the same source, for the movement.
    """
    pixels = frame.pixels
    grey = as_grey(pixels)
    brightest = grey if pixels.ndim == 2 else _brightest(pixels)  # noqa: PLR2004
    mean, deviation = cv2.meanStdDev(grey)
    blur, smear = _sharpness(grey)
    return ImageQuality(
        blur_px=blur,
        smear=smear,
        # Of a picture that is saturated throughout the last digit may be rounded up.
        mean=min(255.0, float(mean[0, 0])),
        contrast=float(deviation[0, 0]),
        dark_share=np.count_nonzero(brightest <= DARK) / grey.size,
        bright_share=np.count_nonzero(brightest >= BRIGHT) / grey.size,
        moving_share=_moving_share(frame, before),
    )


def _brightest(pixels: Pixels) -> cv2.typing.MatLike:
    """Return the brightest channel of each pixel."""
    red, green, blue = cv2.split(pixels)
    return cv2.max(cv2.max(red, green), blue)


def _sharpness(grey: Pixels) -> tuple[float, float]:
    """Return blur in pixels and smear."""
    picture = grey.astype(np.float32)
    smooth = cv2.GaussianBlur(picture, (0, 0), _SMOOTHING)
    across, down = _gradient(smooth)
    second = cv2.Laplacian(smooth, cv2.CV_32F)
    squared = cv2.magnitude(across, down)
    cv2.multiply(squared, squared, squared)
    fourth = _product(squared, squared)
    if fourth <= _FAINTEST**4 * grey.size:
        return _LARGEST, 1.0
    width_squared = fourth / max(4 * _product(squared, cv2.multiply(second, second)), 1e-12 * fourth)
    blur = min(_LARGEST, math.sqrt(max(0.0, width_squared - _SMOOTHING**2)))
    return blur, _anisotropy(cv2.subtract(smooth, cv2.GaussianBlur(picture, (0, 0), _FINE)))


def _gradient(image: cv2.typing.MatLike) -> tuple[cv2.typing.MatLike, cv2.typing.MatLike]:
    """Return the gradient across and down in grey levels a pixel; the kernels of Sobel add up to 8 on either side."""
    across = cv2.Sobel(image, cv2.CV_32F, 1, 0, ksize=3) / 8
    return across, cv2.Sobel(image, cv2.CV_32F, 0, 1, ksize=3) / 8


def _anisotropy(detail: cv2.typing.MatLike) -> float:
    """Return the square root of the ratio of the eigenvalues of the structure tensor over the whole picture."""
    across, down = _gradient(detail)
    first, last, mixed = _product(across, across), _product(down, down), _product(across, down)
    middle, spread = (first + last) / 2, math.hypot((first - last) / 2, mixed)
    if middle <= 0:
        return 1.0
    return min(_LARGEST, math.sqrt((middle + spread) / max(middle - spread, 1e-9 * middle)))


def _product(one: cv2.typing.MatLike, other: cv2.typing.MatLike) -> float:
    """Return the sum of the products of two images, added up in double precision."""
    return cv2.sumElems(cv2.multiply(one, other))[0]


def _moving_share(frame: Frame, before: Frame | None) -> float | None:
    if before is None or before.pixels.shape != frame.pixels.shape:
        return None
    if not 0 <= frame.monotonic - before.monotonic <= _LONGEST_STEP:
        return None
    return float((np.abs(_small(frame) - _small(before)) > _MOTION_STEP).mean())


def _small(frame: Frame) -> NDArray[np.float32]:
    """Return the frame in grey, 256 pixels long at most, less its mean: a lamp that flickers is no motion."""
    scale = min(1.0, _MOTION_SIDE / max(frame.width, frame.height))
    size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
    small = cv2.resize(as_grey(frame.pixels), size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(small - small.mean(), np.float32)
