"""Filters of grey images, uint8 ``(H, W)``, that make codes easier to read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2

Change = Callable[[Pixels], Pixels]

_CLAHE_CLIP, _CLAHE_TILES = 3.0, (8, 8)
_LOCAL_SHARE, _LEAST_WINDOW, _LOCAL_OFFSET = 8, 11, 5.0
_ALONG_BARS, _ACROSS_BARS = 3.0, 4.0
_GROUND_SHARE = 40
_GRAIN = 2.0
"""Grey levels that are no contrast."""


def blurred(sigma: float) -> Change:
    """Return the Gaussian filter of a standard deviation in pixels: it joins dots and removes grain."""
    return lambda grey: cv2.GaussianBlur(grey, (0, 0), sigma).astype(np.uint8, copy=False)


def joined(size: int, *, dark: bool) -> Change:
    """Return the filter that joins dark (or light) dots with gaps of up to ``size`` pixels between them."""

    def change(grey: Pixels) -> Pixels:
        operation = cv2.MORPH_OPEN if dark else cv2.MORPH_CLOSE
        smooth = cv2.GaussianBlur(grey, (0, 0), 0.8)
        element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        return cv2.morphologyEx(smooth, operation, element).astype(np.uint8, copy=False)

    return change


def grown(size: int, *, dark: bool) -> Change:
    """Return the filter that makes dark (or light) dots larger by ``size - 1`` pixels."""

    def change(grey: Pixels) -> Pixels:
        operation = cv2.erode if dark else cv2.dilate
        smooth = cv2.GaussianBlur(grey, (0, 0), size / 4)
        element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        return operation(smooth, element).astype(np.uint8, copy=False)

    return change


def unlike_ground(grey: Pixels) -> Pixels:
    """Return how far each pixel differs from the ground, uint8 ``(H, W)``: dots of two brightnesses become discs."""
    ground = cv2.GaussianBlur(grey, (0, 0), max(grey.shape) / _GROUND_SHARE)
    difference = cv2.GaussianBlur(cv2.absdiff(grey, ground), (0, 0), 1.5)
    return (difference * (255 / max(1, int(difference.max())))).astype(np.uint8)


def flattened(grey: Pixels) -> Pixels:
    """Return how many local standard deviations each pixel is above or below its ground, scaled to uint8 ``(H, W)``."""
    values = grey.astype(np.float32)
    reach = max(grey.shape) / _GROUND_SHARE
    above = values - cv2.GaussianBlur(values, (0, 0), reach)
    deviation = np.sqrt(cv2.GaussianBlur(above * above, (0, 0), 2 * reach)) + _GRAIN
    smooth = cv2.GaussianBlur(above, (0, 0), 1.0)
    return np.clip(127 + 50 * smooth / deviation, 0, 255).astype(np.uint8)


def equalized(grey: Pixels) -> Pixels:
    """Return the image, uint8 ``(H, W)``, with contrast-limited adaptive histogram equalisation (CLAHE)."""
    return cv2.createCLAHE(_CLAHE_CLIP, _CLAHE_TILES).apply(grey).astype(np.uint8, copy=False)


def local(grey: Pixels) -> Pixels:
    """Return each pixel compared with the mean of its neighbourhood, uint8 ``(H, W)``, 0 or 255."""
    window = max(_LEAST_WINDOW, (min(grey.shape) // _LOCAL_SHARE) | 1)
    method, kind = cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY
    return cv2.adaptiveThreshold(grey, 255, method, kind, window, _LOCAL_OFFSET).astype(np.uint8, copy=False)


def inverted(grey: Pixels) -> Pixels:
    """Return the image, uint8 ``(H, W)``, with light and dark exchanged."""
    return 255 - grey


def opened(grey: Pixels) -> Pixels:
    """Return the image, uint8 ``(H, W)``, with dark parts widened by a pixel to each side, thin light ones closed."""
    return cv2.morphologyEx(grey, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).astype(np.uint8, copy=False)


def sharpened_bars(grey: Pixels) -> Pixels:
    """Return upright bars, uint8 ``(H, W)``, smoothed along and sharpened across their direction."""
    reach = 2 * round(2.5 * _ALONG_BARS) + 1
    smooth = cv2.GaussianBlur(grey, (1, reach), sigmaX=0.01, sigmaY=_ALONG_BARS)
    blurred = cv2.GaussianBlur(smooth, (0, 0), _ACROSS_BARS)
    return cv2.addWeighted(smooth, 2.5, blurred, -1.5, 0).astype(np.uint8, copy=False)
