from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.station.settings import StationSettings, load_settings, save_settings, unknown_in_file
from app.station.workspace import Workspace
from app.window.shell.run import StationRun
from tests.support.messages import says
from tests.support.station import Station

DEADLINE_MS = 60_000


class Showings(QObject):
    """Notes what holds whenever a window is shown: a window gone after a moment is not missed, as a look would."""

    def __init__(self, window: QWidget, held: Callable[[], object]) -> None:
        super().__init__(window)
        self._held = held
        self.noted: list[object] = []
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() == QEvent.Type.Show:
            self.noted.append(self._held())
        return super().eventFilter(watched, event)


class Script:
    """Does one thing after the other as soon as each is possible, while the application runs."""

    def __init__(self, run: StationRun) -> None:
        self._run = run
        self._steps: list[tuple[Callable[[], object], Callable[[], object]]] = []
        self._timer = QTimer()
        self._timer.setInterval(10)
        self._timer.timeout.connect(self._look)

    def when(self, possible: Callable[[], object], do: Callable[[], object]) -> None:
        self._steps.append((possible, do))

    def play(self) -> int:
        guard = QTimer()
        guard.setSingleShot(True)
        guard.timeout.connect(QApplication.quit)
        guard.start(DEADLINE_MS)
        self._timer.start()
        try:
            code = self._run.run()
        finally:
            self._timer.stop()
            guard.stop()
        assert not self._steps, "not every step became possible"
        return code

    def _look(self) -> None:
        if self._steps and self._steps[0][0]():
            self._steps.pop(0)[1]()


def test_the_first_window_gives_way_to_sign_in_once_the_store_is_open(qtbot: QtBot, station: Station) -> None:
    run = StationRun(station.store, StationSettings(), language="en")
    stations = Showings(run.start_window, lambda: run.station)
    script = Script(run)
    script.when(
        lambda: run.station is not None and run.station.window.isVisible(),
        lambda: run.station.window.close() if run.station else None,
    )
    assert script.play() == 0
    assert stations.noted == [None]
    assert not run.start_window.isVisible()


def test_a_store_in_use_can_be_opened_again_once_it_is_free(qtbot: QtBot, station: Station) -> None:
    other = Workspace.open(station.store, settings=StationSettings())
    run = StationRun(station.store, StationSettings(), language="en")
    script = Script(run)
    script.when(run.start_window.retry.isVisible, other.close)
    script.when(lambda: True, lambda: qtbot.keyClick(run.start_window, Qt.Key.Key_Return))
    script.when(
        lambda: run.station is not None and run.station.window.isVisible(),
        lambda: run.station.window.close() if run.station else None,
    )
    assert script.play() == 0


def test_leaving_a_store_that_cannot_be_opened_ends_with_1(qtbot: QtBot, station: Station) -> None:
    with Workspace.open(station.store, settings=StationSettings()):
        run = StationRun(station.store, StationSettings(), language="ja")
        script = Script(run)
        script.when(run.start_window.retry.isVisible, lambda: qtbot.keyClick(run.start_window, Qt.Key.Key_Escape))
        assert script.play() == 1


def test_a_damaged_store_is_left_as_it_is(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "station.sqlite3").write_bytes(b"this is no database, and long enough to be read as a header" * 20)
    before = (tmp_path / "station.sqlite3").read_bytes()
    run = StationRun(tmp_path, StationSettings(), language="en")
    script = Script(run)
    script.when(
        lambda: says(run.start_window.title.text(), "store-damaged", member="title"),
        lambda: qtbot.keyClick(run.start_window, Qt.Key.Key_Escape),
    )
    assert script.play() == 1
    assert (tmp_path / "station.sqlite3").read_bytes() == before


def test_the_first_paint_already_follows_the_settings(qtbot: QtBot, station: Station) -> None:
    save_settings(station.store, theme="dark", language="ja")
    run = StationRun(station.store, load_settings(station.store))
    assert not run.start_window.detail.text().isascii()
    script = Script(run)
    script.when(
        lambda: run.station is not None and run.station.window.isVisible(),
        lambda: run.station.window.close() if run.station else None,
    )
    assert script.play() == 0
    assert run.station is not None
    assert run.station.theme.name == "dark"
    assert run.station.language.language == "ja"


def test_a_misspelt_name_in_the_settings_file_is_shown(qtbot: QtBot, station: Station) -> None:
    (station.store / "settings.json").write_text('{"opactiy": 0.2}', encoding="utf-8")
    run = StationRun(station.store, load_settings(station.store), hints=unknown_in_file(station.store))
    shown = []

    def look() -> None:
        assert run.station is not None
        notices = run.station.context.notices
        while notices.shown is not None:
            shown.append(notices.shown.error)
            notices.clear(notices.shown.about)
        run.station.window.close()

    script = Script(run)
    script.when(lambda: run.station is not None and run.station.window.isVisible(), look)
    assert script.play() == 0
    assert [error.values["nearest"] for error in shown if error.code == "setting-misspelt"] == ["opacity"]


def test_without_a_display_the_command_says_what_to_do(tmp_path: Path) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    }
    done = subprocess.run(
        [sys.executable, "-m", "app", "station", "--store", str(tmp_path)],
        env={**environment, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert says(done.stderr, "window-no-display")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_nothing_heavy_is_loaded_on_the_way_to_sign_in(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app.benchmarks.window.start", str(tmp_path)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "first_paint_s" in done.stdout
