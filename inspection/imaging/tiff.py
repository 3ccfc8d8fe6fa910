"""The directories of a TIFF: size in pixels, kind of samples, and where the pixels lie (TIFF 6.0 sections 2 and 8)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.damage import DamagedError, TruncatedError

SampleFormat = Literal["uint", "int", "float"]

_SIZES = {3: 2, 4: 4}
_SHORT, _LONG = 3, 4
_WIDTH, _HEIGHT = 256, 257
_SUBFILE, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _LARGEST = 254, 258, 259, 262, 277, 281
_EXTRA, _FORMAT = 338, 339
_STRIPS = ((273, 279), (324, 325))
_PROPERTIES = {_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _LARGEST, _EXTRA, _FORMAT}
_READ = {_SUBFILE, *_PROPERTIES, *(tag for pair in _STRIPS for tag in pair)}
_REDUCED, _MASK = 1, 4
_MOST_PAGES = 10_000
_FORMATS: dict[int, SampleFormat] = {2: "int", 3: "float"}
_READ_BITS = frozenset({1, 2, 4, 8, 10, 12, 14, 16, 32, 64})
_NARROW, _GREY = (2, 4), (0, 1)
_ASSOCIATED, _UNASSOCIATED = 1, 2
# Colours of the image by PhotometricInterpretation: white is zero, black is zero, RGB, palette, CMYK, YCbCr.
_COLOURS = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3}
# OpenCV decodes these, but in other colours than a viewer shows.
_LAB = frozenset({8, 9, 10})
_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True)
class TiffProperties:
    """What the first directory says of the image.

    Attributes:
        width: columns.
        height: rows.
        bits: of a sample.
        samples: their kind.
        alpha: ``straight``, ``premultiplied``, or empty without transparency.
        significant: bits that the values use, where the largest value is declared and is that of a depth.
        pages: number of directories of full size.
        unread: why the image cannot be read; empty when it can.
    """

    width: int
    height: int
    bits: int = 8
    samples: SampleFormat = "uint"
    alpha: Literal["", "straight", "premultiplied"] = ""
    significant: int | None = None
    pages: int = 1
    unread: str = ""


def tiff_properties(data: bytes) -> TiffProperties:
    """Return what the directories say.

    Raises:
        TruncatedError: when a directory or an entry lies beyond the end.
        DamagedError: without width or height.
        struct.error: when the first directory ends early.
    """
    entries, following = _directory(data, _first(data))
    try:
        width, height = int(entries[_WIDTH][0]), int(entries[_HEIGHT][0])
    except (KeyError, IndexError) as error:
        raise DamagedError("tiff: no width or height") from error

    def value(tag: int, default: int) -> int:
        found = entries.get(tag)
        return default if found is None or not len(found) else int(found[0])

    bits, photometric = value(_BITS, 8), value(_PHOTOMETRIC, 1)
    samples = _FORMATS.get(value(_FORMAT, 1), "uint")
    kind = "CIELAB" if photometric in _LAB else f"PhotometricInterpretation {photometric}"
    unread = "" if photometric in _COLOURS else f"TIFF, {kind}"
    if not unread and value(_SUBFILE, 0) & _REDUCED:
        unread = "camera raw"
    if not unread and bits not in _READ_BITS:
        unread = f"TIFF of {bits} bits a sample"
    if not unread and bits in _NARROW and photometric in _GREY:
        # OpenCV reads palettes of so few bits, but no grey.
        unread = f"TIFF, grey of {bits} bits"
    if not unread and samples == "float" and bits < 32:  # noqa: PLR2004
        unread = f"TIFF, floating point of {bits} bits"
    extra = value(_SAMPLES, 1) - _COLOURS.get(photometric, 1)
    alpha: Literal["", "straight", "premultiplied"] = ""
    if extra > 0:
        meaning = value(_EXTRA, 0)
        alpha = "premultiplied" if meaning == _ASSOCIATED else "straight" if meaning == _UNASSOCIATED else ""
    largest = value(_LARGEST, 0)
    significant = largest.bit_length() if largest > 255 and largest & (largest + 1) == 0 else None  # noqa: PLR2004
    return TiffProperties(width, height, bits, samples, alpha, significant, 1 + _pages(data, following), unread)


def _pages(data: bytes, following: int) -> int:
    """Return how many further directories hold a page; smaller copies and masks of a page are none."""
    found, seen = 0, set[int]()
    while following and following not in seen and len(seen) < _MOST_PAGES:
        seen.add(following)
        try:
            entries, following = _directory(data, following)
        except struct.error as error:
            raise TruncatedError("tiff: a page lies beyond the end") from error
        kind = entries.get(_SUBFILE)
        if kind is None or not len(kind) or not int(kind[0]) & (_REDUCED | _MASK):
            found += 1
    return found


def require_complete_tiff(data: bytes) -> None:
    """Check that every strip or tile lies within the file.

    Raises:
        TruncatedError: when one lies beyond the end.
        DamagedError: when there is none.
        struct.error: when the directory ends early.
    """
    entries, _ = _directory(data, _first(data))
    for offsets, counts in _STRIPS:
        if offsets not in entries:
            continue
        begins, sizes = entries[offsets], entries.get(counts, entries[offsets][:0])
        for first in range(0, min(len(begins), len(sizes)), _AT_ONCE):
            some = slice(first, min(first + _AT_ONCE, len(begins), len(sizes)))
            if int((begins[some].astype(np.int64) + sizes[some]).max()) > len(data):
                raise TruncatedError("tiff: a strip lies beyond the end")
        return
    raise DamagedError("tiff: no pixels")


def _first(data: bytes) -> int:
    (start,) = struct.unpack_from(f"{_order(data)}I", data, 4)
    return int(start)


def _order(data: bytes) -> str:
    return "<" if data[:2] == b"II" else ">"


def _directory(data: bytes, start: int) -> tuple[dict[int, NDArray[np.unsignedinteger]], int]:
    """Return the needed entries of a directory by tag, as views of the data, and where the next directory is, or 0.

    Entries may overlap: a file of a few kilobytes can name millions of values, and none of them is copied.
    """
    order = _order(data)
    (count,) = struct.unpack_from(f"{order}H", data, start)
    entries: dict[int, NDArray[np.unsignedinteger]] = {}
    for index in range(count):
        place = start + 2 + index * 12
        tag, kind, number = struct.unpack_from(f"{order}HHI", data, place)
        if kind not in {_SHORT, _LONG}:
            continue
        size = _SIZES[kind] * number
        at = place + 8 if size <= 4 else struct.unpack_from(f"{order}I", data, place + 8)[0]  # noqa: PLR2004
        if at + size > len(data):
            raise TruncatedError("tiff: an entry lies beyond the end")
        if tag in _READ:
            width = "u2" if kind == _SHORT else "u4"
            entries[tag] = np.frombuffer(data, np.dtype(order + width), number, at)
    end = start + 2 + count * 12
    following = struct.unpack_from(f"{order}I", data, end)[0] if end + 4 <= len(data) else 0
    return entries, int(following)
