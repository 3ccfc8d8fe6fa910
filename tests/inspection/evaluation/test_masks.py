"""Masks as the labelling tools write them: whatever is above 0 is the defect."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inspection.evaluation.masks import find_masks, is_mostly_marked, read_mask, read_masks
from inspection.imaging.files import encode_png
from inspection.imaging.opencv import cv2
from inspection.imaging.reading import Reading
from models.errors import InvalidInput, UnreadableImage

MARKED = np.zeros((40, 50), np.bool_)
MARKED[10:20, 12:30] = True


def by_opencv(pixels: np.ndarray, suffix: str) -> bytes:  # type: ignore[type-arg]  # of any depth
    done, data = cv2.imencode(suffix, pixels)
    assert done
    return data.tobytes()


def by_pillow(picture: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def palette() -> bytes:
    picture = Image.fromarray(MARKED.astype(np.uint8), "P")
    picture.putpalette([0, 0, 0, 128, 0, 0, *[0] * 762])
    return by_pillow(picture)


def red_on_transparent(ground: int) -> bytes:
    rgba = np.full((*MARKED.shape, 4), ground, np.uint8)
    rgba[:, :, 3] = 0
    rgba[MARKED] = (255, 0, 0, 255)
    return by_pillow(Image.fromarray(rgba))


def black_on_transparent() -> bytes:
    rgba = np.zeros((*MARKED.shape, 4), np.uint8)
    rgba[MARKED] = (0, 0, 0, 255)
    return by_pillow(Image.fromarray(rgba))


FORMS: dict[str, Callable[[], bytes]] = {
    "0 or 255": lambda: encode_png(MARKED.astype(np.uint8) * 255),
    "0 or 1": lambda: encode_png(MARKED.astype(np.uint8)),
    "16 bits, 0 or 1": lambda: by_opencv(MARKED.astype(np.uint16), ".png"),
    "16 bits, 0 or 65535": lambda: by_opencv(MARKED.astype(np.uint16) * 65535, ".png"),
    "16-bit TIFF, 0 or 3": lambda: by_opencv(MARKED.astype(np.uint16) * 3, ".tif"),
    "32-bit TIFF, 0 or 70000": lambda: by_pillow(Image.fromarray(MARKED.astype(np.int32) * 70_000), "TIFF"),
    "floating-point TIFF, 0 or 0.5": lambda: by_pillow(Image.fromarray(MARKED.astype(np.float32) / 2), "TIFF"),
    "one bit": lambda: by_pillow(Image.fromarray(MARKED).convert("1")),
    "PGM, 0 or 7 of 15": lambda: b"P5\n50 40\n15\n" + (MARKED.astype(np.uint8) * 7).tobytes(),
    "PBM, black on white": lambda: by_pillow(Image.fromarray(MARKED).convert("1"), "PPM"),
    "palette": palette,
    "red on transparent black": lambda: red_on_transparent(0),
    "red on transparent white": lambda: red_on_transparent(255),
    "black on transparent": black_on_transparent,
    "JPEG": lambda: by_opencv(MARKED.astype(np.uint8) * 255, ".jpg"),
}


@pytest.mark.parametrize("form", FORMS)
def test_whatever_is_above_0_is_marked(tmp_path: Path, form: str) -> None:
    path = tmp_path / "mask.png"
    path.write_bytes(FORMS[form]())
    found = read_mask(path)
    if form == "JPEG":
        # Its edges are blended.
        assert np.count_nonzero(found != MARKED) < 60
    else:
        assert np.array_equal(found, MARKED)


@pytest.mark.parametrize(
    "name", ["a.png", "a_mask.png", "a.tif", "a.jpg", "a_mask.bmp", "a.pgm", "a/000.png", "a/x_mask.tif"]
)
def test_a_mask_has_the_name_of_its_image_or_lies_in_a_folder_of_it(tmp_path: Path, name: str) -> None:
    place = tmp_path / "masks" / "scratch" / name
    place.parent.mkdir(parents=True)
    place.touch()
    assert find_masks(tmp_path / "masks", tmp_path / "in" / "scratch" / "a.jpg", tmp_path / "in") == [place]


def test_the_masks_in_a_folder_are_joined(tmp_path: Path) -> None:
    for number in range(2):
        mask = np.zeros((8, 8), np.uint8)
        mask[number, :] = 236
        (tmp_path / f"{number:03}.png").write_bytes(encode_png(mask))
    joined = read_masks(sorted(tmp_path.iterdir()))
    assert joined.sum(axis=1).tolist() == [8, 8, 0, 0, 0, 0, 0, 0]


def test_masks_of_an_image_that_differ_in_size_are_refused(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"{number}.png").write_bytes(encode_png(np.zeros((8, 8 + number), np.uint8)))
    with pytest.raises(InvalidInput) as caught:
        read_masks(sorted(tmp_path.iterdir()))
    assert caught.value.code == "mask-size"


def test_an_inverted_mask_is_read_as_it_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    path.write_bytes(encode_png((~MARKED).astype(np.uint8) * 255))
    assert is_mostly_marked(read_mask(path))
    assert np.array_equal(read_mask(path, "zero"), MARKED)
    assert np.array_equal(read_mask(path, "above-zero"), ~MARKED)


def test_a_mask_of_several_pages_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mask.tif"
    picture = Image.fromarray(MARKED)
    picture.save(path, save_all=True, append_images=[picture])
    with pytest.raises(UnreadableImage) as caught:
        read_mask(path)
    assert caught.value.code == "image-several-pages"


def test_the_first_page_of_a_mask_is_taken_where_that_is_asked_for(tmp_path: Path) -> None:
    pages, buffer = [Image.fromarray(MARKED.astype(np.uint8) * 255), Image.fromarray(~MARKED)], io.BytesIO()
    pages[0].save(buffer, "TIFF", save_all=True, append_images=pages[1:])
    path = tmp_path / "a.tif"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(UnreadableImage) as caught:
        read_masks([path])
    assert caught.value.code == "image-several-pages"
    assert np.array_equal(read_masks([path], reading=Reading(pages="first")), MARKED)
