"""Conversion of machine-vision pixel formats to RGB or grey: Pixel Format Naming Convention (PFNC, EMVA).

Of more than 8 bits the upper 8 are kept. Bayer mosaics become RGB by OpenCV's bilinear interpolation.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2

_Samples = NDArray[np.uint8]
_TILES = ("RG", "GR", "GB", "BG")
# GenICam names a mosaic by the upper left pixels of its first row; OpenCV's newer names give the first two rows.
_DEMOSAIC = {
    "RG": cv2.COLOR_BayerRGGB2RGB,
    "GR": cv2.COLOR_BayerGRBG2RGB,
    "GB": cv2.COLOR_BayerGBRG2RGB,
    "BG": cv2.COLOR_BayerBGGR2RGB,
}


def _eight(data: _Samples, count: int) -> _Samples:
    return data[:count]


def _sixteen(bits: int) -> Callable[[_Samples, int], _Samples]:
    """Unpack samples of ``bits`` in the lower bits of two bytes, little-endian."""

    def unpack(data: _Samples, count: int) -> _Samples:
        words: NDArray[np.uint16] = data[: 2 * count].view("<u2")
        upper: _Samples = np.minimum(words >> (bits - 8), 255).astype(np.uint8)
        return upper

    return unpack


def _gige_packed(data: _Samples, count: int) -> _Samples:
    """Unpack two samples in three bytes, their upper 8 bits in the first and third (Mono10Packed, Mono12Packed)."""
    # An odd number of samples ends within a group: cameras may omit its last byte, which contains no sample.
    room: _Samples = np.zeros((count + 1) // 2 * 3, np.uint8)
    given = data[: len(room)]
    room[: len(given)] = given
    return room.reshape(-1, 3)[:, (0, 2)].reshape(-1)[:count]


def _dense(bits: int) -> Callable[[_Samples, int], _Samples]:
    """Unpack contiguous samples of ``bits``, least significant bit first (Mono10p, Mono12p)."""

    def unpack(data: _Samples, count: int) -> _Samples:
        first = np.arange(count, dtype=np.int64) * bits + bits - 8
        place, shift = first // 8, (first % 8).astype(np.uint16)
        padded = np.append(data[: (count * bits + 7) // 8], np.uint8(0)).astype(np.uint16)
        return (((padded[place] | padded[place + 1] << 8) >> shift) & 0xFF).astype(np.uint8)

    return unpack


_UNPACK: dict[str, tuple[Callable[[_Samples, int], _Samples], float]] = {
    "8": (_eight, 1),
    "10": (_sixteen(10), 2),
    "12": (_sixteen(12), 2),
    "14": (_sixteen(14), 2),
    "16": (_sixteen(16), 2),
    "10Packed": (_gige_packed, 1.5),
    "12Packed": (_gige_packed, 1.5),
    "10p": (_dense(10), 1.25),
    "12p": (_dense(12), 1.5),
}
"""Unpacking function and bytes per sample of each memory layout."""

_CODES = {
    **{"Mono8": 0x01080001, "Mono10": 0x01100003, "Mono12": 0x01100005, "Mono14": 0x01100025, "Mono16": 0x01100007},
    **{"Mono10Packed": 0x010C0004, "Mono12Packed": 0x010C0006, "Mono10p": 0x010A0046, "Mono12p": 0x010C0047},
    **{"BayerGR8": 0x01080008, "BayerRG8": 0x01080009, "BayerGB8": 0x0108000A, "BayerBG8": 0x0108000B},
    **{"BayerGR10": 0x0110000C, "BayerRG10": 0x0110000D, "BayerGB10": 0x0110000E, "BayerBG10": 0x0110000F},
    **{"BayerGR12": 0x01100010, "BayerRG12": 0x01100011, "BayerGB12": 0x01100012, "BayerBG12": 0x01100013},
    **{"BayerGR16": 0x0110002E, "BayerRG16": 0x0110002F, "BayerGB16": 0x01100030, "BayerBG16": 0x01100031},
    **{"BayerGR10Packed": 0x010C0026, "BayerRG10Packed": 0x010C0027},
    **{"BayerGB10Packed": 0x010C0028, "BayerBG10Packed": 0x010C0029},
    **{"BayerGR12Packed": 0x010C002A, "BayerRG12Packed": 0x010C002B},
    **{"BayerGB12Packed": 0x010C002C, "BayerBG12Packed": 0x010C002D},
    **{"BayerBG10p": 0x010A0052, "BayerGB10p": 0x010A0054, "BayerGR10p": 0x010A0056, "BayerRG10p": 0x010A0058},
    **{"BayerBG12p": 0x010C0053, "BayerGB12p": 0x010C0055, "BayerGR12p": 0x010C0057, "BayerRG12p": 0x010C0059},
    **{"RGB8": 0x02180014, "BGR8": 0x02180015},
}
PIXEL_FORMATS = {code: name for name, code in _CODES.items()}
"""Names of the supported formats by their 32-bit PFNC codes."""

PREFERRED_FORMATS = ("RGB8", "BGR8", *(f"Bayer{tile}8" for tile in _TILES), "Mono8", *_CODES)
"""Formats to select where the camera's current one is not supported: colour before grey, 8 bits before more."""


def bytes_needed(name: str, width: int, height: int) -> int:
    """Return the size in bytes of an image of format ``name``.

    Raises:
        KeyError: for a format that is not in ``PIXEL_FORMATS``.
    """
    if name in {"RGB8", "BGR8"}:
        return 3 * width * height
    return int(-(-width * height * _UNPACK[_layout(name)][1] // 1))


def to_pixels(data: bytes, width: int, height: int, name: str) -> Pixels:
    """Return a camera image as RGB ``(H, W, 3)`` or grey ``(H, W)``, uint8, in memory of its own.

    Args:
        data: of the image; surplus bytes are ignored.
        width: pixels.
        height: pixels.
        name: of its format, one of ``PIXEL_FORMATS``.

    Raises:
        ValueError: when ``data`` is too short.
        KeyError: for a format that is not in ``PIXEL_FORMATS``.
    """
    if len(data) < bytes_needed(name, width, height):
        raise ValueError(f"{len(data)} bytes are no {name} image of {width}x{height}")
    stored = np.frombuffer(data, np.uint8)
    if name in {"RGB8", "BGR8"}:
        colours = stored[: 3 * width * height].reshape(height, width, 3)
        return np.ascontiguousarray(colours if name == "RGB8" else colours[:, :, ::-1]).copy()
    unpack, _ = _UNPACK[_layout(name)]
    samples = unpack(stored, width * height).reshape(height, width)
    if name.startswith("Mono"):
        return samples.copy()
    return cv2.cvtColor(np.ascontiguousarray(samples), _DEMOSAIC[name[5:7]]).astype(np.uint8, copy=False)


def _layout(name: str) -> str:
    return name.removeprefix("Mono") if name.startswith("Mono") else name[7:]
