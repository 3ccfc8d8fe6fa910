"""What the bytes of an image file say before anything is decoded: format, size in pixels, whether all is there.

OpenCV decodes what is there of a truncated JPEG and paints the rest grey, without a word; an inspection of such an
image would be an inspection of paint. And it allocates what a header claims. So both are settled here first.

Layouts: JPEG ITU-T T.81 annex B; PNG (W3C) section 5; BMP ``BITMAPINFOHEADER``; TIFF 6.0 section 2; WebP RFC 9649.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_START_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
# A marker within entropy-coded data: 0xFF not followed by stuffing, a restart marker or fill.
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_JPEG_ALONE = {0x01, *range(0xD0, 0xD9)}
_JPEG_START_OF_SCAN, _JPEG_END = 0xDA, 0xD9
_TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_TIFF_SHORT, _TIFF_LONG = 3, 4
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
_TIFF_STRIPS = ((273, 279), (324, 325))
_TIFF_READ = {_TIFF_WIDTH, _TIFF_HEIGHT, *(tag for pair in _TIFF_STRIPS for tag in pair)}
_TIFF_AT_ONCE = 1 << 16
_BMP_CORE_HEADER = 12


class TruncatedError(ValueError):
    """The bytes end before the image does."""


class DamagedError(ValueError):
    """The bytes contradict themselves."""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Format (``jpeg``, ``png``, ``bmp``, ``tiff``, ``webp``) and size in pixels, before any EXIF rotation."""

    format: str
    width: int
    height: int


