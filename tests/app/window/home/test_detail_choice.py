"""The choice of a detail at home: measured first, then trained with."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from inspection.anomaly import AnomalyModel
from inspection.anomaly.detail import DETAILS
from inspection.imaging.datasets import image_files
from tests.support.user_robot import UserRobot


def few_parts(robot: UserRobot, folder: Path) -> str:
    """A folder of six of the good parts."""
    folder.mkdir()
    for path in image_files(robot.station.parts.train_good)[:6]:
        (folder / path.name).write_bytes(path.read_bytes())
    return str(folder)


def measure(robot: UserRobot, folder: str) -> None:
    robot.context.sign_in(robot.station.engineer)
    robot.window.show_screen("home")
    robot.until(lambda: robot.home.state.may_begin_training)
    robot.home.measure_folder(folder)
    robot.until(lambda: not robot.home.state.measuring and robot.window.workers.is_idle)


@pytest.mark.slow
def test_what_each_detail_takes_is_measured_before_a_training(robot: UserRobot, tmp_path: Path) -> None:
    measure(robot, few_parts(robot, tmp_path / "good"))
    details = robot.home.state.details
    assert [estimate.detail for estimate in details] == list(DETAILS)
    assert all(estimate.latency_ms > 0 for estimate in details)
    assert robot.home.state.detail == "standard"


@pytest.mark.slow
def test_a_key_chooses_the_detail_that_is_trained_with(robot: UserRobot, tmp_path: Path) -> None:
    folder = few_parts(robot, tmp_path / "good")
    measure(robot, folder)
    robot.key(Qt.Key.Key_1)
    assert robot.home.state.detail == "fast"
    robot.home.train_folder(folder)
    robot.until(lambda: robot.home.state.trained is not None and robot.window.workers.is_idle)
    trained = robot.home.state.trained
    assert trained is not None
    model = robot.context.workspace.models.model(trained.sha256)
    assert isinstance(model, AnomalyModel)
    assert model.manifest.configuration is not None
    assert model.manifest.configuration.detail == "fast"


@pytest.mark.slow
def test_a_folder_that_is_not_there_is_reported_before_anything_is_measured(robot: UserRobot, tmp_path: Path) -> None:
    measure(robot, str(tmp_path / "nowhere"))
    assert robot.home.state.details == ()
    shown = robot.context.notices.shown
    assert shown is not None
    assert shown.error.code == "folder-missing"


@pytest.mark.slow
def test_too_few_images_are_reported_before_anything_is_measured(robot: UserRobot, tmp_path: Path) -> None:
    folder = tmp_path / "few"
    folder.mkdir()
    for path in image_files(robot.station.parts.train_good)[:3]:
        (folder / path.name).write_bytes(path.read_bytes())
    measure(robot, str(folder))
    assert robot.home.state.details == ()
    shown = robot.context.notices.shown
    assert shown is not None
    assert (shown.error.code, shown.error.values["count"]) == ("too-few-images", 3)
