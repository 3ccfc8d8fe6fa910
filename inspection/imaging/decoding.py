"""Decoding a complete image file to 8 bits as a person sees it: upright, on one ground, in the range that is used."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.frames import Pixels
from inspection.imaging.grey import as_grey
from inspection.imaging.headers import ImageHeader
from inspection.imaging.netpbm import netpbm_values
from inspection.imaging.opencv import cv2
from inspection.imaging.reading import AS_DECLARED, Reading
from inspection.imaging.value_range import ValueRange, spread_over_16_bits
from models.errors import UnreadableImage

ColourMode = Literal["rgb", "grey", "as-stored"]
_GROUND = 255
_OPAQUE = 255
_ALPHA = 3
_CERTAIN_DEPTH = 14
"""16-bit values that need more bits than this use all 16; fewer may be those of a camera with fewer."""


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImage:
    """A decoded image.

    Attributes:
        pixels: uint8, RGB ``(H, W, 3)`` or grey ``(H, W)``, contiguous.
        transparent: whether pixels were transparent; they are seen on white.
        values: the range that was mapped to 8 bits; None for an image of 8 bits.
    """

    pixels: Pixels
    transparent: bool = False
    values: ValueRange | None = None


def decode_complete(
    data: bytes, header: ImageHeader, *, name: str, mode: ColourMode, reading: Reading = AS_DECLARED
) -> DecodedImage:
    """Return the image of a file that ``require_image`` has checked.

    Args:
        data: the file's bytes.
        header: of the file.
        name: for messages.
        mode: of ``decode_image``.
        reading: what the file leaves open.

    Raises:
        UnreadableImage: ``image-damaged``, ``image-several-pages``, ``image-depth-unknown``, ``image-range-unknown`` or
            ``image-beyond-depth``.
    """
    require_one_page(header, name=name, reading=reading)
    if not header.deep and not header.alpha and header.format != "netpbm":
        return DecodedImage(_plain(data, header, name, mode))
    values = stored_values(data, header, name=name)
    chosen = None
    if header.deep:
        chosen = chosen_range(values, header, name=name, reading=reading)
        pixels = _to_8_bits(values, chosen, header)
    else:
        pixels = values
    transparent = bool(header.alpha) and pixels.ndim > 2 and pixels.shape[2] > _ALPHA  # noqa: PLR2004
    if transparent and pixels[:, :, _ALPHA].min() == _OPAQUE:
        transparent = False
        if not header.deep and header.format != "gif":
            # The very pixels that a file without the channel would give, in every mode.
            return DecodedImage(_plain(data, header, name, mode))
    if pixels.ndim > 2:  # noqa: PLR2004
        pixels = _on_ground(pixels, header) if transparent else np.ascontiguousarray(pixels[:, :, :3])
    return DecodedImage(_in_mode(pixels, mode), transparent, chosen)


def require_one_page(header: ImageHeader, *, name: str, reading: Reading = AS_DECLARED) -> None:
    """Check that it is clear which page of a file is read.

    Raises:
        UnreadableImage: ``image-several-pages``.
    """
    if header.pages > 1 and reading.pages == "refuse":
        raise UnreadableImage("image-several-pages", name=name, pages=header.pages, format=header.format)


def stored_values(data: bytes, header: ImageHeader, *, name: str) -> NDArray[Any]:
    """Return the values as they are stored, of any type, upright: ``(H, W)``, RGB ``(H, W, 3)`` or RGBA ``(H, W, 4)``.

    Raises:
        UnreadableImage: ``image-damaged``, ``image-truncated``.
    """
    if header.format == "netpbm":
        return _netpbm(data, name)
    if header.format == "gif":
        return _gif(data, name)
    flag = cv2.IMREAD_UNCHANGED if header.alpha else cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR
    decoded = _decoded(data, flag, header, name)
    if _is_packed(header) and decoded.dtype == np.uint16:
        # OpenCV spreads them over all 16 bits.
        decoded = decoded >> (16 - header.bits)
    if header.alpha and header.format in {"png", "webp"}:
        decoded = _upright(decoded, _orientation(data, header))
    if decoded.ndim > 2:  # noqa: PLR2004
        order = cv2.COLOR_BGRA2RGBA if decoded.shape[2] > _ALPHA else cv2.COLOR_BGR2RGB
        if decoded.dtype in (np.uint8, np.uint16, np.float32):
            return np.asarray(cv2.cvtColor(decoded, order))
        return np.concatenate([decoded[:, :, 2::-1], decoded[:, :, _ALPHA:]], axis=2)
    return decoded


def chosen_range(values: NDArray[Any], header: ImageHeader, *, name: str, reading: Reading) -> ValueRange:
    """Return the range that the values of a deep image use: the given one, the declared one, or the evident one.

    Args:
        values: ``(H, W)`` or ``(H, W, channels)``, of any integer or floating type.
        header: of the file.
        name: of the file, for errors.
        reading: how files are read.

    Raises:
        UnreadableImage: ``image-beyond-depth`` when values exceed the given or declared bit depth,
            ``image-depth-unknown``, ``image-range-unknown`` or ``image-range-unknown-missing`` when nothing says which
            range is used, ``image-without-values`` when no value is a number.
    """
    if header.declared is not None and header.bits <= 8:  # noqa: PLR2004
        return header.declared
    given = reading.values
    if given is not None:
        if given.exceeded_by(values):
            largest = f"{float(np.nanmax(values)):g}"
            raise UnreadableImage("image-beyond-depth", name=name, bits=given.bits, largest=largest)
        return given
    found = declared_range(values, header, name=name)
    if found is not None:
        return found
    if values.dtype != np.uint16:
        raise _range_unknown(values, name)
    largest = values.max()
    if 0 < int(largest) < 2**_CERTAIN_DEPTH:
        suggested = ValueRange.holding(int(largest)).bits
        raise UnreadableImage("image-depth-unknown", name=name, largest=int(largest), bits=suggested)
    return ValueRange.of_bits(16)


def _range_unknown(values: NDArray[Any], name: str) -> UnreadableImage:
    """Return the error for values of which nothing says which are black and white; some may be no numbers."""
    finite = np.isfinite(values)
    if not finite.any():
        return UnreadableImage("image-without-values", name=name)
    numbers = values[finite]
    low, high = (f"{float(edge):g}" for edge in (numbers.min(), numbers.max()))
    missing = int((~finite.reshape(*values.shape[:2], -1).all(axis=2)).sum())
    if missing:
        return UnreadableImage("image-range-unknown-missing", name=name, missing=missing, low=low, high=high)
    return UnreadableImage("image-range-unknown", name=name, low=low, high=high)


def declared_range(values: NDArray[Any], header: ImageHeader, *, name: str) -> ValueRange | None:
    """Return the range that a file declares for its values, of any shape and type; None when it declares none.

    Raises:
        UnreadableImage: ``image-beyond-depth`` when values exceed the declared bits.
    """
    if header.declared is not None:
        return header.declared
    if _is_packed(header):
        return ValueRange.of_bits(header.bits)
    bits = header.significant
    if bits is None or not 8 <= bits <= 16 or values.dtype != np.uint16:  # noqa: PLR2004
        return None
    if header.format == "png" and spread_over_16_bits(values, bits):
        return ValueRange.of_bits(16)
    declared = ValueRange.of_bits(bits)
    if declared.exceeded_by(values):
        raise UnreadableImage("image-beyond-depth", name=name, bits=bits, largest=str(values.max()))
    return declared


def _is_packed(header: ImageHeader) -> bool:
    return header.format == "tiff" and header.samples == "uint" and 8 < header.bits < 16  # noqa: PLR2004


def _plain(data: bytes, header: ImageHeader, name: str, mode: ColourMode) -> Pixels:
    flag = {
        "rgb": cv2.IMREAD_COLOR_RGB,
        "grey": cv2.IMREAD_GRAYSCALE,
        "as-stored": cv2.IMREAD_ANYCOLOR,
    }[mode]
    decoded = _decoded(data, flag, header, name)
    if mode == "as-stored" and decoded.ndim == 3:  # noqa: PLR2004
        decoded = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    return np.ascontiguousarray(decoded, dtype=np.uint8)


def _decoded(data: bytes, flag: int, header: ImageHeader, name: str) -> NDArray[Any]:
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error as error:
        raise UnreadableImage("image-damaged", name=name, format=header.format) from error
    # OpenCV returns None, against its own type stubs, when it cannot decode.
    if decoded is None or decoded.size == 0:
        raise UnreadableImage("image-damaged", name=name, format=header.format)
    return decoded


def _netpbm(data: bytes, name: str) -> NDArray[Any]:
    try:
        return netpbm_values(data)
    except ValueError as error:
        raise UnreadableImage("image-damaged", name=name, format="netpbm") from error


def _gif(data: bytes, name: str) -> NDArray[Any]:
    from PIL import GifImagePlugin

    try:
        return np.array(GifImagePlugin.GifImageFile(io.BytesIO(data)).convert("RGBA"))
    except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
        raise UnreadableImage("image-damaged", name=name, format="gif") from error


def _orientation(data: bytes, header: ImageHeader) -> int:
    """Return the EXIF orientation of a PNG or WebP, 1 to 8; 1 without one."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=[header.format.upper()]) as picture:
            return int(picture.getexif().get(0x0112, 1))
    except (OSError, SyntaxError, ValueError, TypeError, UserWarning, Image.DecompressionBombError):
        return 1


