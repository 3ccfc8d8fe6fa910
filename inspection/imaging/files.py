"""Reading and writing images; limits and completeness are checked before decoding."""

from __future__ import annotations

import errno
import mmap
import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO

import numpy as np

from inspection.imaging.completeness import require_complete
from inspection.imaging.damage import DamagedError, TruncatedError
from inspection.imaging.decoding import ColourMode, DecodedImage, decode_complete
from inspection.imaging.formats import VIDEO_SUFFIXES, image_format, unread_format
from inspection.imaging.frames import Pixels, as_rgb, require_pixels
from inspection.imaging.headers import ImageHeader, read_header
from inspection.imaging.opencv import cv2
from inspection.imaging.png import require_png_pixels
from inspection.imaging.reading import AS_DECLARED, Reading
from models.errors import UnreadableImage
from models.storage import reason_of

_MEBI = 1024 * 1024
_NETPBM_HEADER = 48
"""Bytes of a header with its blanks: a multiple of 16 with room for every width and height."""
_HEAD = 4 * _MEBI
_CHANNELS = 4
_BITS_OF_A_BYTE = 8


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Largest size of an image.

    Attributes:
        max_pixels: 100 million are 300 MB as RGB.
        max_bytes: of the file; None allows what an uncompressed image of its size takes, and 64 MiB at least.
    """

    max_bytes: int | None = None
    max_pixels: int = 100_000_000

    @property
    def bytes_of_any(self) -> int:
        """Bytes that a file may have whatever it holds."""
        return 64 * _MEBI if self.max_bytes is None else self.max_bytes

    @property
    def bytes_of_largest(self) -> int:
        """Bytes that the largest image may have, not compressed, with 8 bits a channel."""
        return self.max_bytes or max(self.bytes_of_any, self.max_pixels * _CHANNELS + _MEBI)

    def bytes_of(self, header: ImageHeader) -> int:
        """Return how many bytes a file with this header may have."""
        if self.max_bytes is not None:
            return self.max_bytes
        pixels = min(header.width * header.height * header.pages, self.max_pixels)
        return max(self.bytes_of_any, pixels * _CHANNELS * header.bits // _BITS_OF_A_BYTE + _MEBI)


DEFAULT_LIMITS = ImageLimits()


def image_size(data: bytes, *, name: str = "image", limits: ImageLimits = DEFAULT_LIMITS) -> ImageHeader:
    """Return format and size of an image without decoding it.

    Raises:
        UnreadableImage: ``image-empty``, ``image-too-many-bytes``, ``image-unknown-format``, ``image-not-supported``,
            ``image-is-video``, ``image-truncated``, ``image-damaged`` or ``image-too-many-pixels``.
    """
    if not data:
        raise UnreadableImage("image-empty", name=name)
    if limits.max_bytes is not None and len(data) > limits.max_bytes:
        raise _too_many_bytes(name, len(data), limits.max_bytes)
    header = _header(data, name)
    require_pixel_count(header.width, header.height, name=name, limits=limits)
    if len(data) > limits.bytes_of(header):
        raise _too_many_bytes(name, len(data), limits.bytes_of(header))
    return header


def _header(data: bytes, name: str) -> ImageHeader:
    suffix = PurePath(name).suffix.lower()
    unread = unread_format(data, suffix)
    if unread is not None:
        raise UnreadableImage("image-not-supported", name=name, format=unread)
    try:
        header = read_header(data)
    except TruncatedError as error:
        raise UnreadableImage("image-truncated", name=name, format=image_format(data)) from error
    except DamagedError as error:
        raise UnreadableImage("image-damaged", name=name, format=image_format(data)) from error
    if header is None:
        raise UnreadableImage("image-is-video" if suffix in VIDEO_SUFFIXES else "image-unknown-format", name=name)
    if header.unread:
        raise UnreadableImage("image-not-supported", name=name, format=header.unread)
    return header


def require_image(
    data: bytes, *, name: str = "image", limits: ImageLimits = DEFAULT_LIMITS, unpacked: bool = False
) -> ImageHeader:
    """Check that ``data`` is a complete image within the limits, without decoding it; return its format and size.

    Args:
        data: the file's bytes.
        name: for messages.
        limits: bytes and pixels allowed.
        unpacked: also count the pixels of a PNG, which decoding finds out anyway; for files that are kept as they are.

    Raises:
        UnreadableImage: as ``image_size``.
    """
    header = image_size(data, name=name, limits=limits)
    try:
        require_complete(data, header)
        if unpacked and header.format == "png":
            require_png_pixels(data)
    except TruncatedError as error:
        raise UnreadableImage("image-truncated", name=name, format=header.format) from error
    except DamagedError as error:
        raise UnreadableImage("image-damaged", name=name, format=header.format) from error
    return header


def require_pixel_count(width: int, height: int, *, name: str, limits: ImageLimits = DEFAULT_LIMITS) -> None:
    """Check that an image or a frame is within the pixel limit, before memory is allocated for it.

    Raises:
        UnreadableImage: ``image-too-many-pixels``.
    """
    if width * height > limits.max_pixels:
        raise UnreadableImage(
            "image-too-many-pixels", name=name, width=width, height=height, limit=limits.max_pixels // 1_000_000
        )


def decode(
    data: bytes,
    *,
    name: str = "image",
    mode: ColourMode = "rgb",
    limits: ImageLimits = DEFAULT_LIMITS,
    reading: Reading = AS_DECLARED,
) -> DecodedImage:
    """Return an image of one of the formats that are read, and how it was seen.

    Args:
        data: the file's bytes.
        name: for messages.
        mode: ``rgb`` gives ``(H, W, 3)``, ``grey`` gives ``(H, W)``, ``as-stored`` one of the two as in the file.
        limits: of bytes and pixels.
        reading: what a file leaves open.

    Returns:
        rotated by its EXIF orientation, transparent pixels on white, deep values mapped to 8 bits.

    Raises:
        UnreadableImage: as ``image_size`` and ``decode_complete``.
    """
    header = require_image(data, name=name, limits=limits)
    return decode_complete(data, header, name=name, mode=mode, reading=reading)


def decode_image(
    data: bytes,
    *,
    name: str = "image",
    mode: ColourMode = "rgb",
    limits: ImageLimits = DEFAULT_LIMITS,
    reading: Reading = AS_DECLARED,
) -> Pixels:
    """Return the pixels of ``decode``: uint8, contiguous.

    Raises:
        UnreadableImage: as ``decode``.
    """
    return decode(data, name=name, mode=mode, limits=limits, reading=reading).pixels


def read_image(
    path: Path,
    *,
    mode: ColourMode = "rgb",
    limits: ImageLimits = DEFAULT_LIMITS,
    reading: Reading = AS_DECLARED,
) -> Pixels:
    """Return the image of a file, uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``; see ``decode``.

    Raises:
        UnreadableImage: as ``decode`` and ``read_image_bytes``.
    """
    data = read_image_bytes(path, limits=limits)
    return decode_image(data, name=path.name, mode=mode, limits=limits, reading=reading)


def read_image_bytes(path: Path, *, limits: ImageLimits = DEFAULT_LIMITS) -> bytes:
    """Return the bytes of an image file, refusing one that is too large before reading it.

    Raises:
        UnreadableImage: ``image-missing``, ``image-link-broken``, ``image-not-readable``, ``image-too-many-bytes``.
    """
    try:
        _require_no_pipe(path)
        with path.open("rb") as file:
            allowed = limits.bytes_of_any
            data = file.read(allowed + 1)
            if len(data) <= allowed:
                return data
            size = os.fstat(file.fileno()).st_size
            allowed = _bytes_allowed(file, path.name, limits)
            if size > allowed:
                raise _too_many_bytes(path.name, size, allowed)
            file.seek(0)
            return file.read()
    except FileNotFoundError as error:
        if path.is_symlink():
            target = str(path.readlink())
            raise UnreadableImage("image-link-broken", name=path.name, target=target) from error
        raise UnreadableImage("image-missing", name=path.name) from error
    except OSError as error:
        raise UnreadableImage("image-not-readable", name=path.name, reason=reason_of(error)) from error


def _require_no_pipe(path: Path) -> None:
    """Refuse what is no file, such as a pipe, which would be waited for without end."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def _bytes_allowed(file: BinaryIO, name: str, limits: ImageLimits) -> int:
    """Return how many bytes a large file may have; only its header is read."""
    if limits.max_bytes is not None:
        return limits.max_bytes
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    is_tiff = image_format(mapped[:_HEAD]) == "tiff"
    try:
        # The directory of a TIFF is often at its end; it is read in place.
        header = _header(mapped if is_tiff else mapped[:_HEAD], name)  # type: ignore[arg-type]  # has its slices
    except UnreadableImage:
        return limits.bytes_of_any
    require_pixel_count(header.width, header.height, name=name, limits=limits)
    return limits.bytes_of(header)


