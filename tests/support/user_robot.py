"""A person at the station's window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.window.enrolment.presenter import EnrolmentPresenter
from app.window.home.presenter import HomePresenter
from app.window.shell.station import Station as Window
from app.window.sign_in.presenter import SignInPresenter
from app.window.sync.chip import SyncChip
from app.window.work.presenter import WorkPresenter
from app.window.work.state import Phase
from inspection.sources.folder import FolderSource
from models.messages import Language
from models.states import HumanVerdict, Verdict
from tests.support.messages import says
from tests.support.station import Station

WAIT_MS = 240_000
SLOWER_THAN_A_SCANNER_MS = 80


class UserRobot:
    """Works the window with keys, as a person does."""

    def __init__(self, qtbot: QtBot, window: Window, station: Station) -> None:
        self.qtbot, self.window, self.station = qtbot, window, station
        self.context = window.context
        self.work = window.presenter(WorkPresenter)
        self.home = window.presenter(HomePresenter)
        self.enrolment = window.presenter(EnrolmentPresenter)
        self.sign_in_presenter = window.presenter(SignInPresenter)

    def until(self, condition: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=WAIT_MS)

    def sign_in(self) -> None:
        self.context.sign_in(self.station.operator)
        self.window.show_screen("home")
        self.until(lambda: self.home.state.items)

    def start_work(self, folder: Path | None = None) -> None:
        self.sign_in()
        self.window.set_source(FolderSource(folder or self.station.parts.test))
        self.until(lambda: self.home.state.may_start)
        self.key(Qt.Key.Key_S)
        self.until(lambda: self.work.state.has_frame and self.work.state.defect_classes)

    def actions(self, screen: str) -> Any:
        """Return the actions of a screen."""
        return self.window.window.screens[screen].feature_actions

    @property
    def chip(self) -> SyncChip:
        """The sync chip in the bar at the top."""
        return self.window.window.findChild(SyncChip)

    def banner_says(self, code: str, language: Language = "en", **values: object) -> bool:
        """Return whether the banner shows the text of ``code`` with these values in its detail."""
        banner = self.window.window.banner
        return says(banner.text, code, language, member="title") and says(banner.text, code, language, **values)

    def navigate(self, screen: str) -> None:
        """Go to another screen by the navigation list and its digit."""
        self.key(Qt.Key.Key_F1)
        place = self.context.reachable_screens().index(screen)
        self.key(Qt.Key(Qt.Key.Key_1 + place))

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
