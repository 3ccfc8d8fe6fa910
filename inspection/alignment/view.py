"""An image prepared for comparison: grey, at a working size, with its features and its texture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.frames import Pixels
from inspection.imaging.grey import as_grey
from inspection.imaging.opencv import cv2
from inspection.imaging.placement import FloatMap, Mask
from inspection.model_files.reference import ReferenceImage

_FEATURES = 1200
_DENOISING_SIGMA = 1.5
_CONTRAST_WINDOW = 12.0
_MIN_DEVIATION = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """An image at working size with its features and texture.

    Attributes:
        grey: uint8 ``(h, w)``.
        valid_mask: uint8 ``(h, w)``, 0 for invalid pixels; None when all are valid.
        points: float32 ``(n, 2)``, positions of the features.
        descriptors: float32 ``(n, 128)`` of them; None without features.
        texture: float32 ``(h, w)``, of ``texture_of``.
    """

    grey: Pixels
    valid_mask: NDArray[np.uint8] | None
    points: NDArray[np.float32]
    descriptors: NDArray[Any] | None
    texture: FloatMap


@lru_cache(maxsize=4)
def reference_at(reference: ReferenceImage, shrink: float) -> View:
    """Return ``view_of`` a reference, cached for the next parts."""
    return view_of(as_grey(reference.pixels), None, shrink)


def view_of(grey: Pixels, valid_mask: Mask | None, shrink: float) -> View:
    """Return an image prepared for comparison.

    Args:
        grey: uint8 ``(H, W)``.
        valid_mask: bool ``(H, W)``, true for valid pixels; None when all are.
        shrink: reduction factor of the working size, from 1.
    """
    mask = None if valid_mask is None else valid_mask.astype(np.uint8)
    if shrink > 1:
        size = (max(1, round(grey.shape[1] / shrink)), max(1, round(grey.shape[0] / shrink)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        if mask is not None:
            mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False)
    found, descriptors = cv2.SIFT.create(nfeatures=_FEATURES, contrastThreshold=0.02).detectAndCompute(grey, mask)
    points = np.array([point.pt for point in found], np.float32).reshape(-1, 2)
    return View(grey, mask, points, descriptors if len(points) else None, texture_of(grey))


def texture_of(grey: Pixels) -> FloatMap:
    """Return grey values normalised by the mean and standard deviation of their neighbourhood, float32 ``(h, w)``."""
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), _DENOISING_SIGMA)
    level = cv2.GaussianBlur(smooth, (0, 0), _CONTRAST_WINDOW)
    spread = cv2.GaussianBlur((smooth - level) ** 2, (0, 0), _CONTRAST_WINDOW)
    texture: FloatMap = ((smooth - level) / np.sqrt(spread + _MIN_DEVIATION**2)).astype(np.float32)
    return texture
