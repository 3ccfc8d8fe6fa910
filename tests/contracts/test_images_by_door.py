"""The station and the server's upload answer alike to every kind of image."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inspection.imaging.files import decode_image
from models.errors import UnreadableImage
from tests.support.images import png, png_of_claimed_size
from tests.support.serving import Served, serve_with_users

COLOUR = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)


def pillow(kind: str, count: int = 1, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pictures = [Image.fromarray(np.roll(COLOUR, number)) for number in range(count)]
    more = {"save_all": True, "append_images": pictures[1:]} if count > 1 else {}
    pictures[0].save(buffer, kind, **more, **options)
    return buffer.getvalue()


KINDS: dict[str, Callable[[], bytes]] = {
    "a.png": png,
    "a.jpg": lambda: pillow("JPEG"),
    "a.jfif": lambda: pillow("JPEG"),
    "a.bmp": lambda: pillow("BMP"),
    "a.tif": lambda: pillow("TIFF"),
    "a.webp": lambda: pillow("WEBP"),
    "a.gif": lambda: pillow("GIF"),
    "a.ppm": lambda: pillow("PPM"),
    "pages.tif": lambda: pillow("TIFF", 3),
    "animated.png": lambda: pillow("PNG", 3),
    "animated.webp": lambda: pillow("WEBP", 3),
    "animated.gif": lambda: pillow("GIF", 3),
    "pictures.mpo": lambda: pillow("MPO", 2),
    "a.heic": lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "a.avif": lambda: b"\0\0\0\x18ftypavif\0\0\0\0mif1avif",
    "a.nef": lambda: pillow("TIFF"),
    "big.tif": lambda: b"II+\0\x08\0\0\0",
    "a.mp4": lambda: b"\0\0\0\x18ftypisom",
    "cut.png": lambda: png()[:-20],
    "cut.pgm": lambda: b"P5 9 9 255 ",
    "bomb.png": lambda: png_of_claimed_size(60_000, 60_000),
    "notes.txt": lambda: b"no image",
    "empty.png": lambda: b"",
}


NOT_READ = {"a.heic", "a.avif", "a.nef", "a.mp4"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve_with_users(tmp_path_factory.mktemp("server")) as running:
        yield running


def by_station(name: str, data: bytes) -> str | None:
    try:
        decode_image(data, name=name)
    except UnreadableImage as error:
        return error.code
    return None


def by_upload(served: Served, name: str, data: bytes) -> str | None:
    answer = served["inspector"].post("/files", files={"file": (name, data, "image/png")})
    return None if answer.is_success else str(answer.json()["type"]).rpartition("/")[2]


@pytest.mark.parametrize("name", KINDS)
def test_both_doors_give_the_same_answer(served: Served, name: str) -> None:
    data = KINDS[name]()
    expected = by_station(name, data)
    assert by_upload(served, name, data) == expected
    assert (expected is None) is (
        name.startswith("a.") and name.partition(".")[2] not in {"heic", "avif", "nef", "mp4"}
    )
