"""Reading bar codes and matrix codes, with retries on preprocessed images for hard ones.

The reader is zxing-cpp. A code that it does not find in the image as it is may be found with another binarisation, at
another scale, denoised or with equalised contrast. The attempts are ordered by the number of codes they read per time
on the real photographs of ``app/benchmarks/inspection/codes.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from inspection.imaging.frames import Pixels
from inspection.imaging.grey import as_grey
from inspection.imaging.opencv import cv2
from inspection.imaging.placement import Points
from inspection.judging.criteria import CodeFormat

Effort = Literal["quick", "normal", "thorough"]

FORMATS: tuple[CodeFormat, ...] = get_args(CodeFormat)
_NAMES: dict[CodeFormat, str] = {
    "qr": "QRCode",
    "micro-qr": "MicroQRCode",
    "data-matrix": "DataMatrix",
    "code-128": "Code128",
    "ean-13": "EAN13",
    "ean-8": "EAN8",
}
_BARS = frozenset({"code-128", "ean-13", "ean-8"})
# Enlarging more than this takes longer than an attempt may.
_MOST_PIXELS_ENLARGED = 8_000_000
_LEAST_SIDE_SHRUNK = 120
_DENOISING_SIGMA = 1.0
_CLAHE_CLIP, _CLAHE_TILES = 3.0, (8, 8)
_LOCAL_SHARE, _LEAST_WINDOW, _LOCAL_OFFSET = 8, 11, 5.0
_SAME_PLACE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class ReadCode:
    """A code that was read: text, format, and corners ``(4, 2)`` in pixels, clockwise from the code's own top left."""

    text: str
    format: CodeFormat
    corners: Points


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt: the filter of the grey image, its scale factor, and whether the binarisation is global."""

    change: Callable[[Pixels], Pixels] | None
    scale: float
    global_threshold: bool


def _denoised(grey: Pixels) -> Pixels:
    return cv2.GaussianBlur(grey, (0, 0), _DENOISING_SIGMA).astype(np.uint8, copy=False)


def _equalized(grey: Pixels) -> Pixels:
    return cv2.createCLAHE(_CLAHE_CLIP, _CLAHE_TILES).apply(grey).astype(np.uint8, copy=False)


def _local(grey: Pixels) -> Pixels:
    window = max(_LEAST_WINDOW, (min(grey.shape) // _LOCAL_SHARE) | 1)
    method, kind = cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY
    return cv2.adaptiveThreshold(grey, 255, method, kind, window, _LOCAL_OFFSET).astype(np.uint8, copy=False)


def _inverted(grey: Pixels) -> Pixels:
    return 255 - grey


def _opened(grey: Pixels) -> Pixels:
    return cv2.morphologyEx(grey, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).astype(np.uint8, copy=False)


_QUICK = (_Attempt(None, 1.0, False),)
_NORMAL = (
    *_QUICK,
    _Attempt(_inverted, 1.0, False),
    _Attempt(None, 1.0, True),
    _Attempt(None, 2.0, False),
    _Attempt(None, 0.5, True),
)
_ATTEMPTS: dict[Effort, tuple[_Attempt, ...]] = {
    "quick": _QUICK,
    "normal": _NORMAL,
    "thorough": (
        *_NORMAL,
        _Attempt(_denoised, 1.0, True),
        _Attempt(_equalized, 1.0, False),
        _Attempt(_local, 1.0, False),
        _Attempt(_opened, 2.0, True),
        _Attempt(_equalized, 2.0, True),
        _Attempt(_local, 2.0, False),
    ),
}


def read_codes(
    pixels: Pixels,
    *,
    formats: Sequence[CodeFormat] = FORMATS,
    effort: Effort = "normal",
    expected: int = 1,
    any_angle: bool = True,
    inverted: bool = True,
    time_limit: float = 1.0,
    check: Callable[[], None] = lambda: None,
) -> list[ReadCode]:
    """Return the codes of an image.

    Args:
        pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
        formats: those to look for.
        effort: how many attempts to make.
        expected: the attempts end when this many codes have been read.
        any_angle: whether to read vertical bar codes too; slightly rotated ones are read in any case.
        inverted: whether to read light codes on dark too; bar codes take another attempt for it.
        time_limit: seconds after which no further attempt begins.
        check: called between attempts; may raise to cancel.

    Returns:
        the codes from top to bottom, then from left to right.
    """
    grey = as_grey(pixels)
    began = time.monotonic()
    found: list[ReadCode] = []
    for attempt in _ATTEMPTS[effort]:
        wanted = formats
        if attempt.change is _inverted:
            # The reader itself inverts for matrix codes only.
            wanted = [name for name in formats if name in _BARS and inverted]
        if not wanted or not _fits(attempt, grey):
            continue
        check()
        for code in _read(attempt, grey, wanted, any_angle=any_angle, inverted=inverted):
            if not any(_same(code, known) for known in found):
                found.append(code)
        if len(found) >= expected or time.monotonic() - began > time_limit:
            break
    return sorted(found, key=lambda code: (float(code.corners[:, 1].min()), float(code.corners[:, 0].min())))


def _fits(attempt: _Attempt, grey: Pixels) -> bool:
    if attempt.scale > 1:
        return grey.size * attempt.scale**2 <= _MOST_PIXELS_ENLARGED
    return attempt.scale == 1 or min(grey.shape) >= _LEAST_SIDE_SHRUNK


def _read(
    attempt: _Attempt, grey: Pixels, formats: Sequence[CodeFormat], *, any_angle: bool, inverted: bool
) -> list[ReadCode]:
    import zxingcpp

    picture = grey
    if attempt.scale != 1:
        size = (round(grey.shape[1] * attempt.scale), round(grey.shape[0] * attempt.scale))
        method = cv2.INTER_CUBIC if attempt.scale > 1 else cv2.INTER_AREA
        picture = cv2.resize(grey, size, interpolation=method).astype(np.uint8, copy=False)
    if attempt.change is not None:
        picture = attempt.change(picture)
    wanted = {int(getattr(zxingcpp.BarcodeFormat, _NAMES[name])): name for name in formats}
    read = zxingcpp.read_barcodes(
        np.ascontiguousarray(picture),
        formats=zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat(value) for value in wanted]),
        try_rotate=any_angle,
        try_invert=inverted,
        text_mode=zxingcpp.TextMode.Plain,
        binarizer=zxingcpp.Binarizer.GlobalHistogram if attempt.global_threshold else zxingcpp.Binarizer.LocalAverage,
    )
    factor = np.array([picture.shape[1] / grey.shape[1], picture.shape[0] / grey.shape[0]])
    return [
        # Bytes that are invalid in the code's character set are decoded as ISO 8859-1, one character a byte.
        ReadCode(
            code.text or bytes(code.bytes).decode("latin-1"),
            wanted[int(code.format)],
            (_corners(code.position) + 0.5) / factor,
        )
        for code in read
        if int(code.format) in wanted
    ]


def _corners(position: Any) -> Points:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    return np.array([(corner.x, corner.y) for corner in corners], np.float64)


def _same(one: ReadCode, other: ReadCode) -> bool:
    """Return whether two readings are of one code: same text and format, and centres close to each other."""
    if (one.text, one.format) != (other.text, other.format):
        return False
    reach = float(np.ptp(other.corners, axis=0).max()) * _SAME_PLACE
    return float(np.abs(one.corners.mean(axis=0) - other.corners.mean(axis=0)).max()) <= max(reach, 1.0)
