from __future__ import annotations

from pathlib import Path

import pytest

from app.station.settings import load_settings, save_settings, store_folder
from models.errors import InvalidInput


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


@pytest.mark.parametrize("content", ["{", "[]", '{"sync_interval_s": "often"}', '{"theme": "pink"}'])
def test_a_wrong_file_is_reported_with_its_name_in_both_languages(tmp_path: Path, content: str) -> None:
    (tmp_path / "settings.json").write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInput) as refused:
        load_settings(tmp_path)
    assert (refused.value.code, refused.value.values["file"]) == ("settings-invalid", str(tmp_path / "settings.json"))


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
