"""Image files of many kinds, made here of three small pictures."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from inspection.imaging.files import decode_image
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.reading import Reading
from models.errors import UnreadableImage

GREY: Pixels = np.random.default_rng(3).integers(0, 256, (24, 32), np.uint8)
COLOUR: Pixels = np.random.default_rng(4).integers(0, 256, (24, 32, 3), np.uint8)
ALPHA: Pixels = np.where(np.arange(32) < 16, 255, 0).astype(np.uint8)[None, :].repeat(24, axis=0)


def by_opencv(pixels: NDArray[Any], suffix: str) -> bytes:
    done, data = cv2.imencode(suffix, pixels)
    assert done
    return data.tobytes()


def by_pillow(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def refused(data: bytes, reading: Reading | None = None, name: str = "a.png") -> UnreadableImage:
    with pytest.raises(UnreadableImage) as caught:
        decode_image(data, name=name, reading=reading or Reading())
    return caught.value


def deep(bits: int, suffix: str = ".png") -> bytes:
    """The grey image in the low ``bits`` bits of 16."""
    values = GREY.astype(np.uint16) << (bits - 8)
    values[0, 0] = 2**bits - 1
    return by_opencv(values, suffix)


def low_end() -> Pixels:
    grey = GREY.copy()
    grey[0, 0] = 255
    return grey


def tiff(values: NDArray[Any], bits: int, sample_format: int, *further: tuple[int, int, int]) -> bytes:
    """A TIFF of one strip; a further entry is tag, type and value."""
    data, (height, width) = values.tobytes(), values.shape
    tags = [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1),
            (278, 4, height), (279, 4, len(data)), (339, 3, sample_format), *further]  # fmt: skip
    listed = b"".join(
        struct.pack("<HHI", tag, kind, 1) + (struct.pack("<HH", value, 0) if kind == 3 else struct.pack("<I", value))
        for tag, kind, value in sorted(tags)
    )
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) + listed + bytes(4)


def cut_out(under: int, kind: str, **options: Any) -> bytes:
    rgba = np.dstack([COLOUR, ALPHA])
    rgba[ALPHA == 0, :3] = under
    return by_pillow(Image.fromarray(rgba), kind, **options)


ON_WHITE = np.where(ALPHA[:, :, None] > 0, COLOUR, 255)


def pages(kind: str, count: int = 3) -> bytes:
    pictures = [Image.new("RGB", (64, 48), (40 + 80 * number, 90, 20)) for number in range(count)]
    return by_pillow(pictures[0], kind, save_all=True, append_images=pictures[1:])
