"""Notices when the person at the station changes: answers to a person go along, facts about the station stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.station.workspace import Workspace
from app.window.home.presenter import HomePresenter
from app.window.presenting.context import StationContext
from inspection.anomaly.training.estimates import DetailEstimate
from inspection.imaging.files import encode_png
from models.errors import InvalidInput, Unavailable
from tests.support.doors import InlineRunner
from tests.support.presenters import Start
from tests.support.station import Station
from tests.support.user_robot import UserRobot


@pytest.fixture
def context(workspace: Workspace, station: Station) -> StationContext:
    """The operator is signed in, with an answer to what they did and a fact about the station."""
    made = StationContext(workspace, InlineRunner())
    made.register("start", Start(made), needs_user=False)
    made.sign_in(station.operator)
    made.notices.add("fact", Unavailable("window-source-ended"))
    made.report("answer", personal=True)(InvalidInput("window-training-folder-missing"))
    return made


def test_an_answer_to_a_person_goes_when_they_sign_out(context: StationContext) -> None:
    assert context.notices.shown is not None
    assert context.notices.shown.about == "answer"
    context.sign_out()
    assert context.notices.shown is not None
    assert context.notices.shown.about == "fact"


def test_an_answer_that_came_after_its_person_left_is_shown_when_they_are_back(
    context: StationContext, station: Station
) -> None:
    answer = context.report("late", personal=True)
    context.sign_out()
    answer(Unavailable("window-source-ended"))
    seen = [context.notices.shown]
    for user in (station.engineer, replace(station.operator, online=not station.operator.online)):
        context.sign_in(user)
        seen.append(context.notices.shown)
    assert [notice.about for notice in seen if notice is not None] == ["fact", "fact", "late"]


def test_an_answer_that_was_kept_is_shown_once(context: StationContext, station: Station) -> None:
    answer = context.report("late", personal=True)
    context.sign_out()
    answer(Unavailable("window-source-ended"))
    for _ in range(2):
        context.sign_in(station.operator)
        context.sign_out()
    context.sign_in(station.operator)
    assert context.notices.shown is not None
    assert context.notices.shown.about == "fact"


def test_images_that_one_person_left_unread_are_not_shown_to_the_next(robot: UserRobot, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    for name in ("b.png", "c.png"):
        (tmp_path / name).write_bytes(encode_png(np.zeros((8, 8), np.uint8)))
    robot.start_work(tmp_path)
    robot.context.notices.dismiss()
    robot.work.leave()
    assert robot.banner_says("window-images-unread", count=1, names="a.png")
    robot.context.sign_out()
    robot.context.sign_in(robot.station.engineer)
    robot.context.go_to_start()
    assert robot.context.screen == "home"
    assert robot.context.notices.shown is None


def test_a_training_without_a_folder_is_not_reported_to_the_next_person(robot: UserRobot) -> None:
    robot.context.sign_in(robot.station.engineer)
    robot.context.go_to_start()
    robot.window.presenter(HomePresenter).train_folder("")
    assert robot.banner_says("window-training-folder-missing")
    robot.context.sign_out()
    assert robot.context.notices.shown is None


def test_details_measured_for_one_person_are_not_shown_to_the_next(robot: UserRobot) -> None:
    robot.context.sign_in(robot.station.engineer)
    measured = DetailEstimate("fast", 288, 1, 20.0, 60.0, 300.0, 12)
    robot.home._show(replace(robot.home.state, folder="parts", details=(measured,)))
    robot.context.sign_out()
    assert (robot.home.state.folder, robot.home.state.details) == ("", ())


def test_settings_that_could_not_be_saved_are_forgotten_once_they_are(context: StationContext) -> None:
    context.report("settings")(Unavailable("file-not-written", path="settings.json", reason="full"))
    assert context.notices.shown is not None
    assert context.notices.shown.about == "settings"
    context.save_settings(opacity=0.5)
    assert context.notices.shown is not None
    assert context.notices.shown.about != "settings"