def _upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    if orientation in {5, 6, 7, 8}:
        pixels = pixels.swapaxes(0, 1)
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _to_8_bits(values: NDArray[Any], chosen: ValueRange, header: ImageHeader) -> Pixels:
    """Return the values as 8 bits; the range is that of the colours, and alpha uses all bits of its type."""
    if values.ndim == 2 or values.shape[2] <= _ALPHA:  # noqa: PLR2004
        return chosen.to_8_bits(values)
    whole = ValueRange.of_bits(16) if values.dtype == np.uint16 else ValueRange(0, 1)
    alpha = whole.to_8_bits(values[:, :, _ALPHA]) if header.alpha else np.full(values.shape[:2], _OPAQUE, np.uint8)
    return np.dstack([chosen.to_8_bits(values[:, :, :_ALPHA]), alpha])


def _on_ground(pixels: Pixels, header: ImageHeader) -> Pixels:
    """Return RGBA pixels on white, as a viewer shows them."""
    colour, alpha = pixels[:, :, :_ALPHA].astype(np.uint16), pixels[:, :, _ALPHA:].astype(np.uint16)
    # OpenCV reads TIFF files of 8 bits through libtiff's RGBA interface, which multiplies colours by alpha.
    if header.alpha == "premultiplied" or (header.format == "tiff" and not header.deep):
        return np.ascontiguousarray(np.minimum(colour + (_GROUND - alpha), _GROUND), np.uint8)
    mixed = (colour * alpha + _GROUND * (_OPAQUE - alpha) + _OPAQUE // 2) // _OPAQUE
    return np.ascontiguousarray(mixed, np.uint8)


def _in_mode(pixels: Pixels, mode: ColourMode) -> Pixels:
    if mode == "grey":
        return as_grey(pixels)
    if mode == "rgb" and pixels.ndim == 2:  # noqa: PLR2004
        return np.repeat(pixels[:, :, None], 3, axis=2)
    return np.ascontiguousarray(pixels)
