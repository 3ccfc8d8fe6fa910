from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.station.settings import load_settings, save_settings, store_folder
from app.window.presenting.image_sources import ImageSources
from inspection.imaging.opencv import cv2
from inspection.imaging.reading import Reading
from inspection.imaging.value_range import ValueRange
from models.errors import InvalidInput, Unavailable, UnreadableImage
from models.messages import LANGUAGES
from tests.support.messages import says


def test_a_store_without_a_settings_file_has_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path).offline_sign_in_days == 14


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_settings(tmp_path, theme="dark", source="usb:0")
    monkeypatch.setenv("IMAGEFLOW_SOURCE", "usb:1")
    settings = load_settings(tmp_path)
    assert (settings.theme, settings.source) == ("dark", "usb:1")


def test_a_wrong_value_leaves_the_settings_file_as_it_is(tmp_path: Path) -> None:
    save_settings(tmp_path, opacity=0.25)
    with pytest.raises(InvalidInput) as refused:
        save_settings(tmp_path, opacity=7)
    assert refused.value.code == "settings-invalid"
    assert load_settings(tmp_path).opacity == 0.25


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        ("{", "settings-malformed", "value-json-place"),
        ("[]", "settings-malformed", "value-dict-type"),
        ('{"sync_interval_s": "often"}', "settings-invalid", "value-float-parsing"),
        ('{"theme": "pink"}', "settings-invalid", "value-literal-error"),
    ],
)
def test_a_wrong_file_is_reported_with_its_name_in_both_languages(
    tmp_path: Path, content: str, code: str, reason: str
) -> None:
    (tmp_path / "settings.json").write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInput) as refused:
        load_settings(tmp_path)
    assert (refused.value.code, refused.value.values["file"]) == (code, str(tmp_path / "settings.json"))
    for language in LANGUAGES:
        detail = refused.value.text(language).detail
        assert says(detail, code, language, file=tmp_path / "settings.json")
        assert says(detail, reason, language)


def test_settings_that_the_system_refuses_are_reported_with_their_path(tmp_path: Path) -> None:
    (tmp_path / "settings.json").mkdir()
    with pytest.raises(Unavailable) as refused:
        load_settings(tmp_path)
    assert (refused.value.code, refused.value.values["file"]) == ("file-not-read", str(tmp_path / "settings.json"))


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    with pytest.raises(Unavailable) as refused:
        load_settings(tmp_path / "store")
    assert (refused.value.code, refused.value.values["folder"]) == ("store-folder-unusable", str(tmp_path / "store"))


def test_a_wrong_variable_is_reported_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEFLOW_SYNC_INTERVAL_S", "soon")
    with pytest.raises(InvalidInput) as refused:
        load_settings(tmp_path)
    assert "IMAGEFLOW_SYNC_INTERVAL_S" in str(refused.value)


def test_a_wrong_variable_is_named_instead_of_the_right_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_settings(tmp_path, theme="dark")
    monkeypatch.setenv("IMAGEFLOW_THEME", "pink")
    with pytest.raises(InvalidInput) as refused:
        load_settings(tmp_path)
    assert (refused.value.code, refused.value.values["file"]) == ("settings-invalid", "IMAGEFLOW_THEME")
    assert "settings.json" not in str(refused.value.values)


def test_settings_of_a_newer_version_survive_a_change(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"from_the_future": 1}', encoding="utf-8")
    save_settings(tmp_path, theme="dark")
    assert "from_the_future" in (tmp_path / "settings.json").read_text(encoding="utf-8")


def test_the_store_is_the_given_folder_else_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEFLOW_HOME", str(tmp_path / "home"))
    assert store_folder(tmp_path / "given") == tmp_path / "given"
    assert store_folder() == tmp_path / "home"


@pytest.mark.parametrize(
    ("text", "expected"), [("", None), ("12", ValueRange.of_bits(12)), ("0:1.5", ValueRange(0, 1.5))]
)
def test_deep_images_are_read_with_the_values_of_the_setting(
    tmp_path: Path, text: str, expected: ValueRange | None
) -> None:
    settings = save_settings(tmp_path, image_values=text, image_pages="first")
    assert settings.reading == Reading(expected, "first")
    values = np.array([[0, 2000, 4095]], np.uint16)
    (tmp_path / "a.png").write_bytes(cv2.imencode(".png", values)[1].tobytes())
    with ImageSources(str(tmp_path), settings.reading).maker()() as source:
        if expected is None:
            with pytest.raises(UnreadableImage):
                source.read()
        else:
            frame = source.read()
            assert frame is not None
            assert frame.values == expected


@pytest.mark.parametrize("text", ["7", "twelve", "5:5", "1:nan"])
def test_values_that_are_no_depth_or_range_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        save_settings(tmp_path, image_values=text)
    assert (refused.value.code, refused.value.values["setting"]) == ("settings-invalid", "image_values")