def image_format(data: bytes) -> str | None:
    """Return the format the first bytes say, or None when it is none we read."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(PNG_SIGNATURE):
        return "png"
    if data.startswith(b"BM"):
        return "bmp"
    if data.startswith((b"II*\0", b"MM\0*")):
        return "tiff"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    return None


def read_header(data: bytes) -> ImageHeader | None:
    """Return format and size of the image in ``data``, or None when it is no image of a format we read.

    Raises:
        TruncatedError: when the bytes end too early, in the header or in the pixels.
        DamagedError: when they contradict themselves.
    """
    name = image_format(data)
    if name is None:
        return None
    try:
        width, height = _READERS[name](data)
    except (struct.error, IndexError) as error:
        raise TruncatedError(f"{name}: the header ends early") from error
    if width <= 0 or height <= 0:
        raise DamagedError(f"{name}: {width}×{height} pixels")
    return ImageHeader(name, width, height)


def require_complete(data: bytes, header: ImageHeader) -> None:
    """Check that the pixels are all there, as far as the format lets one see.

    Raises:
        TruncatedError: when the bytes end too early.
        DamagedError: when a checksum is wrong or a part points nowhere.
    """
    try:
        _CHECKS[header.format](data)
    except (struct.error, IndexError) as error:
        raise TruncatedError(f"{header.format}: the data ends early") from error


def _jpeg_size(data: bytes) -> tuple[int, int]:
    position = 2
    while True:
        if data[position] != 0xFF:  # noqa: PLR2004 - every marker begins so
            raise DamagedError("jpeg: no marker where one must be")
        while data[position] == 0xFF:  # noqa: PLR2004
            position += 1
        marker = data[position]
        position += 1
        if marker in _JPEG_ALONE:
            continue
        if marker == _JPEG_END:
            raise TruncatedError("jpeg: ends before its frame")
        (length,) = struct.unpack_from(">H", data, position)
        if marker in _JPEG_START_OF_FRAME:
            height, width = struct.unpack_from(">HH", data, position + 3)
            return width, height
        position += length


def _jpeg_complete(data: bytes) -> None:
    position = 2
    while True:
        match = _JPEG_MARKER.search(data, position)
        if match is None:
            raise TruncatedError("jpeg: no end marker")
        marker, position = match[1][0], match.end()
        if marker == _JPEG_END:
            return
        if marker not in _JPEG_ALONE:
            (length,) = struct.unpack_from(">H", data, position)
            position += length


def _png_size(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", data, 16)
    if data[12:16] != b"IHDR":
        raise DamagedError("png: does not begin with its header")
    return width, height


def _png_complete(data: bytes) -> None:
    position = len(PNG_SIGNATURE)
    while True:
        length, kind = struct.unpack_from(">I4s", data, position)
        body_end = position + 8 + length
        (checksum,) = struct.unpack_from(">I", data, body_end)
        if zlib.crc32(memoryview(data)[position + 4 : body_end]) != checksum:
            raise DamagedError("png: wrong checksum")
        if kind == b"IEND":
            return
        position = body_end + 4


def _bmp_size(data: bytes) -> tuple[int, int]:
    (header_size,) = struct.unpack_from("<I", data, 14)
    if header_size == _BMP_CORE_HEADER:
        width, height = struct.unpack_from("<HH", data, 18)
        return width, height
    width, height = struct.unpack_from("<ii", data, 18)
    return width, abs(height)


def _bmp_complete(data: bytes) -> None:
    (offset, header_size) = struct.unpack_from("<II", data, 10)
    width, height = _bmp_size(data)
    bits_at = 24 if header_size == _BMP_CORE_HEADER else 28
    (bits,) = struct.unpack_from("<H", data, bits_at)
    compression = 0 if header_size == _BMP_CORE_HEADER else struct.unpack_from("<I", data, 30)[0]
    if compression in {1, 2}:  # run lengths: the size of the pixels stands in the header
        (needed,) = struct.unpack_from("<I", data, 34)
    else:
        needed = (width * bits + 31) // 32 * 4 * height
    if offset + needed > len(data):
        raise TruncatedError("bmp: the pixels end early")


def _tiff_entries(data: bytes) -> dict[int, NDArray[np.unsignedinteger]]:
    """Return what the header needs of a TIFF's first directory, as views of the data.

    Entries may overlap: a file of a few kilobytes can name millions of values, and none of them is copied here.
    """
    order = "<" if data.startswith(b"II") else ">"
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, start)
    entries: dict[int, NDArray[np.unsignedinteger]] = {}
    for index in range(count):
        place = start + 2 + index * 12
        tag, kind, number = struct.unpack_from(f"{order}HHI", data, place)
        if kind not in {_TIFF_SHORT, _TIFF_LONG}:
            continue
        size = _TIFF_SIZES[kind] * number
        at = place + 8 if size <= 4 else struct.unpack_from(f"{order}I", data, place + 8)[0]  # noqa: PLR2004
        if at + size > len(data):
            raise TruncatedError("tiff: an entry lies behind the end")
        if tag in _TIFF_READ:
            width = "u2" if kind == _TIFF_SHORT else "u4"
            entries[tag] = np.frombuffer(data, np.dtype(order + width), number, at)
    return entries


def _tiff_size(data: bytes) -> tuple[int, int]:
    entries = _tiff_entries(data)
    try:
        return int(entries[_TIFF_WIDTH][0]), int(entries[_TIFF_HEIGHT][0])
    except (KeyError, IndexError) as error:
        raise DamagedError("tiff: no width or height") from error


def _tiff_complete(data: bytes) -> None:
    entries = _tiff_entries(data)
    for offsets, counts in _TIFF_STRIPS:
        if offsets not in entries:
            continue
        begins, sizes = entries[offsets], entries.get(counts, entries[offsets][:0])
        for first in range(0, min(len(begins), len(sizes)), _TIFF_AT_ONCE):
            some = slice(first, min(first + _TIFF_AT_ONCE, len(begins), len(sizes)))
            if int((begins[some].astype(np.int64) + sizes[some]).max()) > len(data):
                raise TruncatedError("tiff: a strip lies behind the end")
        return
    raise DamagedError("tiff: no pixels")


def _webp_size(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        struct.unpack_from("<6s", data, 24)
        return width, height
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise DamagedError("webp: unknown chunk")


def _webp_complete(data: bytes) -> None:
    (size,) = struct.unpack_from("<I", data, 4)
    if size + 8 > len(data):
        raise TruncatedError("webp: ends early")


_READERS = {"jpeg": _jpeg_size, "png": _png_size, "bmp": _bmp_size, "tiff": _tiff_size, "webp": _webp_size}
_CHECKS = {
    "jpeg": _jpeg_complete,
    "png": _png_complete,
    "bmp": _bmp_complete,
    "tiff": _tiff_complete,
    "webp": _webp_complete,
}
