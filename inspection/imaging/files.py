"""Reading and writing images; limits and completeness are checked before decoding."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from inspection.imaging.completeness import require_complete
from inspection.imaging.damage import DamagedError, TruncatedError
from inspection.imaging.frames import Pixels, as_rgb, require_pixels
from inspection.imaging.headers import ImageHeader, image_format, read_header
from inspection.imaging.opencv import cv2
from inspection.imaging.png import require_png_pixels
from models.errors import UnreadableImage
from models.storage import reason_of, write_atomically

__all__ = [
    "IMAGE_SUFFIXES",
    "ColourMode",
    "ImageHeader",
    "ImageLimits",
    "decode_image",
    "encode_jpeg",
    "encode_png",
    "image_size",
    "read_image",
    "require_image",
    "require_pixel_count",
    "write_atomically",
]

ColourMode = Literal["rgb", "grey", "as-stored"]
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
_MEBI = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Largest size of an image: bytes of the file, and pixels (100 million are 300 MB as RGB)."""

    max_bytes: int = 64 * _MEBI
    max_pixels: int = 100_000_000


DEFAULT_LIMITS = ImageLimits()


def image_size(data: bytes, *, name: str = "image", limits: ImageLimits = DEFAULT_LIMITS) -> ImageHeader:
    """Return format and size of an image without decoding it.

    Raises:
        UnreadableImage: ``image-empty``, ``image-too-many-bytes``, ``image-unknown-format``, ``image-truncated``,
            ``image-damaged`` or ``image-too-many-pixels``.
    """
    if not data:
        raise UnreadableImage("image-empty", name=name)
    if len(data) > limits.max_bytes:
        raise _too_many_bytes(name, len(data), limits)
    try:
        header = read_header(data)
    except TruncatedError as error:
        raise UnreadableImage("image-truncated", name=name, format=image_format(data)) from error
    except DamagedError as error:
        raise UnreadableImage("image-damaged", name=name, format=image_format(data)) from error
    if header is None:
        raise UnreadableImage("image-unknown-format", name=name)
    require_pixel_count(header.width, header.height, name=name, limits=limits)
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


def decode_image(
    data: bytes, *, name: str = "image", mode: ColourMode = "rgb", limits: ImageLimits = DEFAULT_LIMITS
) -> Pixels:
    """Return a JPEG, PNG, BMP, TIFF or WebP image, rotated by its EXIF orientation.

    Args:
        data: the file's bytes.
        name: for messages.
        mode: ``rgb`` gives ``(H, W, 3)``, ``grey`` gives ``(H, W)``, ``as-stored`` one of the two as in the file.
            Alpha is dropped; of 16 bits per channel the upper 8 are kept.
        limits: of bytes and pixels.

    Returns:
        uint8, contiguous.

    Raises:
        UnreadableImage: as ``image_size``.
    """
    header = require_image(data, name=name, limits=limits)
    flag = {
        "rgb": cv2.IMREAD_COLOR_RGB,
        "grey": cv2.IMREAD_GRAYSCALE,
        "as-stored": cv2.IMREAD_ANYCOLOR,
    }[mode]
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error as error:
        raise UnreadableImage("image-damaged", name=name, format=header.format) from error
    # OpenCV returns None, against its own type stubs, when it cannot decode.
    if decoded is None or decoded.size == 0:
        raise UnreadableImage("image-damaged", name=name, format=header.format)
    if mode == "as-stored" and decoded.ndim == 3:  # noqa: PLR2004
        decoded = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    return np.ascontiguousarray(decoded, dtype=np.uint8)


def read_image(path: Path, *, mode: ColourMode = "rgb", limits: ImageLimits = DEFAULT_LIMITS) -> Pixels:
    """Return the image of a file; see ``decode_image``.

    Raises:
        UnreadableImage: as ``decode_image``, and ``image-missing`` when the file does not exist,
            ``image-not-readable`` when it cannot be read.
    """
    return decode_image(read_image_bytes(path, limits=limits), name=path.name, mode=mode, limits=limits)


def read_image_bytes(path: Path, *, limits: ImageLimits = DEFAULT_LIMITS) -> bytes:
    """Return the bytes of an image file, refusing one that is too large before reading it.

    Raises:
        UnreadableImage: ``image-missing``, ``image-not-readable``, ``image-too-many-bytes``.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limits.max_bytes + 1)
            if len(data) > limits.max_bytes:
                raise _too_many_bytes(path.name, path.stat().st_size, limits)
            return data
    except FileNotFoundError as error:
        raise UnreadableImage("image-missing", name=path.name) from error
    except OSError as error:
        raise UnreadableImage("image-not-readable", name=path.name, reason=reason_of(error)) from error


def encode_png(pixels: Pixels) -> bytes:
    """Return RGB or grey ``pixels`` as PNG (lossless)."""
    return _encode(pixels, ".png", [cv2.IMWRITE_PNG_COMPRESSION, 3])


def encode_jpeg(pixels: Pixels, quality: int = 92) -> bytes:
    """Return RGB or grey ``pixels`` as JPEG of ``quality`` 1 to 100."""
    return _encode(pixels, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])


def _encode(pixels: Pixels, suffix: str, parameters: list[int]) -> bytes:
    require_pixels(pixels)
    stored = cv2.cvtColor(as_rgb(pixels), cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels  # noqa: PLR2004
    done, buffer = cv2.imencode(suffix, stored, parameters)
    if not done:
        raise RuntimeError(f"OpenCV could not encode {pixels.shape} as {suffix}")
    return buffer.tobytes()


def _too_many_bytes(name: str, size: int, limits: ImageLimits) -> UnreadableImage:
    return UnreadableImage("image-too-many-bytes", name=name, size=-(-size // _MEBI), limit=limits.max_bytes // _MEBI)
