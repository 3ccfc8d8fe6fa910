"""A feature is one line of the list: nothing else of the window knows it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grimp
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

import app.window
from app.station.workspace import Workspace
from app.window.feature import Feature
from app.window.features import FEATURES, load_features
from app.window.look.language import current_language
from app.window.look.style_context import StyleContext
from app.window.presenting.context import StationContext
from app.window.presenting.event import Event
from app.window.presenting.presenter import Presenter
from app.window.shell.station import build_station
from app.window.widgets.actions import FeatureActions
from app.window.widgets.key_button import KeyButton
from app.window.widgets.screen import Screen
from tests.support.station import Station
from tests.support.user_robot import UserRobot

ROOT = Path(app.window.__path__[0]).parents[1]
FACES = {"__init__", "actions", "chip", "feature", "screen"}
"""Modules of a feature that may know Qt, beside those named ``*_panel``; every other one is tested without a window."""
MOST_FUNCTION_KEYS = 5
TITLES = {"en": "Shift notes", "ja": "勤務メモ"}
ADD = {"en": "Add a note", "ja": "メモを追加"}


class NotesPresenter(Presenter):
    """Counts notes."""

    def __init__(self, context: StationContext) -> None:
        super().__init__(context)
        self.notes = 0
        self.changed: Event[int] = Event()

    def add(self) -> None:
        self.notes += 1
        self.changed.emit(self.notes)


class NotesActions(FeatureActions):
    """One action."""

    def __init__(self) -> None:
        super().__init__()
        self.add = self.plain("a")
        self.retranslate()

    def retranslate(self) -> None:
        self.add.setText(ADD[current_language()])
        super().retranslate()


class NotesScreen(Screen):
    """A number and a button."""

    feature_actions: NotesActions

    def __init__(self, presenter: NotesPresenter, style: StyleContext) -> None:
        super().__init__(style, NotesActions())
        self.number = QLabel(self)
        self.button = KeyButton(self.feature_actions.add, parent=self)
        self.feature_actions.add.triggered.connect(presenter.add)
        presenter.changed.connect(lambda notes: self.number.setText(str(notes)))

    def title(self) -> str:
        return TITLES[current_language()]


NOTES = Feature(name="notes", make_presenter=NotesPresenter, make_screen=NotesScreen, needs_user=True)


@pytest.fixture
def robot(qtbot: QtBot, workspace: Workspace, station: Station) -> Iterator[UserRobot]:
    """A window with one feature more."""
    opened = build_station(workspace, language="en", theme="light", features=[*load_features(), NOTES])
    opened.window.show()
    qtbot.waitExposed(opened.window)
    yield UserRobot(qtbot, opened, station)
    opened.close()


def test_a_registered_feature_is_reached_by_the_navigation_list(robot: UserRobot) -> None:
    robot.sign_in()
    robot.navigate("notes")
    assert robot.window.window.shown_screen is robot.window.window.screens["notes"]
    assert robot.window.window.top_bar.title.text() == "Shift notes"


def test_a_registered_feature_has_its_plain_key(robot: UserRobot) -> None:
    robot.sign_in()
    robot.key(Qt.Key.Key_A)
    assert robot.window.presenter(NotesPresenter).notes == 0
    robot.navigate("notes")
    robot.key(Qt.Key.Key_A)
    assert robot.window.presenter(NotesPresenter).notes == 1


def test_a_registered_feature_follows_the_language(robot: UserRobot) -> None:
    robot.sign_in()
    robot.navigate("notes")
    screen = robot.window.window.screens["notes"]
    assert screen.button.accessibleName() == "Add a note"
    robot.key(Qt.Key.Key_F2)
    assert screen.button.accessibleName() == "メモを追加"
    assert robot.window.window.top_bar.title.text() == "勤務メモ"


def test_a_screen_that_needs_a_user_is_not_shown_while_nobody_is_signed_in(robot: UserRobot) -> None:
    robot.window.show_screen("notes")
    assert robot.context.screen == "sign_in"
    assert "notes" not in robot.context.reachable_screens()


def test_the_navigation_list_closes_with_the_key_that_opens_it(robot: UserRobot) -> None:
    robot.sign_in()
    window = robot.window.window
    robot.key(Qt.Key.Key_F1)
    assert window.shown_screen is window.navigation
    robot.key(Qt.Key.Key_F1)
    assert window.shown_screen is window.screens["home"]


def test_arrow_keys_with_enter_choose_from_the_navigation_list(robot: UserRobot) -> None:
    robot.sign_in()
    robot.key(Qt.Key.Key_F1)
    robot.key(Qt.Key.Key_Down)
    robot.key(Qt.Key.Key_Return)
    assert robot.context.screen == robot.context.reachable_screens()[1]


def test_every_button_of_the_navigation_list_is_a_touch_target(robot: UserRobot) -> None:
    robot.sign_in()
    robot.key(Qt.Key.Key_F1)
    shown = [button for button in robot.window.window.navigation.findChildren(QPushButton) if button.isVisible()]
    touch = robot.window.style.sizes.touch
    assert len(shown) == len(robot.context.reachable_screens()) + 1
    assert all(min(button.width(), button.height()) >= touch for button in shown)


def test_no_more_than_five_function_keys_work_everywhere(robot: UserRobot) -> None:
    keys = [action.shortcut().toString() for action in robot.window.window.actions()]
    assert all(keys)
    assert len(set(keys)) == len(keys) <= MOST_FUNCTION_KEYS


def test_every_folder_with_a_feature_is_in_the_list() -> None:
    folder = Path(app.window.__path__[0])
    assert {path.parent.name for path in folder.glob("*/feature.py")} == set(FEATURES)
    assert [feature.name for feature in load_features()] == list(FEATURES)


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    """Who imports whom in the window, lazily and for types too."""
    return grimp.build_graph("app", cache_dir=None)


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_imports_no_other_feature(imports: grimp.ImportGraph, name: str) -> None:
    others = {f"app.window.{other}" for other in FEATURES if other != name}
    assert not {other for other in others if imports.find_shortest_chains(f"app.window.{name}", other)}


def test_only_screens_with_their_parts_load_qt() -> None:
    modules = []
    for name in FEATURES:
        for path in sorted((Path(app.window.__path__[0]) / name).glob("**/*.py")):
            if path.stem not in FACES and not path.stem.endswith("_panel"):
                modules.append(f"app.window.{name}.{path.stem}")
    code = f"import importlib, sys\nfor name in {modules}:\n    importlib.import_module(name)\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert {"app.window.work.capture", "app.window.work.leaving"} <= set(modules)
    assert "PySide6" not in loaded.split()


def test_a_status_without_a_function_key_is_refused() -> None:
    with pytest.raises(ValueError, match="function_key"):
        replace(NOTES, make_status=lambda presenter, action, style: QLabel())


@pytest.mark.parametrize("place", ["shell", "presenting", "widgets", "look"])
def test_what_features_share_knows_none_of_them(imports: grimp.ImportGraph, place: str) -> None:
    assert not {name for name in FEATURES if imports.find_shortest_chains(f"app.window.{place}", f"app.window.{name}")}
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "app/window" / place).glob("**/*.py"))
    assert not re.findall(rf"[\"'](?:{'|'.join(FEATURES)})[\"']", text)
