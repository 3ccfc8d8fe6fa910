"""The real window, off the screen, on a real trained station that no server is near."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app.station.workspace import Workspace
from app.window.look import language
from app.window.shell.station import Station as Window
from app.window.shell.station import build_station
from models.messages import LANGUAGES
from tests.support.made_once import alone
from tests.support.station import Station
from tests.support.user_robot import UserRobot


@pytest.fixture(scope="session", autouse=True)
def translations(tmp_path_factory: pytest.TempPathFactory) -> None:
    with alone(tmp_path_factory, "translations"):
        for name in LANGUAGES:
            compiled = language.translations_folder() / f"imageflow_{name}.qm"
            if not compiled.exists() or language.is_stale(name):
                language.build()
                return


@pytest.fixture(scope="module", autouse=True)
def what_stays_is_searched_once() -> None:
    """Keep what earlier files have left out of the search for garbage that follows each test with a window."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def window(qtbot: QtBot, workspace: Workspace) -> Iterator[Window]:
    """The window at sign-in, in English."""
    opened = build_station(workspace, language="en", theme="light")
    opened.window.show()
    qtbot.waitExposed(opened.window)
    yield opened
    opened.close()


@pytest.fixture
def robot(qtbot: QtBot, window: Window, station: Station) -> UserRobot:
    return UserRobot(qtbot, window, station)
