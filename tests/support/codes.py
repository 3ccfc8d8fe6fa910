"""Codes of every format, drawn here: clean ones, and as needles or lasers mark them."""

from __future__ import annotations

import numpy as np
import zxingcpp

from inspection.codes.formats import READER_NAMES
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2

NAMES = tuple(READER_NAMES)
TEXTS = {
    "ean-13": "4006381333931",
    "ean-8": "96385074",
    "upc-a": "036000291452",
    "upc-e": "01234565",
    "itf": "12345678",
    "micro-qr": "LOT 0815",
}


def draw_code(name: str, scale: int = 3, content: str | bytes | None = None, **options: object) -> Pixels:
    """Return a grey image of the code ``name`` on white.

    Args:
        name: of the format.
        scale: pixels of a module.
        content: else that of ``TEXTS``, else ``LOT-0815``.
        options: of zxing-cpp's ``create_barcode``.
    """
    text = TEXTS.get(name, "LOT-0815") if content is None else content
    code = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, READER_NAMES[name]), **options)  # type: ignore[index]  # a name of the table
    pixels = np.array(code.to_image(scale=scale)).astype(np.uint8)
    return np.pad(pixels, 20, constant_values=255)


def draw_dots(content: str, *, pitch: int = 10, radius: int = 3, ground: int = 190, dot: int = 60) -> Pixels:
    """Return a Data Matrix of separate dots on a plain ground with some grain, as needles and lasers mark metal."""
    code = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
    modules = np.array(code.to_image(scale=1, add_quiet_zones=False)) == 0
    rows, columns = modules.shape
    image = np.full(((rows + 8) * pitch, (columns + 8) * pitch), ground, np.float32)
    for row, column in np.argwhere(modules):
        centre = (int((column + 4.5) * pitch), int((row + 4.5) * pitch))
        cv2.circle(image, centre, radius, float(dot), -1, cv2.LINE_AA)
    grain = np.random.default_rng(1).normal(0, 3, image.shape)
    return np.clip(cv2.GaussianBlur(image, (0, 0), 1.0) + grain, 0, 255).astype(np.uint8)


def turned(pixels: Pixels, degrees: float, ground: int = 255) -> Pixels:
    """Return an image turned about its middle on a larger ground."""
    side = int(np.hypot(*pixels.shape)) + 2
    down, across = side - pixels.shape[0], side - pixels.shape[1]
    margins = ((down // 2, down - down // 2), (across // 2, across - across // 2))
    canvas = np.pad(pixels, margins, constant_values=ground)
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1.0)
    return cv2.warpAffine(canvas, matrix, (side, side), flags=cv2.INTER_AREA, borderValue=float(ground)).astype(
        np.uint8
    )
