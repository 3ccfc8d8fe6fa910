"""Drawing what was found over an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inspection.components.values import AnomalyFinding, Picture
from inspection.frames import Pixels, as_rgb
from inspection.opencv import cv2
from inspection.placement import FloatMap
from models.results import BoundingBox, Detection

_REGION_COLOUR = (255, 64, 32)
_DETECTION_COLOUR = (255, 208, 0)
# The colours run from 85 % of the threshold (nothing to see) to 150 % (fully hot): a good part stays as it looks.
_COLD, _HOT = 0.85, 1.5
_LINE_PER_PIXEL = 1 / 300


def draw_overlay(
    picture: Picture,
    *,
    anomaly: AnomalyFinding | None,
    detections: Sequence[Detection] = (),
    opacity: float = 0.6,
    minimum_area: float = 0.0,
) -> Pixels:
    """Return the picture with heatmap, regions and detections drawn on it, RGB ``(H, W, 3)`` uint8.

    Args:
        picture: what to draw on; it stays as it is.
        anomaly: heatmap and regions on the original image.
        detections: boxes on the original image.
        opacity: 0 hides the heatmap, 1 shows nothing but it where it is hottest.
        minimum_area: regions with smaller boxes (original pixels) are not drawn.
    """
    drawn = as_rgb(picture.pixels).copy()
    if anomaly is not None:
        heat = picture.placement.map_from_original(anomaly.heatmap, picture.pixels)
        drawn = _blend(drawn, heat / np.float32(anomaly.threshold), opacity)
        for region in anomaly.regions:
            if region.bbox.width * region.bbox.height >= minimum_area:
                _draw_box(drawn, picture.placement.box_from_original(region.bbox), _REGION_COLOUR)
    for found in detections:
        _draw_box(drawn, picture.placement.box_from_original(found.bbox), _DETECTION_COLOUR)
    return drawn


def _blend(pixels: Pixels, heat: FloatMap, opacity: float) -> Pixels:
    level = np.clip((heat - _COLD) / (_HOT - _COLD), 0.0, 1.0)
    colours = cv2.applyColorMap((level * 255).astype(np.uint8), cv2.COLORMAP_TURBO)[:, :, ::-1]
    weight = np.minimum(level * 2.0, 1.0)[:, :, None] * np.float32(opacity)
    blended: Pixels = (pixels * (1.0 - weight) + colours * weight + 0.5).astype(np.uint8)
    return blended


def _draw_box(pixels: Pixels, box: BoundingBox, colour: tuple[int, int, int]) -> None:
    thickness = max(1, round(max(pixels.shape[:2]) * _LINE_PER_PIXEL))
    first = (round(box.x), round(box.y))
    last = (round(box.x + box.width) - 1, round(box.y + box.height) - 1)
    cv2.rectangle(pixels, first, last, colour, thickness)
