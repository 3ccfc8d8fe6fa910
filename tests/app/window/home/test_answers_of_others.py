"""What one person has begun at home does not come to the next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.station.operations import training
from app.station.operations.training import SkippedImages, TrainedModel
from app.station.workspace import Workspace
from app.window.home.presenter import HomePresenter
from app.window.presenting.context import StationContext
from app.window.presenting.running import Lane
from inspection.anomaly.training.estimates import DetailEstimate
from inspection.imaging.files import encode_png
from models.errors import UnreadableImage
from tests.support.presenters import LateRunner, Start
from tests.support.station import Station

FOUND = (DetailEstimate("fast", 288, 1, 20.0, 60.0, 300.0, 12),)
MADE = TrainedModel(
    model_id="m",
    sha256="0" * 64,
    threshold=1.0,
    false_alarm_rate=0.01,
    images=6,
    seconds=1.0,
    warnings=(),
    reasons=(SkippedImages(UnreadableImage("image-missing", name="a.png"), ("a.png",)),),
)


@pytest.fixture
def runner() -> LateRunner:
    return LateRunner(Lane.TRAINING)


@pytest.fixture
def home(workspace: Workspace, station: Station, runner: LateRunner) -> HomePresenter:
    context = StationContext(workspace, runner)
    context.register("start", Start(context), needs_user=False)
    context.sign_in(station.engineer)
    presenter = HomePresenter(context)
    presenter.refresh()
    return presenter


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "1.png").write_bytes(encode_png(np.zeros((32, 32, 3), np.uint8)))
    return str(tmp_path)


def change_person(home: HomePresenter, station: Station) -> None:
    home._context.sign_out()
    home._context.sign_in(station.operator)


def test_details_that_were_measured_for_one_person_do_not_come_to_the_next(
    home: HomePresenter, runner: LateRunner, station: Station, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "measure_item_details", lambda *_, **__: FOUND)
    home.measure_folder(folder)
    change_person(home, station)
    runner.end()
    assert (home.state.folder, home.state.details, home.state.measuring) == ("", (), False)


def test_a_measurement_ends_with_its_person(home: HomePresenter, runner: LateRunner, folder: str) -> None:
    home.measure_folder(folder)
    home._context.sign_out()
    assert [task.cancelled.is_set() for task in runner.tasks] == [True]


def test_a_training_is_not_begun_in_the_name_of_the_next_person(
    home: HomePresenter, runner: LateRunner, station: Station, folder: str
) -> None:
    home.train_folder(folder)
    change_person(home, station)
    runner.end()
    assert (runner.waiting, home.state.training) == ([], None)


def test_a_training_is_not_begun_once_nobody_is_signed_in(home: HomePresenter, runner: LateRunner, folder: str) -> None:
    home.train_folder(folder)
    home._context.sign_out()
    runner.end()
    assert (runner.waiting, home.state.training) == ([], None)


def test_the_result_of_a_training_is_not_shown_to_the_next_person(
    home: HomePresenter, runner: LateRunner, station: Station, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "train_item_model", lambda *_, **__: MADE)
    home.train([Path(folder) / "1.png"])
    change_person(home, station)
    runner.end()
    home._context.notices.show_for("home")
    assert (home.state.trained, home.state.training, home._context.notices.shown) == (None, None, None)


def sign_in_again(home: HomePresenter, station: Station) -> None:
    """Let the engineer sign out, then in again in a way in which everything but the person differs."""
    home._context.sign_out()
    engineer = station.engineer
    home._context.sign_in(replace(engineer, online=not engineer.online, language="ja", display_name="Sato"))


def test_the_result_of_a_training_is_shown_to_its_person_after_another_sign_in(
    home: HomePresenter, runner: LateRunner, station: Station, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "train_item_model", lambda *_, **__: MADE)
    home.train([Path(folder) / "1.png"])
    sign_in_again(home, station)
    runner.end()
    assert home.state.trained == MADE


def test_a_training_that_failed_is_reported_to_its_person_after_another_sign_in(
    home: HomePresenter, runner: LateRunner, station: Station, folder: str
) -> None:
    home.train([Path(folder) / "gone.png"])
    sign_in_again(home, station)
    runner.end()
    assert home._context.notices.shown is not None
    assert home._context.notices.shown.about == "training"


def test_a_training_that_failed_while_its_person_was_away_is_reported_on_return(
    home: HomePresenter, runner: LateRunner, station: Station, folder: str
) -> None:
    home.train([Path(folder) / "gone.png"])
    change_person(home, station)
    runner.end()
    assert home._context.notices.shown is None
    sign_in_again(home, station)
    assert home._context.notices.shown is not None
    assert home._context.notices.shown.about == "training"
