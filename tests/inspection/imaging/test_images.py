import math
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inspection.imaging.decoding import ColourMode
from inspection.imaging.files import (
    ImageLimits,
    decode_image,
    encode_jpeg,
    encode_netpbm,
    encode_png,
    image_size,
    netpbm_pieces,
    read_image,
)
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from models.errors import UnreadableImage

FORMATS = (".png", ".jpg", ".bmp", ".tif", ".webp")


def picture(height: int = 48, width: int = 64) -> Pixels:
    """Red left, green right, blue bottom: swapped colours and wrong turns are seen."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2] = (220, 10, 10)
    pixels[:, width // 2 :] = (10, 220, 10)
    pixels[height // 2 :] = (10, 10, 220)
    pixels[height // 2 :, : width // 4] = np.random.default_rng(0).integers(
        0, 255, (height - height // 2, width // 4, 3)
    )
    return pixels


def encoded(pixels: Pixels, suffix: str) -> bytes:
    parameters = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []
    done, data = cv2.imencode(suffix, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), parameters)
    assert done
    return data.tobytes()


def code_of(data: bytes, **limits: int) -> str:
    with pytest.raises(UnreadableImage) as caught:
        decode_image(data, limits=ImageLimits(**limits) if limits else ImageLimits())
    return caught.value.code


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_is_decoded_with_red_first(suffix: str) -> None:
    pixels = picture()
    decoded = decode_image(encoded(pixels, suffix))
    assert decoded.shape == pixels.shape
    assert np.abs(decoded[4:8, 4:8].astype(int) - (220, 10, 10)).max() < 30
    assert np.abs(decoded[4:8, -8:-4].astype(int) - (10, 220, 10)).max() < 30


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_header_has_the_size_that_decoding_gives(suffix: str) -> None:
    header = image_size(encoded(picture(33, 57), suffix))
    assert (header.height, header.width) == (33, 57)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.97])
def test_a_truncated_file_is_never_decoded(suffix: str, kept: float) -> None:
    data = encoded(picture(96, 128), suffix)
    code = code_of(data[: max(4, int(len(data) * kept))])
    assert code in {"image-truncated", "image-damaged", "image-unknown-format"}


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif"])
def test_a_file_that_lost_its_last_bytes_is_called_truncated(suffix: str) -> None:
    assert code_of(encoded(picture(), suffix)[:-12]) == "image-truncated"


@pytest.mark.parametrize("mode", ["rgb", "grey"])
def test_a_png_that_is_made_quickly_loses_nothing(mode: ColourMode) -> None:
    pixels = decode_image(encode_png(picture()), mode=mode)
    assert np.array_equal(decode_image(encode_png(pixels, quick=True), mode=mode), pixels)


def test_a_damaged_png_is_seen_by_its_checksum() -> None:
    data = bytearray(encode_png(picture()))
    data[len(data) // 2] ^= 0x40
    assert code_of(bytes(data)) == "image-damaged"


def test_an_empty_file_is_reported_apart_from_a_text() -> None:
    assert code_of(b"") == "image-empty"
    assert code_of(b"this is a text, not an image") == "image-unknown-format"


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_a_pixel_bomb_is_refused_before_memory_is_taken() -> None:
    program = (
        "import resource, sys\n"
        "from inspection.imaging.files import decode_image\n"
        "from models.errors import UnreadableImage\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    decode_image(sys.stdin.buffer.read())\n"
        "except UnreadableImage as error:\n"
        "    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "    print(error.code, after - before < 20_000)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], input=png_claiming(60_000, 60_000), capture_output=True, check=True
    )
    assert finished.stdout.split() == [b"image-too-many-pixels", b"True"]


def test_a_size_beyond_the_limit_of_pillow_is_read_without_a_warning() -> None:
    header = image_size(png_claiming(40_000, 20_000), limits=ImageLimits(max_pixels=10**9))
    assert (header.format, header.width, header.height) == ("png", 40_000, 20_000)


def test_limits_hold_for_bytes_as_well_as_pixels() -> None:
    data = encode_png(picture())
    assert code_of(data, max_bytes=100) == "image-too-many-bytes"
    assert code_of(data, max_pixels=48 * 64 - 1) == "image-too-many-pixels"
    assert decode_image(data, limits=ImageLimits(max_pixels=48 * 64)).shape == (48, 64, 3)


def test_a_vanished_file_is_reported_apart_from_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage) as caught:
        read_image(tmp_path / "gone.png")
    assert caught.value.code == "image-missing"
    with pytest.raises(UnreadableImage) as caught:
        read_image(tmp_path)
    assert caught.value.code == "image-not-readable"


def test_a_file_larger_than_the_limit_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(1024**4 // 4)  # sparse: 256 GB that take no room
    with pytest.raises(UnreadableImage) as caught:
        read_image(path)
    assert caught.value.code == "image-too-many-bytes"


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


@pytest.mark.parametrize("mode", ["rgb", "grey", "as-stored"])
def test_an_image_is_turned_upright_as_its_exif_says(mode: str) -> None:
    jpeg = encode_jpeg(picture(48, 64), 95)
    upright = decode_image(jpeg, mode=mode)  # type: ignore[arg-type]  # parametrized
    turned = decode_image(with_orientation(jpeg, 6), mode=mode)  # type: ignore[arg-type]  # parametrized
    assert np.array_equal(turned, np.rot90(upright, -1))


def test_a_grey_file_stays_grey_only_when_asked() -> None:
    grey = np.arange(64 * 48, dtype=np.uint8).reshape(48, 64)
    data = encode_png(grey)
    assert np.array_equal(decode_image(data, mode="as-stored"), grey)
    assert decode_image(data).shape == (48, 64, 3)


def test_sixteen_bits_become_the_upper_eight() -> None:
    deep = np.linspace(0, 65535, 64 * 48).astype(np.uint16).reshape(48, 64)
    done, data = cv2.imencode(".png", deep)
    assert done
    assert np.abs(decode_image(data.tobytes(), mode="grey").astype(int) - (deep >> 8)).max() <= 1


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_change_of_bytes_raises_anything_but_unreadable_image(data: st.DataObject) -> None:
    suffix = data.draw(st.sampled_from(FORMATS))
    raw = bytearray(encoded(picture(24, 24), suffix))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    reported = None
    try:
        decoded = decode_image(bytes(raw), limits=ImageLimits(max_pixels=1_000_000))
    except UnreadableImage as error:
        reported = error.text("en").detail
    assert reported or decoded.dtype == np.uint8


@settings(max_examples=20, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 99))
def test_a_lossless_file_keeps_every_pixel(height: int, width: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    assert np.array_equal(decode_image(encode_png(pixels)), pixels)
    assert np.array_equal(decode_image(encode_netpbm(pixels)), pixels)
    assert np.array_equal(decode_image(encode_netpbm(pixels[:, :, 0]), mode="as-stored"), pixels[:, :, 0])


@pytest.mark.parametrize("shape", [(1, 1), (1080, 1920, 3), (99_999, 1), (1, 99_999, 3)])
def test_the_pixels_of_a_netpbm_file_begin_at_a_multiple_of_16_bytes(shape: tuple[int, ...]) -> None:
    header, pixels = netpbm_pieces(np.zeros(shape, np.uint8))
    assert (len(header) % 16, pixels.nbytes) == (0, math.prod(shape))


def test_other_programs_read_a_netpbm_file(tmp_path: Path) -> None:
    pixels = picture(24, 31)
    (tmp_path / "a.ppm").write_bytes(encode_netpbm(pixels))
    with Image.open(tmp_path / "a.ppm") as read:
        assert np.array_equal(np.asarray(read), pixels)


def test_importing_opencv_leaves_the_qt_variables_as_they_were() -> None:
    program = (
        "import os\nfrom inspection.imaging.opencv import cv2\n"
        "cv2.cvtColor\nprint([n for n in os.environ if n.startswith('QT_QPA')])"
    )
    for environment, expected in (({}, "[]"), ({"QT_QPA_FONTDIR": "/mine"}, "['QT_QPA_FONTDIR']")):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("QT_")}
        finished = subprocess.run(
            [sys.executable, "-c", program], env={**kept, **environment}, capture_output=True, text=True, check=True
        )
        assert finished.stdout.strip() == expected


def test_real_images_are_decoded(data: Path) -> None:
    casting = next((data / "casting" / "test" / "ok_front").iterdir())
    assert read_image(casting).shape == (300, 300, 3)
    tile = next((data / "magnetic_tile" / "good").iterdir())
    assert read_image(tile, mode="as-stored").ndim == 2
