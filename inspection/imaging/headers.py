"""Format and size in pixels of an image file, read from its first bytes before anything is decoded.

OpenCV allocates what a header claims, so the claim is read first. Pillow reads JPEG and PNG. The others are read here:
Pillow refuses BMP files with bit fields that OpenCV decodes, copies every entry of a TIFF's directory, of which a file
of kilobytes can name gigabytes, and builds the decoder of a WebP, with its canvas, before it returns the size.

Layouts: BMP ``BITMAPINFOHEADER``; TIFF 6.0 section 2; WebP RFC 9649.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

from inspection.imaging.damage import DamagedError, TruncatedError
from inspection.imaging.tiff import tiff_size

BMP_CORE_HEADER = 12
"""Length of the oldest header, whose width and height have 16 bits."""
_SIGNATURES = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
)


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Format (``jpeg``, ``png``, ``bmp``, ``tiff``, ``webp``) and size in pixels, before any EXIF rotation."""

    format: str
    width: int
    height: int


def image_format(data: bytes) -> str | None:
    """Return the format that the first bytes identify, or None when it is not supported."""
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    return next((name for signature, name in _SIGNATURES if data.startswith(signature)), None)


def read_header(data: bytes) -> ImageHeader | None:
    """Return format and size of the image in ``data``, or None when its format is not supported.

    Raises:
        TruncatedError: when the bytes end too early, in the header or in the pixels.
        DamagedError: when they contradict themselves.
    """
    name = image_format(data)
    if name is None:
        return None
    try:
        width, height = _READERS[name](data) if name in _READERS else _size_by_pillow(name, data)
    except (struct.error, IndexError) as error:
        raise TruncatedError(f"{name}: the header ends early") from error
    if width <= 0 or height <= 0:
        raise DamagedError(f"{name}: {width}×{height} pixels")
    return ImageHeader(name, width, height)


def _size_by_pillow(name: str, data: bytes) -> tuple[int, int]:
    # The plugins themselves and not Image.open: it tries every format and warns of images larger than its own limit.
    from PIL import JpegImagePlugin, PngImagePlugin

    plugin = JpegImagePlugin.JpegImageFile if name == "jpeg" else PngImagePlugin.PngImageFile
    file = io.BytesIO(data)
    try:
        size: tuple[int, int] = plugin(file).size
    except (OSError, SyntaxError, ValueError, UserWarning) as error:
        # Pillow warns of odd but readable parts; where warnings are errors such a file counts as damaged.
        if file.tell() >= len(data):
            raise TruncatedError(f"{name}: the header ends early") from error
        raise DamagedError(f"{name}: {error}") from error
    return size


def _bmp_size(data: bytes) -> tuple[int, int]:
    (header_size,) = struct.unpack_from("<I", data, 14)
    if header_size == BMP_CORE_HEADER:
        width, height = struct.unpack_from("<HH", data, 18)
        return width, height
    width, height = struct.unpack_from("<ii", data, 18)
    return width, abs(height)


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


_READERS = {"bmp": _bmp_size, "tiff": tiff_size, "webp": _webp_size}
