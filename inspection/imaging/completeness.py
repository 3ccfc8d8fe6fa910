"""Checks that the bytes of an image file are all there, before it is decoded.

OpenCV decodes the part of a truncated JPEG that exists and fills the rest with grey, without an error; such an image
must not be inspected. Pillow checks this only by decoding.

Layouts: JPEG ITU-T T.81 annex B; PNG (W3C) section 5; BMP ``BITMAPINFOHEADER``; TIFF 6.0 section 2; WebP RFC 9649.
"""

from __future__ import annotations

import re
import struct

from inspection.imaging.damage import TruncatedError
from inspection.imaging.headers import BMP_CORE_HEADER, ImageHeader
from inspection.imaging.netpbm import require_complete_netpbm
from inspection.imaging.png import png_chunks
from inspection.imaging.tiff import require_complete_tiff

# A marker within entropy-coded data: 0xFF not followed by stuffing, a restart marker or fill.
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_JPEG_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_JPEG_END = 0xD9
_BMP_RUN_LENGTHS = {1, 2}


def require_complete(data: bytes, header: ImageHeader) -> None:
    """Check that the pixels are all there, as far as the format shows it.

    Raises:
        TruncatedError: when the bytes end too early.
        DamagedError: when a checksum is wrong or there are no pixels.
    """
    try:
        _CHECKS[header.format](data, header)
    except (struct.error, IndexError) as error:
        raise TruncatedError(f"{header.format}: the data ends early") from error


def _jpeg(data: bytes, _header: ImageHeader) -> None:
    position = 2
    while True:
        match = _JPEG_MARKER.search(data, position)
        if match is None:
            raise TruncatedError("jpeg: no end marker")
        marker, position = match[1][0], match.end()
        if marker == _JPEG_END:
            return
        if marker not in _JPEG_WITHOUT_LENGTH:
            (length,) = struct.unpack_from(">H", data, position)
            position += length


def _png(data: bytes, _header: ImageHeader) -> None:
    # Every chunk is checked, and some must hold pixels.
    if not sum(len(body) for kind, body in png_chunks(data) if kind == b"IDAT"):
        raise TruncatedError("png: no pixels")


def _bmp(data: bytes, header: ImageHeader) -> None:
    (offset, header_size) = struct.unpack_from("<II", data, 10)
    bits_at = 24 if header_size == BMP_CORE_HEADER else 28
    (bits,) = struct.unpack_from("<H", data, bits_at)
    compression = 0 if header_size == BMP_CORE_HEADER else struct.unpack_from("<I", data, 30)[0]
    if compression in _BMP_RUN_LENGTHS:  # the header gives the size of the pixels
        (needed,) = struct.unpack_from("<I", data, 34)
    else:
        needed = (header.width * bits + 31) // 32 * 4 * header.height
    if offset + needed > len(data):
        raise TruncatedError("bmp: the pixels end early")


def _tiff(data: bytes, _header: ImageHeader) -> None:
    require_complete_tiff(data)


def _webp(data: bytes, _header: ImageHeader) -> None:
    (size,) = struct.unpack_from("<I", data, 4)
    if size + 8 > len(data):
        raise TruncatedError("webp: ends early")


def _netpbm(data: bytes, _header: ImageHeader) -> None:
    require_complete_netpbm(data)


def _gif(_data: bytes, _header: ImageHeader) -> None:
    """The frames were counted up to the end of the file when the header was read."""


_CHECKS = {
    "jpeg": _jpeg,
    "png": _png,
    "bmp": _bmp,
    "tiff": _tiff,
    "webp": _webp,
    "netpbm": _netpbm,
    "gif": _gif,
}
