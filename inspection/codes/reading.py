"""Reading bar codes and matrix codes with zxing-cpp, with further attempts for hard ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inspection.codes.attempts import Attempt, Bars, Effort, Prepared, Pyramid, attempts_of
from inspection.codes.content import Charset, text_of
from inspection.codes.formats import BARS, FORMATS, READER_NAMES
from inspection.imaging.frames import Pixels
from inspection.imaging.grey import as_grey
from inspection.imaging.placement import Points
from inspection.judging.criteria import CodeFormat

_SAME_PLACE = 0.5
_ASCII = 128
_DECLARATION = b"\\0"
"""Begins the number of a character set in the content of a code (AIM ECI)."""
_IDENTIFIER_LENGTH = 3
_EAN_13_DIGITS = 13
_UPC_A = "0"
"""First digit of an EAN-13 code whose other twelve are an UPC-A code: the bars are the same."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadCode:
    """A code that was read: text, format, and corners ``(4, 2)`` in pixels, clockwise from the code's own top left."""

    text: str
    format: CodeFormat
    corners: Points


Enough = Callable[[Sequence[ReadCode]], bool]


def any_code(found: Sequence[ReadCode]) -> bool:
    """Return whether a code was read."""
    return bool(found)


def read_codes(
    pixels: Pixels,
    *,
    formats: Sequence[CodeFormat] = FORMATS,
    effort: Effort = "normal",
    enough: Enough = any_code,
    any_angle: bool = True,
    inverted: bool = True,
    charset: Charset = "auto",
    time_limit: float = 1.0,
    check: Callable[[], None] = lambda: None,
) -> list[ReadCode]:
    """Return the codes of an image.

    Args:
        pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
        formats: those to look for.
        effort: how many attempts to make.
        enough: the attempts end when this is true of the codes read so far.
        any_angle: whether to read vertical bar codes too, and with effort ``thorough`` those at any angle; slightly
            turned ones are read in any case.
        inverted: whether to read light codes on dark too; bar codes take another attempt for it.
        charset: of codes that do not declare theirs.
        time_limit: seconds; after the first, no attempt begins that would end later, by the pace of those before.
        check: called between attempts; may raise to cancel.

    Returns:
        the codes from top to bottom, then from left to right.
    """
    grey = as_grey(pixels)
    image = Pyramid(grey)
    began = time.monotonic()
    pace = 0.0
    found: list[ReadCode] = []
    for attempt in attempts_of(effort):
        wanted = _wanted(attempt, formats, any_angle=any_angle, inverted=inverted)
        size = attempt.size(grey)
        started = time.monotonic()
        late = started - began + pace * size > time_limit
        if not wanted or not size or (late and pace > 0):
            continue
        check()
        for prepared in attempt.pictures(image):
            for code in _read(prepared, attempt, wanted, any_angle=any_angle, inverted=inverted, charset=charset):
                if not any(_same(code, known) for known in found):
                    found.append(code)
        if enough(found):
            break
        pace = max(pace, (time.monotonic() - started) / size)
    return sorted(found, key=lambda code: (float(code.corners[:, 1].min()), float(code.corners[:, 0].min())))


def _wanted(
    attempt: Attempt, formats: Sequence[CodeFormat], *, any_angle: bool, inverted: bool
) -> tuple[CodeFormat, ...]:
    """Return the formats that an attempt looks for; none where it is not asked for."""
    if (attempt.for_light_bars and not inverted) or (isinstance(attempt, Bars) and not any_angle):
        return ()
    if attempt.kind == "all":
        return tuple(formats)
    return tuple(name for name in formats if (name in BARS) == (attempt.kind == "bars"))


def _read(
    prepared: Prepared,
    attempt: Attempt,
    formats: Sequence[CodeFormat],
    *,
    any_angle: bool,
    inverted: bool,
    charset: Charset,
) -> list[ReadCode]:
    import zxingcpp

    picture = np.ascontiguousarray(prepared.pixels)
    named = {int(getattr(zxingcpp.BarcodeFormat, READER_NAMES[name])): name for name in formats}
    binarizers = zxingcpp.Binarizer

    def read(mode: zxingcpp.TextMode) -> list[zxingcpp.Barcode]:
        return zxingcpp.read_barcodes(
            picture,
            formats=zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat(value) for value in named]),
            try_rotate=any_angle and not isinstance(attempt, Bars),
            try_downscale=attempt.searching,
            try_invert=inverted,
            text_mode=mode,
            binarizer=binarizers.GlobalHistogram if attempt.global_threshold else binarizers.LocalAverage,
        )

    codes = read(zxingcpp.TextMode.Plain)
    declaring: set[bytes] = set()
    if any(max(bytes(code.bytes), default=0) >= _ASCII for code in codes):
        # Whether a code declares its character set is given in this form only.
        declaring = {bytes(code.bytes) for code in read(zxingcpp.TextMode.HexECI) if _declares_charset(code.text)}
    found = []
    for code in codes:
        # Variants, such as Micro PDF417, are asked for by their symbology.
        name = named.get(int(code.format)) or named.get(int(code.symbology))
        if name == "ean-13" and "upc-a" in formats and code.text.startswith(_UPC_A):
            name = "upc-a"  # the reader calls it EAN-13 where both are asked for
        if name is not None:
            text = _printed(name, code, declared=bytes(code.bytes) in declaring, charset=charset)
            turn, shift = prepared.to_image[:, :2], prepared.to_image[:, 2]
            found.append(ReadCode(text, name, (_corners(code.position) + 0.5) @ turn.T + shift))
    return found


def _declares_charset(content: str) -> bool:
    """Return whether a content, in hexadecimal digits, begins with the number of a character set."""
    return bytes.fromhex(content)[_IDENTIFIER_LENGTH:].startswith(_DECLARATION)


def _printed(name: CodeFormat, code: Any, *, declared: bool, charset: Charset) -> str:
    """Return the text of a code; of UPC codes the digits that are printed below the bars."""
    import zxingcpp

    data = bytes(code.bytes)
    if name == "upc-e":
        return str((code.extra or {}).get("UPCE") or code.text)
    if name == "upc-a" and len(code.text) == _EAN_13_DIGITS:
        return str(code.text)[1:]
    binary = charset == "auto" and code.content_type == zxingcpp.ContentType.Binary
    if declared or binary or max(data, default=0) < _ASCII:
        return str(code.text) or data.decode("latin-1")
    return text_of(data, code.text, charset)


def _corners(position: Any) -> Points:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    return np.array([(corner.x, corner.y) for corner in corners], np.float64)


def _same(one: ReadCode, other: ReadCode) -> bool:
    """Return whether two readings are of one code: same text and format, and centres close to each other."""
    if (one.text, one.format) != (other.text, other.format):
        return False
    reach = float(np.ptp(other.corners, axis=0).max()) * _SAME_PLACE
    return float(np.abs(one.corners.mean(axis=0) - other.corners.mean(axis=0)).max()) <= max(reach, 1.0)
