"""The page on what is read names every ending and setting that the product has, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import models
from app.command_line import load_command
from app.station.settings import StationSettings
from inspection.codes.formats import FORMATS
from inspection.imaging.files import ImageLimits
from inspection.imaging.formats import PICTURE_SUFFIXES, SUFFIXES, VIDEO_SUFFIXES

PAGE = (Path(models.__file__).parents[1] / "docs" / "what-is-read.md").read_text(encoding="utf-8")
ENDING = re.compile(r"`(\.[a-z0-9]+)`")
NAMES = {
    "JPEG": "jpeg",
    "PNG": "png",
    "BMP": "bmp",
    "TIFF": "tiff",
    "WebP": "webp",
    "netpbm": "netpbm",
    "GIF": "gif",
}
CODES = {
    "QR": "qr",
    "Micro QR": "micro-qr",
    "rMQR": "rmqr",
    "Data Matrix": "data-matrix",
    "Aztec": "aztec",
    "PDF417": "pdf417",
    "Code 128": "code-128",
    "Code 39": "code-39",
    "Code 93": "code-93",
    "ITF": "itf",
    "EAN-13": "ean-13",
    "EAN-8": "ean-8",
    "UPC-A": "upc-a",
    "UPC-E": "upc-e",
}


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_every_format_is_in_the_table_with_all_of_its_endings() -> None:
    rows = [line.split("|") for line in section("Images").splitlines() if line.startswith("|")][2:]
    assert {NAMES[row[1].strip()]: tuple(ENDING.findall(row[2])) for row in rows} == SUFFIXES


def test_every_ending_of_a_video_is_named() -> None:
    first = section("Videos").partition(", as far as")[0]
    assert set(ENDING.findall(first)) == VIDEO_SUFFIXES


def test_every_ending_that_is_named_as_not_read_is_one() -> None:
    paragraph = section("Images").partition("**Pictures that are not read**")[2].partition("\n\n")[0]
    endings = set(ENDING.findall(paragraph))
    assert endings
    assert endings <= PICTURE_SUFFIXES - {suffix for suffixes in SUFFIXES.values() for suffix in suffixes}


@pytest.mark.parametrize("name", ["image_values", "image_pages"])
def test_the_settings_of_the_station_exist(name: str) -> None:
    assert f"`{name}`" in PAGE
    assert name in StationSettings.model_fields


def test_the_limits_are_those_of_the_product() -> None:
    assert f"{ImageLimits().max_pixels // 1_000_000} million pixels" in PAGE
    assert f"{ImageLimits().bytes_of_any // 1024**2} MiB" in PAGE


def test_every_format_of_codes_is_named() -> None:
    first = section("Codes").partition("Codes of other kinds")[0]
    assert set(CODES.values()) == set(FORMATS)
    assert [name for name in CODES if not re.search(rf"\b{name}\b", first)] == []


@pytest.mark.parametrize("option", ["--encoding", "--skip-lines", "--missing", "--decimal", "--keep"])
def test_the_options_of_tables_are_those_of_the_training(option: str) -> None:
    command = load_command("train").commands["sensor"]
    assert option in section("Tables")
    assert option in {name for parameter in command.params for name in parameter.opts}
