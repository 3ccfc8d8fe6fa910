"""Format, size in pixels and kind of values of an image file, read before anything is decoded.

OpenCV allocates what a header claims, so the claim is read first. Pillow reads JPEG and PNG. The others are read here:
Pillow refuses BMP files with bit fields that OpenCV decodes, copies every entry of a TIFF's directory, of which a file
of kilobytes can name gigabytes, and builds the decoder of a WebP, with its canvas, before it returns the size.

Layouts: BMP ``BITMAPINFOHEADER``; the others in the modules of their names.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from inspection.imaging.damage import DamagedError, TruncatedError
from inspection.imaging.formats import PictureFormat, image_format
from inspection.imaging.gif import gif_properties
from inspection.imaging.netpbm import netpbm_header, netpbm_images
from inspection.imaging.png import png_properties
from inspection.imaging.tiff import SampleFormat, tiff_properties
from inspection.imaging.value_range import ValueRange
from inspection.imaging.webp import webp_properties

if TYPE_CHECKING:
    from PIL.JpegImagePlugin import JpegImageFile

BMP_CORE_HEADER = 12
"""Length of the oldest header, whose width and height have 16 bits."""
_EIGHT_BITS = 8
_JPEG_MARKER = 0xFF
# Markers that begin a frame (ITU-T T.81, table B.1).
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_PREVIEW = "Large Thumbnail"
_MPO_ENTRIES = 0xB002


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What an image file says of itself, before any EXIF rotation.

    Attributes:
        format: one of ``PictureFormat``.
        width: columns.
        height: rows.
        bits: of a sample.
        samples: their kind: unsigned or signed integers, or floating-point numbers.
        alpha: ``straight`` or ``premultiplied`` where there may be transparent pixels, else empty.
        pages: number of pages, frames or pictures in the file.
        significant: bits that the file says its values use, where it does.
        declared: the range of values that the format states, as a netpbm file does.
        unread: the kind of image, where it is one that cannot be read; else empty.
    """

    format: PictureFormat
    width: int
    height: int
    bits: int = field(default=_EIGHT_BITS, compare=False)
    samples: SampleFormat = field(default="uint", compare=False)
    alpha: Literal["", "straight", "premultiplied"] = field(default="", compare=False)
    pages: int = field(default=1, compare=False)
    significant: int | None = field(default=None, compare=False)
    declared: ValueRange | None = field(default=None, compare=False)
    unread: str = field(default="", compare=False)

    @property
    def deep(self) -> bool:
        """Whether values have to be mapped to 8 bits."""
        return self.bits > _EIGHT_BITS or self.samples != "uint" or self.declared is not None


def read_header(data: bytes) -> ImageHeader | None:
    """Return what the image in ``data`` says of itself, or None when its format is not one that is read.

    Raises:
        TruncatedError: when the bytes end too early, in the header or in the pixels.
        DamagedError: when they contradict themselves.
    """
    name = image_format(data)
    if name is None:
        return None
    try:
        header = _READERS[name](data)
    except (struct.error, IndexError) as error:
        raise TruncatedError(f"{name}: the header ends early") from error
    if header.width <= 0 or header.height <= 0:
        raise DamagedError(f"{name}: {header.width}×{header.height} pixels")
    return header


def _jpeg(data: bytes) -> ImageHeader:
    # The plugins themselves and not Image.open: it tries every format and warns of images larger than its own limit.
    from PIL import JpegImagePlugin

    file = io.BytesIO(data)
    try:
        picture = JpegImagePlugin.jpeg_factory(file)
    except (OSError, SyntaxError, ValueError, UserWarning) as error:
        deep = _deep_jpeg(data)
        if deep is not None:
            return deep
        # Pillow warns of odd but readable parts; where warnings are errors such a file counts as damaged.
        raise _at_the_end(file, data, "jpeg", error) from error
    return ImageHeader("jpeg", *picture.size, pages=_pictures(picture))


def _deep_jpeg(data: bytes) -> ImageHeader | None:
    """Return the header of a JPEG of more than 8 bits, which neither Pillow nor OpenCV decodes; None for any other."""
    position = 2
    while position + 9 <= len(data) and data[position] == _JPEG_MARKER:
        kind, length, precision, height, width = struct.unpack_from(">BHBHH", data, position + 1)
        if kind in _JPEG_FRAMES:
            if precision <= _EIGHT_BITS:
                return None
            return ImageHeader("jpeg", width, height, unread=f"JPEG of {precision} bits")
        position += 2 + length
    return None


def _pictures(picture: JpegImageFile) -> int:
    """Return how many pictures of full size a JPEG or MPO holds; a preview is none."""
    entries = getattr(picture, "mpinfo", {}).get(_MPO_ENTRIES, ())
    previews = sum(str(entry["Attribute"]["MPType"]).startswith(_JPEG_PREVIEW) for entry in entries)
    return max(1, len(entries) - previews)


def _png(data: bytes) -> ImageHeader:
    from PIL import PngImagePlugin

    file = io.BytesIO(data)
    try:
        size: tuple[int, int] = PngImagePlugin.PngImageFile(file).size
    except (OSError, SyntaxError, ValueError, UserWarning) as error:
        raise _at_the_end(file, data, "png", error) from error
    bits, alpha, frames, significant = png_properties(data)
    return ImageHeader(
        "png",
        *size,
        bits=max(bits, _EIGHT_BITS),
        alpha="straight" if alpha else "",
        pages=frames,
        significant=significant if bits > _EIGHT_BITS else None,
    )


def _at_the_end(file: io.BytesIO, data: bytes, name: str, error: BaseException) -> ValueError:
    if file.tell() >= len(data):
        return TruncatedError(f"{name}: the header ends early")
    return DamagedError(f"{name}: {error}")


def _bmp(data: bytes) -> ImageHeader:
    (header_size,) = struct.unpack_from("<I", data, 14)
    if header_size == BMP_CORE_HEADER:
        width, height = struct.unpack_from("<HH", data, 18)
        return ImageHeader("bmp", width, height)
    width, height = struct.unpack_from("<ii", data, 18)
    return ImageHeader("bmp", width, abs(height))


def _tiff(data: bytes) -> ImageHeader:
    found = tiff_properties(data)
    return ImageHeader(
        "tiff",
        found.width,
        found.height,
        bits=max(found.bits, _EIGHT_BITS),
        samples=found.samples,
        alpha=found.alpha,
        pages=found.pages,
        significant=found.significant,
        unread=found.unread,
    )


def _webp(data: bytes) -> ImageHeader:
    width, height, alpha, frames = webp_properties(data)
    return ImageHeader("webp", width, height, alpha="straight" if alpha else "", pages=frames)


def _gif(data: bytes) -> ImageHeader:
    width, height, frames = gif_properties(data)
    return ImageHeader("gif", width, height, alpha="straight", pages=frames)


def _netpbm(data: bytes) -> ImageHeader:
    found = netpbm_header(data)
    # 16 bits in which only a part is used are common; the header says which.
    is_plain = found.largest == 2**_EIGHT_BITS - 1
    declared = None if is_plain else ValueRange(0, found.largest)
    bits = _EIGHT_BITS if found.largest < 2**_EIGHT_BITS else 2 * _EIGHT_BITS
    return ImageHeader(
        "netpbm", found.width, found.height, bits=bits, declared=declared, pages=netpbm_images(data, found)
    )


_READERS = {
    "jpeg": _jpeg,
    "png": _png,
    "bmp": _bmp,
    "tiff": _tiff,
    "webp": _webp,
    "gif": _gif,
    "netpbm": _netpbm,
}
