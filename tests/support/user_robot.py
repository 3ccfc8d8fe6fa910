"""A person at the station's window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.window.shell.station import Station as Window
from app.window.work.state import Phase
from inspection.sources.folder import FolderSource
from models.states import HumanVerdict, Verdict
from tests.support.station import Station

WAIT_MS = 60_000
SLOWER_THAN_A_SCANNER_MS = 80


class UserRobot:
    """Works the window with keys, as a person does."""

    def __init__(self, qtbot: QtBot, window: Window, station: Station) -> None:
        self.qtbot, self.window, self.station = qtbot, window, station
        self.work = window.presenters.work
        self.home = window.presenters.home

    def until(self, condition: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=WAIT_MS)

    def sign_in(self) -> None:
        self.window.presenters.session.sign_in(self.station.operator)
        self.window.show_screen("home")
        self.until(lambda: self.home.state.items)

    def start_work(self, folder: Path | None = None) -> None:
        self.sign_in()
        self.window.set_source(FolderSource(folder or self.station.parts.test))
        self.until(lambda: self.home.state.may_start)
        self.key(Qt.Key.Key_F5)
        self.until(lambda: self.work.state.has_frame and self.work.state.defect_classes)

    @property
    def focus(self) -> QWidget:
        """Where a keyboard's keys go."""
        return QApplication.focusWidget() or self.window.window

    def key(self, key: Qt.Key) -> None:
        """Press a key as a person does: the next one comes later than a scanner's would."""
        self.qtbot.keyClick(self.focus, key)
        self.qtbot.wait(SLOWER_THAN_A_SCANNER_MS)

    def type(self, text: str) -> None:
        """Type as a person does."""
        for character in text:
            self.qtbot.keyClicks(self.focus, character)
            self.qtbot.wait(SLOWER_THAN_A_SCANNER_MS)

    def scan(self, code: str) -> None:
        """Scan a code: the keys follow each other at once and end in Enter."""
        self.qtbot.keyClicks(self.focus, code)
        self.qtbot.keyClick(self.focus, Qt.Key.Key_Return)


def inspect_next(robot: UserRobot, wanted: Verdict | None = None) -> None:
    """Capture parts until the AI result is the wanted one; the others are agreed with."""
    while True:
        robot.until(lambda: robot.work.state.has_frame)
        robot.key(Qt.Key.Key_Space)
        robot.until(lambda: robot.work.state.phase is Phase.DECIDE)
        if wanted is None or robot.work.state.verdict is wanted:
            return
        robot.work.decide(HumanVerdict(robot.work.state.verdict.value))
        robot.until(lambda: robot.work.state.phase is Phase.DONE)


def stored(robot: UserRobot) -> None:
    """Wait until the part is recorded."""
    robot.until(lambda: robot.work.state.phase is Phase.DONE)
