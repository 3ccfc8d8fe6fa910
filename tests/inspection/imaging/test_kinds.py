"""Every kind of image is seen as a person sees it, or refused for a reason that has a code."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from inspection.imaging.files import ImageLimits, decode, decode_image, image_size, read_image
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.reading import Reading
from inspection.imaging.value_range import ValueRange, parse_range, parse_values
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


# --- deep values


def deep(bits: int, suffix: str = ".png") -> bytes:
    """The grey image in the low ``bits`` bits of 16."""
    values = GREY.astype(np.uint16) << (bits - 8)
    values[0, 0] = 2**bits - 1
    return by_opencv(values, suffix)


def low_end() -> Pixels:
    grey = GREY.copy()
    grey[0, 0] = 255
    return grey


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_a_given_depth_keeps_its_upper_eight_bits(bits: int, suffix: str) -> None:
    seen = decode(deep(bits, suffix), mode="grey", reading=Reading(ValueRange.of_bits(bits)))
    assert np.array_equal(seen.pixels, low_end())
    assert seen.values == ValueRange.of_bits(bits)


def test_values_that_need_all_16_bits_need_no_option() -> None:
    seen = decode(deep(16), mode="grey")
    assert np.array_equal(seen.pixels, low_end())
    assert seen.values == ValueRange.of_bits(16)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_values_at_the_low_end_of_16_bits_are_asked_for(bits: int) -> None:
    error = refused(deep(bits))
    assert (error.code, error.values["bits"], error.values["largest"]) == ("image-depth-unknown", bits, 2**bits - 1)


def test_values_beyond_the_given_depth_are_refused() -> None:
    error = refused(deep(12), Reading(ValueRange.of_bits(10)))
    assert (error.code, error.values["bits"], error.values["largest"]) == ("image-beyond-depth", 10, "4095")


def test_what_lies_beyond_a_given_range_is_black_or_white() -> None:
    values = np.array([[0, 100, 200, 300, 400]], np.uint16)
    seen = decode_image(by_opencv(values, ".tif"), mode="grey", reading=Reading(ValueRange(100, 300)))
    assert seen.tolist() == [[0, 0, 128, 255, 255]]


def with_significant_bits(values: NDArray[np.uint16], bits: int) -> bytes:
    data = by_opencv(values, ".png")
    chunk = b"sBIT" + bytes([bits])
    return data[:33] + struct.pack(">I", 1) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[33:]


def test_the_significant_bits_of_a_png_are_its_depth() -> None:
    values = cv2.imdecode(np.frombuffer(deep(12), np.uint8), cv2.IMREAD_UNCHANGED).astype(np.uint16)
    seen = decode(with_significant_bits(values | 1, 12), mode="grey")
    assert np.array_equal(seen.pixels, low_end())
    assert seen.values == ValueRange.of_bits(12)


@pytest.mark.parametrize("fill", [0, 4])
def test_significant_bits_that_are_spread_over_all_16_are_read_as_16(fill: int) -> None:
    spread = GREY.astype(np.uint16) << 8
    if fill:
        twelve = GREY.astype(np.uint16) << 4 | 3
        spread = twelve << 4 | twelve >> 8
    seen = decode(with_significant_bits(spread, 12), mode="grey")
    assert np.array_equal(seen.pixels, GREY)
    assert seen.values == ValueRange.of_bits(16)


def test_values_beyond_the_significant_bits_of_a_file_are_refused() -> None:
    values = GREY.astype(np.uint16) << 5 | 1
    for data in (with_significant_bits(values, 12), tiff(values.astype("<u2"), 16, 1, (281, 3, 4095))):
        error = refused(data)
        assert (error.code, error.values["bits"]) == ("image-beyond-depth", 12)
        assert decode(data, reading=Reading(ValueRange.of_bits(16))).values == ValueRange.of_bits(16)


def test_a_deep_image_with_an_orientation_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.fromarray(GREY.astype(np.uint16) << 8 | 255)
    seen = decode_image(by_pillow(picture, "PNG", exif=exif), mode="grey")
    assert np.array_equal(seen, np.rot90(GREY, -1))


def test_deep_colours_keep_their_order() -> None:
    stored = cv2.cvtColor(COLOUR, cv2.COLOR_RGB2BGR).astype(np.uint16) << 8
    for suffix in (".png", ".tif"):
        assert np.array_equal(decode_image(by_opencv(stored, suffix)), COLOUR)


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


def test_the_largest_sample_value_of_a_tiff_is_its_depth() -> None:
    values = GREY.astype("<u2") << 4
    seen = decode(tiff(values, 16, 1, (281, 3, 4095)), mode="grey")
    assert np.array_equal(seen.pixels, GREY)
    assert seen.values == ValueRange.of_bits(12)


def test_packed_12_bits_of_a_tiff_are_its_depth() -> None:
    pairs = (GREY.astype(np.uint16) << 4).reshape(-1, 2)
    packed = np.stack([pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1] & 255], axis=1)
    data = tiff(packed.astype(np.uint8).reshape(24, 48), 12, 1)
    # The helper takes the columns from the bytes.
    data = data.replace(struct.pack("<HHII", 256, 4, 1, 48), struct.pack("<HHII", 256, 4, 1, 32))
    for reading in (Reading(), Reading(ValueRange.of_bits(12))):
        seen = decode(data, mode="grey", reading=reading)
        assert np.array_equal(seen.pixels, GREY)
        assert seen.values == ValueRange.of_bits(12)


def test_values_that_are_no_numbers_are_left_out_of_the_range_that_is_suggested() -> None:
    values = GREY.astype("<f4")
    values[0, :3] = np.nan, np.inf, -np.inf
    error = refused(tiff(values, 32, 3))
    numbers = values[np.isfinite(values)]
    assert error.code == "image-range-unknown-missing"
    assert (error.values["missing"], error.values["low"], error.values["high"]) == (
        3,
        f"{numbers.min():g}",
        f"{numbers.max():g}",
    )


def test_an_image_of_no_numbers_is_refused_as_one_without_values() -> None:
    assert refused(tiff(np.full(GREY.shape, np.nan, "<f4"), 32, 3)).code == "image-without-values"


def test_a_value_beyond_the_depth_is_seen_beside_one_that_is_no_number() -> None:
    values = np.array([[np.nan, 300.0]], np.float32)
    assert ValueRange.of_bits(8).exceeded_by(values)


@pytest.mark.parametrize(
    ("dtype", "bits", "sample_format"), [("<f4", 32, 3), ("<f8", 64, 3), ("<i2", 16, 2), ("<u4", 32, 1), ("<i4", 32, 2)]
)
def test_values_of_other_types_are_read_with_a_stated_range(dtype: str, bits: int, sample_format: int) -> None:
    data = tiff(GREY.astype(dtype), bits, sample_format)
    error = refused(data)
    assert (error.code, error.values["low"], error.values["high"]) == (
        "image-range-unknown",
        f"{GREY.min()}",
        f"{GREY.max()}",
    )
    assert np.array_equal(decode_image(data, mode="grey", reading=Reading(ValueRange(0, 255))), GREY)


def test_what_is_no_number_in_a_height_map_is_black() -> None:
    heights = np.array([[0.0, 0.5, 1.0, np.nan, np.inf]], "<f4")
    seen = decode_image(tiff(heights, 32, 3), mode="grey", reading=Reading(ValueRange(0, 1)))
    assert seen.tolist() == [[0, 128, 255, 0, 255]]


def test_half_precision_is_called_unsupported_not_damaged() -> None:
    assert refused(tiff(GREY.astype("<f2"), 16, 3)).code == "image-not-supported"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12", ValueRange(0, 4095)), ("0:1", ValueRange(0, 1)), ("-2.5:4", ValueRange(-2.5, 4)), ("", None)],
)
def test_a_setting_of_values_is_a_depth_or_a_range(text: str, expected: ValueRange | None) -> None:
    assert parse_values(text) == expected


@pytest.mark.parametrize("text", ["7", "33", "x", "1:1", "2:1", "0:inf", "nan:1", ":", "1:2:3"])
def test_any_other_setting_of_values_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_values(text)


@pytest.mark.parametrize("values", [ValueRange.of_bits(10), ValueRange(-2.5, 4), ValueRange(0, 0.1), ValueRange(0, 1)])
def test_a_range_is_written_as_it_is_read(values: ValueRange) -> None:
    assert parse_range(str(values)) == values


# --- netpbm


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"P5\n32 24\n255\n" + GREY.tobytes(), GREY),
        (
            b"P5 # by a camera\n32 24\n# twelve bits\n4095\n" + (GREY.astype(np.uint16) << 4).astype(">u2").tobytes(),
            None,
        ),
        (b"P2\n32 24 255\n" + " ".join(map(str, GREY.ravel())).encode(), GREY),
        (b"P5\n32 24\n65535\n" + (GREY.astype(np.uint16) * 257).astype(">u2").tobytes(), GREY),
    ],
    ids=["bytes", "12 bits", "text", "16 bits"],
)
def test_a_pgm_is_read_with_the_range_it_declares(data: bytes, expected: Pixels | None) -> None:
    seen = decode_image(data, mode="as-stored", name="a.pgm")
    wanted = GREY if expected is None else expected
    assert np.abs(seen.astype(int) - wanted).max() <= (expected is None)


def test_a_pgm_of_few_values_is_spread_over_all() -> None:
    assert decode_image(b"P5\n3 1\n2\n\0\1\2", mode="grey").tolist() == [[0, 128, 255]]


@pytest.mark.parametrize("data", [b"P4\n10 2\n\x80\x40\x01\x00", b"P1\n10 2\n1000000001 00000001 00"])
def test_a_pbm_has_black_ink(data: bytes) -> None:
    ink = decode_image(data, mode="grey") == 0
    assert np.argwhere(ink).tolist() == [[0, 0], [0, 9], [1, 7]]


def test_a_ppm_has_its_colours() -> None:
    data = b"P6 32 24 255\n" + COLOUR.tobytes()
    assert np.array_equal(decode_image(data), COLOUR)
    assert np.array_equal(decode_image(data, mode="grey"), cv2.cvtColor(COLOUR, cv2.COLOR_RGB2GRAY))


@pytest.mark.parametrize("kind", ["P4", "P5", "P6", "P2"])
def test_a_netpbm_file_that_ends_early_is_called_truncated_or_damaged(kind: str) -> None:
    data = f"{kind}\n32 24\n".encode() + (b"" if kind == "P4" else b"255\n") + b"11 " * 10
    assert refused(data).code in {"image-truncated", "image-damaged"}


# --- transparency


def cut_out(under: int, kind: str, **options: Any) -> bytes:
    rgba = np.dstack([COLOUR, ALPHA])
    rgba[ALPHA == 0, :3] = under
    return by_pillow(Image.fromarray(rgba), kind, **options)


ON_WHITE = np.where(ALPHA[:, :, None] > 0, COLOUR, 255)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_what_lies_under_transparent_pixels_is_not_seen(kind: str) -> None:
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    for under in (0, 77, 255):
        seen = decode(cut_out(under, kind, **options))
        assert np.array_equal(seen.pixels, ON_WHITE)
        assert seen.transparent


def test_half_transparent_pixels_are_mixed_with_white() -> None:
    for kind in ("PNG", "TIFF"):
        rgba = np.full((8, 8, 4), (200, 100, 0, 128), np.uint8)
        seen = decode_image(by_pillow(Image.fromarray(rgba), kind))
        assert np.abs(seen[0, 0].astype(int) - (227, 177, 127)).max() <= 1


def test_what_is_transparent_is_seen_on_white() -> None:
    palette = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8), "P")
    palette.putpalette([9, 9, 9, 200, 0, 0])
    assert decode_image(by_pillow(palette, "PNG", transparency=0))[0, 0].tolist() == [255, 255, 255]
    grey = Image.fromarray(np.dstack([GREY, ALPHA]), "LA")
    assert np.array_equal(decode_image(by_pillow(grey, "PNG"), mode="grey"), np.where(ALPHA > 0, GREY, 255))


@pytest.mark.parametrize("mode", ["rgb", "grey", "as-stored"])
@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_an_opaque_alpha_channel_changes_no_pixel(suffix: str, mode: Any) -> None:
    options = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []
    bgr = cv2.cvtColor(COLOUR, cv2.COLOR_RGB2BGR)
    with_alpha = cv2.imencode(suffix, np.dstack([bgr, np.full_like(ALPHA, 255)]), options)[1].tobytes()
    without = cv2.imencode(suffix, bgr, options)[1].tobytes()
    seen = decode(with_alpha, mode=mode)
    assert np.array_equal(seen.pixels, decode_image(without, mode=mode))
    assert not seen.transparent


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_cut_out_is_turned_upright_as_its_exif_says(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    opaque = by_pillow(Image.fromarray(ON_WHITE), "PNG", exif=exif)
    assert np.array_equal(decode_image(cut_out(5, "PNG", exif=exif)), decode_image(opaque))


def test_a_deep_cut_out_is_seen_on_white() -> None:
    bgr = cv2.cvtColor(COLOUR, cv2.COLOR_RGB2BGR)
    rgba = np.dstack([bgr, ALPHA]).astype(np.uint16) * 257
    seen = decode(by_opencv(rgba, ".png"))
    assert np.array_equal(seen.pixels, ON_WHITE)
    assert (seen.transparent, seen.values) == (True, ValueRange.of_bits(16))


# --- pages


def pages(kind: str, count: int = 3) -> bytes:
    pictures = [Image.new("RGB", (64, 48), (40 + 80 * number, 90, 20)) for number in range(count)]
    return by_pillow(pictures[0], kind, save_all=True, append_images=pictures[1:])


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "WEBP", "GIF", "MPO"])
def test_a_file_of_several_pages_is_refused_with_their_number(kind: str) -> None:
    error = refused(pages(kind))
    assert (error.code, error.values["pages"]) == ("image-several-pages", 3)


@pytest.mark.parametrize(
    "one", [b"P5\n3 1\n255\n\x10\x20\x30", b"P4\n10 1\n\x80\x40", b"P6 1 1 65535\n\1\2\3\4\5\6"], ids=["P5", "P4", "P6"]
)
def test_several_images_in_a_netpbm_file_are_refused_with_their_number(one: bytes) -> None:
    error = refused(one * 3)
    assert (error.code, error.values["pages"]) == ("image-several-pages", 3)
    seen = decode_image(one + one, reading=Reading(pages="first"))
    assert np.array_equal(seen, decode_image(one + b"P5"))


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "WEBP", "GIF", "MPO"])
def test_the_first_page_is_taken_where_that_is_asked_for(kind: str) -> None:
    seen = decode_image(pages(kind), reading=Reading(pages="first"))
    assert np.abs(seen.astype(int) - (40, 90, 20)).max() < 12


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "WEBP", "GIF", "JPEG"])
def test_a_file_of_one_page_is_one(kind: str) -> None:
    assert image_size(by_pillow(Image.fromarray(COLOUR), kind)).pages == 1


def test_the_smaller_copies_in_a_pyramid_are_no_pages() -> None:
    data = tiff(GREY, 8, 1)
    for kind, expected in ((1, 1), (0, 2)):
        # The next directory follows the first; a 1 says that it is of reduced resolution.
        entries = struct.pack("<HHIIHHIIHHII", 254, 4, 1, kind, 256, 4, 1, 16, 257, 4, 1, 12)
        further = struct.pack("<H", 3) + entries + bytes(4)
        assert image_size(data[:-4] + struct.pack("<I", len(data)) + further).pages == expected


def test_directories_in_a_circle_end() -> None:
    data = tiff(GREY, 8, 1)
    (start,) = struct.unpack_from("<I", data, 4)
    assert image_size(data[:-4] + struct.pack("<I", start)).pages == 2


# --- kinds


@pytest.mark.parametrize(
    ("name", "data", "format_name"),
    [
        ("a.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        ("a.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        ("a.avif", b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "AVIF"),
        ("a.jxl", b"\xff\x0a\0\0", "JPEG XL"),
        ("a.jp2", b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        ("a.tif", b"II+\0\x08\0\0\0", "BigTIFF"),
        ("a.exr", b"\x76\x2f\x31\x01", "OpenEXR"),
        ("a.dcm", bytes(128) + b"DICM", "DICOM"),
        ("a.cr3", b"\0\0\0\x18ftypcrx \0\0\0\0", "camera raw"),
        ("a.NEF", b"II*\0\x08\0\0\0", "camera raw"),
        ("a.tga", b"anything", "Targa"),
    ],
)
def test_a_picture_of_a_kind_that_is_not_read_is_named(name: str, data: bytes, format_name: str) -> None:
    error = refused(data, name=name)
    assert (error.code, error.values["format"]) == ("image-not-supported", format_name)


def test_a_jpeg_of_12_bits_is_not_supported_but_not_damaged() -> None:
    data = bytearray(by_pillow(Image.fromarray(GREY), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 1], data[frame + 4] = 0xC1, 12
    error = refused(bytes(data), name="a.jpg")
    assert (error.code, error.values["format"]) == ("image-not-supported", "JPEG of 12 bits")


def test_a_tiff_of_odd_bits_is_not_supported_but_not_damaged() -> None:
    assert refused(tiff(GREY, 24, 1)).code == "image-not-supported"


@pytest.mark.parametrize("bits", [2, 4])
def test_a_grey_tiff_of_few_bits_is_not_supported_but_not_damaged(bits: int) -> None:
    error = refused(tiff(GREY, bits, 1))
    assert (error.code, error.values["format"]) == ("image-not-supported", f"TIFF, grey of {bits} bits")


def test_a_tiff_in_cielab_is_not_supported_instead_of_seen_in_other_colours() -> None:
    error = refused(by_pillow(Image.new("LAB", (4, 3)), "TIFF"))
    assert (error.code, error.values["format"]) == ("image-not-supported", "TIFF, CIELAB")


def test_a_video_among_images_is_named_as_one(tmp_path: Path) -> None:
    path = tmp_path / "line.mp4"
    path.write_bytes(b"\0\0\0\x18ftypisom")
    with pytest.raises(UnreadableImage) as caught:
        read_image(path)
    assert caught.value.code == "image-is-video"


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".pgm", ".dib", ".gif"])
def test_the_content_of_a_file_decides_instead_of_its_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(by_opencv(GREY, ".png"))
    assert np.array_equal(read_image(path, mode="grey"), GREY)


def test_a_gif_is_read_with_its_transparent_colour_on_white() -> None:
    picture = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8), "P")
    picture.putpalette([9, 9, 9, 200, 0, 0])
    seen = decode(by_pillow(picture, "GIF", transparency=0))
    assert seen.pixels[0].tolist() == [[255, 255, 255], [200, 0, 0]]
    assert seen.transparent


def test_a_gif_that_ends_early_is_called_truncated() -> None:
    data = by_pillow(Image.fromarray(COLOUR), "GIF")
    assert refused(data[: len(data) // 2]).code == "image-truncated"


def test_a_cmyk_tiff_is_read_as_a_viewer_shows_it() -> None:
    picture = Image.new("RGB", (32, 24), (200, 80, 30)).convert("CMYK")
    assert np.abs(decode_image(by_pillow(picture, "TIFF"))[0, 0].astype(int) - (200, 80, 30)).max() < 12


def test_a_deep_tiff_is_turned_upright_as_it_says() -> None:
    values = GREY.astype("<u2") << 8 | 255
    for orientation, turns in ((1, 0), (6, -1), (3, 2), (8, 1)):
        seen = decode_image(tiff(values, 16, 1, (274, 3, orientation)), mode="grey")
        assert np.array_equal(seen, np.rot90(GREY, turns))


WHOLE = {
    "rgba.png": lambda: cut_out(5, "PNG"),
    "deep.png": lambda: deep(16),
    "deep.tif": lambda: deep(16, ".tif"),
    "float.tif": lambda: tiff(GREY.astype("<f4"), 32, 3),
    "pages.tif": lambda: pages("TIFF"),
    "rgba.tif": lambda: cut_out(5, "TIFF"),
    "rgba.webp": lambda: cut_out(5, "WEBP", lossless=True),
    "animated.webp": lambda: pages("WEBP"),
    "animated.png": lambda: pages("PNG"),
    "one.gif": lambda: by_pillow(Image.fromarray(COLOUR), "GIF"),
    "animated.gif": lambda: pages("GIF"),
    "two.mpo": lambda: pages("MPO"),
    "a.pgm": lambda: b"P5\n32 24\n255\n" + GREY.tobytes(),
    "text.pgm": lambda: b"P2\n32 24 255\n" + " ".join(map(str, GREY.ravel())).encode(),
    "a.pbm": lambda: b"P1\n10 2\n1000000001 00000001 00",
}


@settings(max_examples=150, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(WHOLE)), first=st.booleans())
def test_no_change_of_bytes_is_anything_but_an_image_or_a_reason(data: st.DataObject, name: str, first: bool) -> None:
    raw = bytearray(WHOLE[name]())
    for _ in range(data.draw(st.integers(0, 5))):
        raw[data.draw(st.integers(0, len(raw) - 1) | st.integers(0, min(len(raw), 60) - 1))] = data.draw(
            st.integers(0, 255)
        )
    raw = raw[: len(raw) - data.draw(st.integers(0, 40))]
    reading = Reading(ValueRange(0, 1000), "first" if first else "refuse")
    reported = None
    try:
        seen = decode(bytes(raw), name=name, limits=ImageLimits(max_pixels=1_000_000), reading=reading)
    except UnreadableImage as error:
        reported = error.text("en").detail
    assert reported or seen.pixels.dtype == np.uint8


# --- bytes


def test_the_bytes_that_are_read_follow_from_the_pixels() -> None:
    limits = ImageLimits()
    bitmap = by_opencv(np.zeros((4, 4, 3), np.uint8), ".bmp")
    header = image_size(bitmap)
    assert limits.bytes_of(header) == 64 * 1024**2
    large = bitmap[:18] + struct.pack("<ii", 5120, 5120) + bitmap[26:]
    assert limits.bytes_of(image_size(large)) > 3 * 5120 * 5120 > 64 * 1024**2


def test_an_uncompressed_image_of_many_pixels_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.bmp"
    path.write_bytes(by_opencv(np.zeros((4800, 4800, 3), np.uint8), ".bmp"))
    assert path.stat().st_size > 64 * 1024**2
    assert read_image(path, mode="grey").shape == (4800, 4800)


def test_a_large_file_of_few_pixels_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "padded.bmp"
    path.write_bytes(by_opencv(np.zeros((4, 4, 3), np.uint8), ".bmp"))
    with path.open("r+b") as file:
        file.truncate(1024**4 // 4)  # sparse
    with pytest.raises(UnreadableImage) as caught:
        read_image(path)
    assert caught.value.code == "image-too-many-bytes"
