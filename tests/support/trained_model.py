"""A small model of drawn parts, trained once, and the real data: fixtures of every test that needs them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inspection.anomaly import (
    AnomalyModel,
    Backbone,
    TrainingReport,
    TrainingSettings,
    convert_in_own_process,
    find_backbone,
    load_bundle,
    train_images,
)
from inspection.imaging.files import encode_png
from models.errors import Unavailable
from models.storage import write_atomically
from resources.parts import DEFECT_CLASSES, draw_part
from tests.support.made_once import alone, made_once

GOOD_IMAGES = 24
SMALL = TrainingSettings(rotation="fixed", bank_size=500, name="small", false_alarm_rate=0.1, folds=3)


def real_data() -> Path | None:
    """Folder of the real images, which ``tests/conftest.py`` looks for; None when there is none."""
    setting = os.environ.get("IMAGEFLOW_DATA")
    return Path(setting) if setting and Path(setting).is_dir() else None


@pytest.fixture(scope="session")
def data() -> Path:
    place = real_data()
    if place is None:
        pytest.skip("no real images: IMAGEFLOW_DATA is not set and ../shared/data does not exist")
    return place


@pytest.fixture(scope="session")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    with alone(tmp_path_factory, "backbone"):
        try:
            return find_backbone()
        except Unavailable:
            return convert_in_own_process()


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of drawn parts: good/, test/good/, test/<defect>/, masks/<defect>/."""
    return made_once(tmp_path_factory, "parts", _draw_parts)


def _draw_parts(root: Path) -> Path:
    for folder, first, count in (("good", 0, GOOD_IMAGES), ("test/good", 500, 8)):
        (root / folder).mkdir(parents=True)
        for index in range(first, first + count):
            write_atomically(root / folder / f"{index:04}.png", encode_png(draw_part(index).image))
    for name in DEFECT_CLASSES:
        (root / "test" / name).mkdir()
        (root / "masks" / name).mkdir(parents=True)
        for index in range(800, 803):
            part = draw_part(index, defect=name)
            write_atomically(root / "test" / name / f"{index}.png", encode_png(part.image))
            mask = encode_png(part.mask.astype("uint8") * 255)
            write_atomically(root / "masks" / name / f"{index}_mask.png", mask)
    return root


@pytest.fixture(scope="session")
def good_paths(parts: Path) -> list[Path]:
    return sorted((parts / "good").iterdir())


@pytest.fixture(scope="session")
def report(backbone: Backbone, good_paths: list[Path], tmp_path_factory: pytest.TempPathFactory) -> TrainingReport:
    return made_once(tmp_path_factory, "model", lambda folder: train_images(good_paths, folder / "small.model", SMALL))


@pytest.fixture(scope="session")
def model(report: TrainingReport) -> AnomalyModel:
    return load_bundle(report.path)