def encode_png(pixels: Pixels, *, quick: bool = False) -> bytes:
    """Return ``pixels``, uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``, as PNG (lossless).

    Args:
        pixels: of the image.
        quick: in less than half the time, into a file that is a sixth larger for photographs.
    """
    if quick:
        # One filter for all rows: choosing one for each row takes longer than compressing it.
        level = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT]
        return _encode(pixels, ".png", [*level, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP])
    return _encode(pixels, ".png", [cv2.IMWRITE_PNG_COMPRESSION, 3])


def encode_netpbm(pixels: Pixels) -> bytes:
    """Return ``pixels``, uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``, as binary PPM or PGM: lossless, as they lie."""
    return b"".join(netpbm_pieces(pixels))


def netpbm_pieces(pixels: Pixels) -> tuple[bytes, memoryview]:
    """Return what ``encode_netpbm`` does as header and pixels, which are not copied.

    Blanks between the numbers, as many as one likes (``ppm(5)``), bring the header to a length that leaves the pixels
    at a multiple of 16 bytes in the file, as they are in memory: the kernel copies them in half the time.
    """
    require_pixels(pixels)
    kind = b"P6" if pixels.ndim == 3 else b"P5"  # noqa: PLR2004
    size = b"%d %d" % (pixels.shape[1], pixels.shape[0])
    header = b"%s\n%s\n255\n" % (kind, size.ljust(_NETPBM_HEADER - len(kind) - len(b"\n\n255\n")))
    return header, np.ascontiguousarray(pixels).data.cast("B")


def encode_jpeg(pixels: Pixels, quality: int = 92) -> bytes:
    """Return ``pixels``, uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``, as JPEG of ``quality`` 1 to 100."""
    return _encode(pixels, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])


def _encode(pixels: Pixels, suffix: str, parameters: list[int]) -> bytes:
    require_pixels(pixels)
    stored = cv2.cvtColor(as_rgb(pixels), cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels  # noqa: PLR2004
    done, buffer = cv2.imencode(suffix, stored, parameters)
    if not done:
        raise RuntimeError(f"OpenCV could not encode {pixels.shape} as {suffix}")
    return buffer.tobytes()


def _too_many_bytes(name: str, size: int, limit: int) -> UnreadableImage:
    return UnreadableImage("image-too-many-bytes", name=name, size=-(-size // _MEBI), limit=limit // _MEBI)
