"""Images of more than eight bits are seen with the range of their values, which is stated or asked for."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from inspection.imaging.files import decode, decode_image
from inspection.imaging.opencv import cv2
from inspection.imaging.reading import Reading
from inspection.imaging.value_range import ValueRange
from tests.support.image_files import (
    COLOUR,
    GREY,
    by_opencv,
    by_pillow,
    deep,
    low_end,
    refused,
    tiff,
)


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


def test_a_deep_tiff_is_turned_upright_as_it_says() -> None:
    values = GREY.astype("<u2") << 8 | 255
    for orientation, turns in ((1, 0), (6, -1), (3, 2), (8, 1)):
        seen = decode_image(tiff(values, 16, 1, (274, 3, orientation)), mode="grey")
        assert np.array_equal(seen, np.rot90(GREY, turns))
