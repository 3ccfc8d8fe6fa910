from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QWidget

from app.window.look import language
from app.window.sync.presenter import SyncPresenter
from inspection.sources import ADDRESS_KINDS
from models.messages import LANGUAGES, catalogue
from tests.support.messages import says
from tests.support.user_robot import UserRobot, inspect_next

Texts = dict[tuple[str, str], ET.Element]


def messages(path: Path) -> Texts:
    found = {}
    for context in ET.parse(path).getroot().findall("context"):  # noqa: S314 - our own file
        for message in context.findall("message"):
            key = (context.findtext("name") or "", f"{message.findtext('source')}|{message.findtext('comment') or ''}")
            found[key] = message
    return found


def translations(message: ET.Element) -> list[str]:
    translation = message.find("translation")
    assert translation is not None
    forms = [form.text or "" for form in translation.findall("numerusform")]
    return forms or [translation.text or ""]


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_text_of_the_source_is_in_the_translation_file(name: str, tmp_path: Path) -> None:
    language.update(tmp_path)
    in_source = set(messages(tmp_path / f"imageflow_{name}.ts"))
    kept = set(messages(language.translations_folder() / f"imageflow_{name}.ts"))
    assert in_source == kept


@pytest.mark.parametrize("name", LANGUAGES)
def test_no_translation_is_unfinished_or_empty(name: str) -> None:
    for key, message in messages(language.translations_folder() / f"imageflow_{name}.ts").items():
        translation = message.find("translation")
        assert translation is not None
        assert translation.get("type") is None, key
        assert all(translations(message)), key


def test_the_japanese_keeps_every_placeholder() -> None:
    for key, message in messages(language.translations_folder() / "imageflow_ja.ts").items():
        wanted = sorted(re.findall(r"\{\w+\}|%n", message.findtext("source") or ""))
        for text in translations(message):
            assert sorted(re.findall(r"\{\w+\}|%n", text)) == wanted, key


def test_notices_of_the_window_are_reported_in_both_languages() -> None:
    codes = [{code for code in catalogue(name) if code.startswith("window-")} for name in LANGUAGES]
    assert codes[0] == codes[1]
    assert codes[0]


@pytest.mark.parametrize("name", LANGUAGES)
def test_the_hint_for_the_image_source_names_every_kind_there_is(name: str) -> None:
    known = messages(language.translations_folder() / f"imageflow_{name}.ts")
    hint = next(translations(message)[0] for (_, source), message in known.items() if "usb:0" in source)
    # rtsps:// is rtsp:// to whoever looks for a hint.
    assert [kind for kind in ADDRESS_KINDS if kind != "rtsps://" and kind not in hint] == []


def shown_texts(window: QWidget) -> dict[str, str]:
    """Every text of the window, by its place in the source."""
    texts = {}
    for number, widget in enumerate(window.findChildren(QWidget)):
        if isinstance(widget, QLabel | QAbstractButton):
            texts[f"{number} text"] = widget.text()
        if isinstance(widget, QLineEdit):
            texts[f"{number} hint"] = widget.placeholderText()
        texts[f"{number} name"] = widget.accessibleName()
    return texts


# The same in both languages: keys, verdicts, names out of the data, numbers, the product's name, an example.
SAME = re.compile(
    r"^(F\d+|Esc|Enter|Space|[A-Z0-9]|OK|NG|HOLD|–|[\d.,: ]+|PLATE.*|Surface(   ·   )?|Plate|ImageFlow Station|https://.*|)$"
)


@pytest.mark.parametrize("screen", ["enrolment", "sign_in", "home", "work", "sync"])
def test_the_language_key_changes_every_text_at_once(robot: UserRobot, screen: str) -> None:
    if screen == "work":
        robot.start_work()
        inspect_next(robot)
    elif screen in {"home", "sync"}:
        robot.sign_in()
    robot.window.show_screen(screen)
    robot.until(lambda: robot.window.workers.is_idle)
    # What waits for the server is counted from time to time; here no later than now.
    robot.window.presenter(SyncPresenter).refresh()
    robot.until(lambda: robot.window.workers.is_idle)
    english = shown_texts(robot.window.window)
    robot.key(Qt.Key.Key_F2)
    robot.until(lambda: robot.window.workers.is_idle)
    japanese = shown_texts(robot.window.window)
    unchanged = {text for place, text in english.items() if japanese[place] == text and not SAME.match(text)}
    assert not unchanged
    assert QLocale().language() is QLocale.Language.Japanese
    robot.key(Qt.Key.Key_F2)
    assert shown_texts(robot.window.window) == english


def test_the_chosen_language_is_kept_for_the_next_start(robot: UserRobot) -> None:
    from app.station.settings import load_settings

    robot.key(Qt.Key.Key_F2)
    robot.until(lambda: robot.window.workers.is_idle)
    assert load_settings(robot.station.store).language == "ja"


def test_the_banner_shows_its_trouble_in_the_new_language(robot: UserRobot) -> None:
    robot.sign_in_presenter.sign_in("", "")
    assert robot.banner_says("window-credentials-missing", "en")
    robot.key(Qt.Key.Key_F2)
    assert robot.banner_says("window-credentials-missing", "ja")


def test_the_server_is_asked_for_texts_in_the_new_language(robot: UserRobot) -> None:
    assert robot.context.workspace.text_language == "en"
    robot.key(Qt.Key.Key_F2)
    assert robot.context.workspace.text_language == "ja"


def test_translations_of_an_older_source_are_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LANGUAGES:
        source = language.translations_folder() / f"imageflow_{name}.ts"
        (tmp_path / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr(language, "translations_folder", lambda: tmp_path)
    language.build()
    assert not language.is_stale("ja")
    source = tmp_path / "imageflow_ja.ts"
    source.write_text(source.read_text(encoding="utf-8").replace("ホーム", "開始"), encoding="utf-8")
    assert language.is_stale("ja")
    switch = language.LanguageSwitch()
    switch.show("ja")
    switch.remove()
    assert not language.is_stale("ja")


def test_old_translations_that_cannot_be_made_again_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in LANGUAGES:
        for suffix in ("ts", "qm"):
            source = language.translations_folder() / f"imageflow_{name}.{suffix}"
            (tmp_path / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr(language, "translations_folder", lambda: tmp_path)

    def refuse() -> list[Path]:
        raise PermissionError

    monkeypatch.setattr(language, "build", refuse)
    switch = language.LanguageSwitch()
    switch.show("en")
    switch.remove()
    assert says(capsys.readouterr().err, "window-translations-old", folder=str(tmp_path))
