import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection.sources.pixel_formats import PIXEL_FORMATS, PREFERRED_FORMATS, bytes_needed, to_pixels
from tests.support.errors import raised_in

BITS = {"8": 8, "10": 10, "12": 12, "14": 14, "16": 16}
COLOURS = {"R": 200, "G": 100, "B": 50}


def mosaic(tile: str, height: int = 12, width: int = 16) -> np.ndarray:
    """One plain colour behind a Bayer filter whose first row begins with ``tile``, by the naming convention."""
    first, second = tile
    other = {"R": "B", "B": "R", "G": "G"}
    below = (second, first) if first == "G" else ("G", other[first])
    cells = ((first, second), (other[below[0]], "G")) if first == "G" else ((first, second), below)
    image = np.empty((height, width), np.uint8)
    for row in range(2):
        for column in range(2):
            image[row::2, column::2] = COLOURS[cells[row][column]]
    return image


def pack(samples: list[int], bits: int, layout: str) -> bytes:
    """Samples as a camera sends them."""
    if layout == "p":
        whole = sum(value << (index * bits) for index, value in enumerate(samples))
        return whole.to_bytes(-(-len(samples) * bits // 8), "little")
    if layout == "Packed":
        samples = samples + [0] * (len(samples) % 2)
        low = bits - 8
        packed = bytearray()
        for first, second in zip(samples[::2], samples[1::2], strict=True):
            lower = (first & ((1 << low) - 1)) | (second & ((1 << low) - 1)) << 4
            packed += bytes((first >> low, lower, second >> low))
        return bytes(packed)
    return np.array(samples, "<u2" if bits > 8 else "u1").tobytes()


@pytest.mark.parametrize("tile", ["RG", "GR", "GB", "BG"])
@pytest.mark.parametrize("suffix", ["8", "10", "12", "16", "10p", "12p", "10Packed", "12Packed"])
def test_a_mosaic_becomes_its_colour_red_first(tile: str, suffix: str) -> None:
    drawn = mosaic(tile)
    bits = BITS[suffix.removesuffix("Packed").removesuffix("p")]
    layout = "Packed" if suffix.endswith("Packed") else "p" if suffix.endswith("p") else ""
    data = pack([int(value) << (bits - 8) for value in drawn.ravel()], bits, layout)
    pixels = to_pixels(data, drawn.shape[1], drawn.shape[0], f"Bayer{tile}{suffix}")
    assert pixels.shape == (*drawn.shape, 3)
    assert np.unique(pixels.reshape(-1, 3), axis=0).tolist() == [[200, 100, 50]]


@given(
    st.sampled_from(
        [("10", ""), ("12", ""), ("14", ""), ("16", ""), ("10", "p"), ("12", "p"), ("10", "Packed"), ("12", "Packed")]
    ),
    st.integers(1, 9),
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
def test_more_than_eight_bits_become_the_upper_eight(
    layout: tuple[str, str], width: int, height: int, random: object
) -> None:
    bits = BITS[layout[0]]
    samples = [random.randrange(1 << bits) for _ in range(width * height)]  # type: ignore[attr-defined]
    data = pack(samples, bits, layout[1])
    name = "Mono" + "".join(layout)
    assert bytes_needed(name, width, height) <= len(data)
    for sent in (data, data[: bytes_needed(name, width, height)]):
        pixels = to_pixels(sent, width, height, name)
        assert pixels.ravel().tolist() == [value >> (bits - 8) for value in samples]


@given(st.sampled_from(sorted(PIXEL_FORMATS.values())), st.integers(1, 9), st.integers(1, 9))
def test_every_format_is_read_at_every_size_from_the_bytes_it_needs(name: str, width: int, height: int) -> None:
    pixels = to_pixels(bytes(bytes_needed(name, width, height)), width, height, name)
    assert pixels.shape == ((height, width) if name.startswith("Mono") else (height, width, 3))


def test_blue_first_is_turned_round() -> None:
    data = bytes((50, 100, 200)) * 6
    assert to_pixels(data, 3, 2, "BGR8").tolist() == [[[200, 100, 50]] * 3] * 2
    assert to_pixels(data, 3, 2, "RGB8").tolist() == [[[50, 100, 200]] * 3] * 2


@pytest.mark.parametrize("name", sorted(PIXEL_FORMATS.values()))
def test_an_image_one_byte_too_short_is_refused(name: str) -> None:
    needed = bytes_needed(name, 6, 4)
    assert to_pixels(bytes(needed), 6, 4, name).shape[:2] == (4, 6)
    with pytest.raises(ValueError, check=raised_in(to_pixels)):
        to_pixels(bytes(needed - 1), 6, 4, name)


def test_the_codes_are_those_of_aravis() -> None:
    importlib.import_module("gi").require_version("Aravis", "0.8")
    aravis = importlib.import_module("gi.repository.Aravis")
    for code, name in PIXEL_FORMATS.items():
        kind = name[:4] if name.startswith("Mono") else name[:7] if name.startswith("Bayer") else name[:3]
        prefix = {"Mono": "MONO"}.get(kind, f"BAYER_{kind[5:]}" if kind.startswith("Bayer") else kind)
        bits = name[len(kind) :].replace("Packed", "_PACKED").replace("p", "P")
        known = getattr(aravis, f"PIXEL_FORMAT_{prefix}_{bits}" + ("_PACKED" if kind in {"RGB", "BGR"} else ""), None)
        assert known in {code, None}, name


def test_every_format_can_be_asked_for() -> None:
    assert set(PREFERRED_FORMATS) == set(PIXEL_FORMATS.values())
