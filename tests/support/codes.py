"""Clean codes of every format, drawn here."""

from __future__ import annotations

import numpy as np
import zxingcpp

from inspection.imaging.frames import Pixels

NAMES = {"qr": "QRCode", "data-matrix": "DataMatrix", "code-128": "Code128", "ean-13": "EAN13", "ean-8": "EAN8"}
TEXTS = {"ean-13": "4006381333931", "ean-8": "96385074"}


def draw_code(name: str, scale: int = 3) -> Pixels:
    """Return a grey image of the code ``name`` on white."""
    text = TEXTS.get(name, "LOT-0815")
    code = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, NAMES[name]))
    pixels = np.array(code.to_image(scale=scale)).astype(np.uint8)
    return np.pad(pixels, 20, constant_values=255)
