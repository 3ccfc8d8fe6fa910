"""Drawing findings over an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inspection.components.values import AnomalyFinding
from inspection.imaging.frames import Pixels, as_rgb
from inspection.imaging.opencv import cv2
from inspection.imaging.picture import Picture
from inspection.imaging.placement import FloatMap, as_points
from models.results import BoundingBox, CodeReading, ColourDifference, Detection, Measurement, Point

Colour = tuple[int, int, int]

_REGION_COLOUR: Colour = (255, 64, 32)
_DETECTION_COLOUR: Colour = (255, 208, 0)
_CODE_COLOUR: Colour = (64, 255, 64)
_MEASUREMENT_COLOUR: Colour = (0, 224, 255)
_AREA_COLOUR: Colour = (255, 96, 255)
# The colours start at 85 % of the threshold (transparent) and end at 150 %, so that good parts look unchanged.
_COLD, _HOT = 0.85, 1.5
_LINE_PER_PIXEL = 1 / 300
_LETTERS_PER_PIXEL = 1 / 900
_LEAST_LETTERS = 0.4
_LONGEST_TEXT = 40
_SHIFT = 4
# The float arrays of a blended image of 20 megapixels would take 700 MB.
_ROWS_AT_ONCE = 64


def draw_overlay(
    picture: Picture,
    *,
    anomaly: AnomalyFinding | None = None,
    detections: Sequence[Detection] = (),
    codes: Sequence[CodeReading] = (),
    measurements: Sequence[Measurement] = (),
    colours: Sequence[ColourDifference] = (),
    opacity: float = 0.6,
    minimum_area: float = 0.0,
) -> Pixels:
    """Return the picture with findings drawn on it, RGB ``(H, W, 3)`` uint8.

    Args:
        picture: to draw on, not modified. All findings have their positions on the original image.
        anomaly: heatmap and regions.
        detections: boxes.
        codes: corners, and texts where they are ASCII.
        measurements: their lines with name and value.
        colours: the areas with name and mean difference.
        opacity: of the heatmap where it is hottest; 0 hides it, 1 hides the picture there.
        minimum_area: regions with smaller boxes (original pixels) are not drawn.
    """
    drawn = as_rgb(picture.pixels).copy()
    if anomaly is not None:
        heat = picture.placement.map_from_original(anomaly.heatmap, picture.pixels)
        _blend(drawn, heat, anomaly.threshold, opacity)
        for region in anomaly.regions:
            if region.bbox.width * region.bbox.height >= minimum_area:
                _draw_box(drawn, picture.placement.box_from_original(region.bbox), _REGION_COLOUR)
    for found in detections:
        _draw_box(drawn, picture.placement.box_from_original(found.bbox), _DETECTION_COLOUR)
    for colour in colours:
        text = "" if colour.mean is None else f"{colour.name} dE {colour.mean:.1f}"
        _draw_lines(drawn, picture, [[*colour.polygon, *colour.polygon[:1]]], text, _AREA_COLOUR)
    for measured in measurements:
        # OpenCV's fonts have no superscripts.
        unit = measured.unit.replace("²", "2")
        value = "" if measured.value is None else f"{measured.value:.4g} {unit}".strip()
        _draw_lines(drawn, picture, measured.geometry, f"{measured.name} {value}", _MEASUREMENT_COLOUR)
    for code in codes:
        _draw_lines(drawn, picture, [[*code.polygon, *code.polygon[:1]]], code.text, _CODE_COLOUR)
    return drawn


def _blend(pixels: Pixels, heat: FloatMap, threshold: float, opacity: float) -> None:
    """Blend the colours of a heatmap, float32 ``(H, W)``, into ``pixels``, RGB ``(H, W, 3)`` uint8, in place."""
    for top in range(0, len(pixels), _ROWS_AT_ONCE):
        rows = slice(top, top + _ROWS_AT_ONCE)
        level = np.clip((heat[rows] / np.float32(threshold) - _COLD) / (_HOT - _COLD), 0.0, 1.0)
        colours = cv2.applyColorMap((level * 255).astype(np.uint8), cv2.COLORMAP_TURBO)[:, :, ::-1]
        weight = np.minimum(level * 2.0, 1.0)[:, :, None] * np.float32(opacity)
        pixels[rows] = pixels[rows] * (1.0 - weight) + colours * weight + 0.5


def _thickness(pixels: Pixels) -> int:
    longer: int = max(pixels.shape[:2])
    return max(1, round(longer * _LINE_PER_PIXEL))


def _draw_box(pixels: Pixels, box: BoundingBox, colour: Colour) -> None:
    first = (round(box.x), round(box.y))
    last = (round(box.x + box.width) - 1, round(box.y + box.height) - 1)
    cv2.rectangle(pixels, first, last, colour, _thickness(pixels))


def _draw_lines(pixels: Pixels, picture: Picture, lines: Sequence[Sequence[Point]], text: str, colour: Colour) -> None:
    """Draw lines given on the original image, and a text at the first."""
    placed = [picture.placement.from_original(as_points(line)) for line in lines if line]
    for line in placed:
        at = np.round((line - 0.5) * 2**_SHIFT).astype(np.int32)
        cv2.polylines(pixels, [at], False, colour, _thickness(pixels), cv2.LINE_AA, _SHIFT)
    if placed and text and text.isascii() and text.isprintable():
        size = max(_LEAST_LETTERS, max(pixels.shape[:2]) * _LETTERS_PER_PIXEL)
        shown = text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 3]}..."
        (width, height), below = cv2.getTextSize(shown, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
        left = max(0, min(round(float(placed[0][:, 0].min())), pixels.shape[1] - width))
        base = round(float(placed[0][:, 1].min())) - below - 2
        base = base if base >= height else height + 1
        cv2.rectangle(pixels, (left, base - height - 1), (left + width, base + below), (0, 0, 0), cv2.FILLED)
        cv2.putText(pixels, shown, (left, base), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
