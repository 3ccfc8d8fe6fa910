"""The end of the demo in the window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.demo import windowed
from app.demo.parts import DemoParts
from app.demo.practice_store import PracticeStore
from app.demo.scenario import Scenario
from app.demo.windowed import WindowedDemo
from app.window.sync.presenter import SyncPresenter
from models.errors import Unavailable
from sync.station.status import SyncStatus
from tests.support.user_robot import UserRobot


class Application:
    """Counts how often it is ended; that of the tests goes on."""

    ended = 0

    def quit(self) -> None:
        self.ended += 1


def test_a_demo_whose_changes_wait_again_ends_with_an_error(
    robot: UserRobot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windowed, "SETTLE_S", -1.0)
    parts = DemoParts("-", (), tmp_path, (), ())
    scenario = Scenario(PracticeStore(tmp_path), parts, tmp_path, lambda sentence: None)
    application = Application()
    demo = WindowedDemo(scenario, application, robot.window, scripted=True)  # type: ignore[arg-type]
    presenter = robot.window.presenter(SyncPresenter)
    presenter._show(replace(presenter.state, status=SyncStatus(waiting=3)))
    demo._end()
    assert isinstance(demo._failure, Unavailable)
    assert (demo._failure.code, demo._failure.values["waiting"], application.ended) == ("demo-not-synced", 3, 1)
