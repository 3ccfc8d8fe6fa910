"""What one person has begun at home does not come to the next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.station.operations import training
from app.station.operations.training import SkippedImages, TrainedModel
from app.station.workspace import Workspace
from app.window.home.presenter import HomePresenter
from app.window.presenting.context import StationContext
from app.window.presenting.presenter import Presenter
from app.window.presenting.running import Lane, Task
from inspection.anomaly.training.estimates import DetailEstimate
from inspection.imaging.files import encode_png
from models.errors import UnreadableImage
from tests.support.doors import InlineRunner
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


class LateRunner(InlineRunner):
    """Runs at once what a screen reads, and what belongs to a training when a test says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], object]] = []
        self.tasks: list[Task] = []

    def run(self, operation: Callable[[Task], Any], *, lane: Lane, **callbacks: Any) -> Task:
        if lane is not Lane.TRAINING:
            return super().run(operation, lane=lane, **callbacks)
        self.waiting.append(lambda: super(LateRunner, self).run(operation, lane=lane, **callbacks))
        self.tasks.append(Task(lambda _: None))
        return self.tasks[-1]

    def end(self) -> None:
        """Run what waits."""
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            one()


class Start(Presenter):
    """The screen where one begins."""

    @property
    def is_start(self) -> bool:
        return True


@pytest.fixture
def runner() -> LateRunner:
    return LateRunner()


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


def test_a_failure_of_one_person_is_not_reported_to_the_next(home: HomePresenter, station: Station) -> None:
    report = home._context.report("training", personal=True)
    change_person(home, station)
    report(UnreadableImage("image-missing", name="a.png"))
    assert home._context.notices.shown is None
