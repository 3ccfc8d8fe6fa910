"""The formats of codes that are read, and their names in zxing-cpp."""

from __future__ import annotations

from typing import get_args

from inspection.judging.criteria import CodeFormat

FORMATS: tuple[CodeFormat, ...] = get_args(CodeFormat)

READER_NAMES: dict[CodeFormat, str] = {
    "qr": "QRCode",
    "micro-qr": "MicroQRCode",
    "rmqr": "RMQRCode",
    "data-matrix": "DataMatrix",
    "aztec": "Aztec",
    "pdf417": "PDF417",
    "code-128": "Code128",
    "code-39": "Code39",
    "code-93": "Code93",
    "itf": "ITF",
    "ean-13": "EAN13",
    "ean-8": "EAN8",
    "upc-a": "UPCA",
    "upc-e": "UPCE",
}
BARS: frozenset[CodeFormat] = frozenset(
    {"pdf417", "code-128", "code-39", "code-93", "itf", "ean-13", "ean-8", "upc-a", "upc-e"}
)
"""Codes of bars, read along lines; the reader does not look for light ones on dark."""
