"""What home shows after a training: also what the person should know of the images."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from inspection.anomaly import TrainingSettings
from inspection.imaging.datasets import image_files
from tests.support.user_robot import UserRobot

QUICK = TrainingSettings(bank_size=150, folds=2)


def reported(robot: UserRobot) -> list[str]:
    """The lines of the home screen about the training."""
    texts = [label.text() for label in robot.window.window.findChildren(QLabel)]
    return next(text for text in texts if text.startswith(("Trained on", "6 枚で学習"))).splitlines()


def train(robot: UserRobot, images: list[Path]) -> None:
    robot.context.sign_in(robot.station.engineer)
    robot.window.show_screen("home")
    robot.until(lambda: robot.home.state.may_begin_training)
    robot.home.train(images, QUICK)
    robot.until(lambda: robot.home.state.trained is not None and robot.window.workers.is_idle)


@pytest.mark.slow
def test_home_reports_what_a_training_left_out_in_both_languages(robot: UserRobot, tmp_path: Path) -> None:
    images = image_files(robot.station.parts.train_good)[:6]
    copy, broken = tmp_path / "copy.png", tmp_path / "broken.png"
    shutil.copy(images[0], copy)
    broken.write_bytes(images[1].read_bytes()[:500])
    train(robot, [*images, copy, broken, tmp_path / "none.png"])
    first, *others = reported(robot)
    assert first.startswith("Trained on 6 images; threshold ")
    assert others == [
        "A false-alarm rate of 5 % cannot be shown with fewer than 19 images: a distribution is assumed.",
        "2 images could not be used.",
        "1 image was a copy of another and was left out.",
    ]
    robot.key(Qt.Key.Key_F2)
    assert reported(robot)[1:] == [
        "19 枚未満では誤検出率 5 % を実測できないため、分布を仮定しています。",
        "2 枚の画像は使えませんでした。",
        "1 枚の画像は他の画像と同じため除外しました。",
    ]


@pytest.mark.slow
def test_home_reports_nothing_of_images_that_are_all_in_order(robot: UserRobot) -> None:
    parts = robot.station.parts
    train(robot, [*image_files(parts.train_good), *image_files(parts.test)][:19])
    assert [line.split(";")[0] for line in reported(robot)] == ["Trained on 19 images"]
