"""Qt images of pixels and of heatmaps; loaded with the first image, not on the way to the window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

# Heat from nothing over amber to vermillion: two ends of one scale that people of any colour vision distinguish.
_COLD = np.array([0x20, 0x30, 0x50], np.float32)
_WARM = np.array([0xE6, 0x9F, 0x00], np.float32)
_HOT = np.array([0xD5, 0x3A, 0x00], np.float32)


def image_of(pixels: NDArray[np.uint8]) -> QImage:
    """Return a Qt image that owns its pixels, of uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``."""
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    grey = pixels.ndim == 2  # noqa: PLR2004 - two axes
    kind = QImage.Format.Format_Grayscale8 if grey else QImage.Format.Format_RGB888
    return QImage(pixels.data, width, height, pixels.strides[0], kind).copy()


def reduced(pixels: NDArray[np.uint8], side: int = 1600) -> NDArray[np.uint8]:
    """Return every n-th pixel, uint8 ``(h, w[, 3])``, with at most ``side`` on the longer side, for live images."""
    step = max(1, -(-max(pixels.shape[0], pixels.shape[1]) // side))
    return pixels[::step, ::step]


def heat_of(heatmap: NDArray[np.float32], threshold: float, side: int = 512) -> QImage:
    """Return the heatmap as a transparent image, at most ``side`` pixels wide or high.

    Nothing is drawn below 0.6 of the threshold; the colour turns from amber to vermillion beyond the threshold, so that
    what made the part NG stands out and a good part stays clean.

    Args:
        heatmap: float32 ``(H, W)``, in the unit of the threshold.
        threshold: above it a part is NG.
        side: size of the result; it is stretched over the image when drawn.
    """
    step = max(1, -(-max(heatmap.shape[0], heatmap.shape[1]) // side))
    ratio = heatmap[::step, ::step] / max(threshold, float(np.finfo(np.float32).tiny))
    strength = np.clip((ratio - 0.6) / 0.4, 0, 1) ** 1.5
    over = np.clip((ratio - 1.0) / 0.5, 0, 1)[..., None]
    colour = np.where(over > 0, _WARM + (_HOT - _WARM) * over, _COLD + (_WARM - _COLD) * strength[..., None])
    alpha = (strength * 255)[..., None]
    rgba = np.ascontiguousarray(np.concatenate([colour, alpha], axis=2).astype(np.uint8))
    height, width = rgba.shape[:2]
    return QImage(rgba.data, width, height, rgba.strides[0], QImage.Format.Format_RGBA8888).copy()
