"""Codes that the reader misses in the image as it is: separate dots, turned and blurred bars, other character sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.benchmarks.inspection.hard_codes import measure
from inspection.codes.bar_regions import bar_regions
from inspection.codes.content import Charset, text_of
from inspection.codes.reading import read_codes
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from tests.support.codes import draw_code, draw_dots, turned


@pytest.mark.parametrize(("ground", "dot", "radius"), [(190, 60, 3), (60, 190, 3), (140, 115, 4)])
def test_a_data_matrix_of_separate_dots_is_read_by_thorough(ground: int, dot: int, radius: int) -> None:
    pixels = draw_dots("SN20240917-00042", ground=ground, dot=dot, radius=radius)
    assert read_codes(pixels, effort="quick") == []
    assert [code.text for code in read_codes(pixels, effort="thorough")] == ["SN20240917-00042"]


@pytest.mark.parametrize("degrees", [17, 45, 71])
def test_a_turned_data_matrix_of_separate_dots_is_read_by_thorough(degrees: int) -> None:
    pixels = turned(draw_dots("SN20240917-00042"), degrees, ground=190)
    assert [code.text for code in read_codes(pixels, effort="thorough")] == ["SN20240917-00042"]


def small_label(name: str, degrees: float, *, light_on_dark: bool = False) -> Pixels:
    """A bar code of 1.5 pixels a bar, blurred, turned."""
    code = draw_code(name, scale=6)
    large = turned(255 - code if light_on_dark else code, degrees, ground=0 if light_on_dark else 255)
    small = cv2.resize(large, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), 0.6).astype(np.uint8)


@pytest.mark.parametrize("name", ["code-128", "ean-13"])
@pytest.mark.parametrize("degrees", [-62, -35, 30, 48])
@pytest.mark.parametrize("light_on_dark", [False, True])
def test_small_bars_are_read_at_any_angle_by_thorough(name: str, degrees: float, light_on_dark: bool) -> None:
    pixels = small_label(name, degrees, light_on_dark=light_on_dark)
    assert [code.format for code in read_codes(pixels, effort="thorough")] == [name]


def test_a_turned_bar_code_is_placed_where_it_is() -> None:
    pixels = small_label("code-128", 40)
    (code,) = read_codes(pixels, effort="thorough")
    assert np.abs(code.corners.mean(axis=0) - np.array(pixels.shape[::-1]) / 2).max() < 12


def test_turned_bars_are_not_looked_for_where_no_angle_is_asked_for() -> None:
    assert read_codes(small_label("code-128", 45), effort="thorough", any_angle=False) == []


@pytest.mark.parametrize("degrees", [0, 33, 90, 120])
def test_the_direction_of_bars_is_found(degrees: int) -> None:
    found = bar_regions(turned(draw_code("code-128"), degrees))[0]
    assert abs(np.sin(found.angle + np.deg2rad(degrees))) < 0.05


def test_a_plain_image_has_no_regions_of_bars() -> None:
    assert bar_regions(np.full((200, 300), 128, np.uint8)) == []


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("25°C Typ Ö", "iso-8859-1"),
        ("Gehäuse größe Ø 12±0,1", "iso-8859-1"),
        ("ééécéé jj", "iso-8859-1"),
        ("ﾛｯﾄ ABC-123 ｼｰﾙ", "cp932"),
    ],
)
def test_bytes_of_an_undeclared_character_set_are_read_by_plausibility(text: str, encoding: str) -> None:
    (code,) = read_codes(draw_code("qr", content=text.encode(encoding).decode("latin-1")))
    assert code.text == text


def test_the_plausible_character_set_goes_before_the_guess_of_the_reader() -> None:
    data = "ééécéé jj".encode("latin-1")
    assert text_of(data, data.decode("cp932"), "auto") == "ééécéé jj"


def test_a_text_that_the_reader_did_not_guess_is_kept() -> None:
    # The mode for hanzi of a QR code names its character set.
    assert text_of("阿".encode("gb18030"), "阿", "auto") == "阿"


@pytest.mark.parametrize(
    ("charset", "text"),
    [("iso-8859-1", "±µ"), ("shift-jis", "ｱｵ"), ("windows-1252", "±µ"), ("utf-8", "±µ"), ("auto", "ｱｵ")],
)
def test_the_charset_option_decides_what_undeclared_bytes_mean(charset: Charset, text: str) -> None:
    (code,) = read_codes(draw_code("data-matrix", content="\xb1\xb5"), charset=charset)
    # Bytes that are invalid in the character set are kept one for one.
    assert code.text == text


@pytest.mark.parametrize("name", ["qr", "data-matrix", "aztec", "pdf417"])
def test_a_declared_character_set_goes_before_the_option(name: str) -> None:
    (code,) = read_codes(draw_code(name, content="Größe", eci="UTF-8"), charset="shift-jis")
    assert code.text == "Größe"


def test_most_codes_on_metal_or_turned_labels_are_read_by_thorough(data: Path) -> None:
    figures = {figure.name: figure.value for figure in measure(data / "codes_dpm")}
    assert (figures["hard_codes_read_rate_thorough"] or 0) >= 11 / 12
