"""What home shows after a training: also what the person should know of the images."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.station.settings import load_settings
from inspection.anomaly import TrainingSettings
from inspection.imaging.datasets import image_files
from inspection.imaging.files import encode_png, read_image
from inspection.imaging.opencv import cv2
from inspection.imaging.value_range import ValueRange
from resources.parts import draw_part
from tests.support.user_robot import UserRobot

QUICK = TrainingSettings(bank_size=150, folds=2)


def reported(robot: UserRobot) -> list[str]:
    """The lines of the home screen about the training."""
    return robot.window.window.screens["home"].progress_text.text().splitlines()


def numbers(lines: list[str]) -> list[list[int]]:
    """The whole numbers that each line names, in order of size, for the order of words differs by language."""
    return [sorted(int(found) for found in re.findall(r"(?<![\d.])\d+(?![\d.])", line)) for line in lines]


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
    english = reported(robot)
    robot.key(Qt.Key.Key_F2)
    japanese = reported(robot)
    for lines in (english, japanese):
        assert numbers(lines) == [[6], [5, 19], [2], [1]]
    assert all(line.isascii() for line in english)
    assert not any(line.isascii() for line in japanese)


@pytest.mark.slow
def test_the_source_is_read_with_the_range_that_the_training_found(robot: UserRobot, tmp_path: Path) -> None:
    images = []
    for path in image_files(robot.station.parts.train_good)[:6]:
        values = cv2.cvtColor(read_image(path), cv2.COLOR_RGB2BGR).astype(np.uint16) << 2
        images.append(tmp_path / path.name)
        images[-1].write_bytes(cv2.imencode(".png", values)[1].tobytes())
    train(robot, images)
    assert "Images deeper than 8 bits are read with the values 0:1023 as black to white." in reported(robot)
    robot.until(lambda: load_settings(robot.context.workspace.store).image_values == "0:1023")
    robot.context.sources.spec = str(tmp_path)
    with robot.context.sources.maker()() as source:
        frame = source.read()
    assert frame is not None
    assert frame.values == ValueRange.of_bits(10)


@pytest.mark.slow
def test_home_reports_nothing_of_images_that_are_all_in_order(robot: UserRobot, tmp_path: Path) -> None:
    for seed in range(19):
        (tmp_path / f"{seed}.png").write_bytes(encode_png(draw_part(seed).image))
    train(robot, image_files(tmp_path))
    assert numbers(reported(robot)) == [[19]]


@pytest.mark.slow
def test_home_names_a_defect_among_the_good_images_that_lifts_the_threshold(robot: UserRobot) -> None:
    parts = robot.station.parts
    train(robot, [*image_files(parts.train_good), *image_files(parts.test)][:19])
    trained = robot.home.state.trained
    assert trained is not None
    assert len(trained.lifting) == 1
    assert [line for line in reported(robot) if trained.lifting[0] in line] != []
