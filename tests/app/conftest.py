"""A station as it is after enrolment, first pull and one training: real store, real model, no server near it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.station.operations.training import train_item_model
from app.station.settings import StationSettings
from app.station.workspace import Workspace
from inspection.anomaly import Backbone, TrainingSettings
from inspection.imaging.datasets import image_files
from inspection.imaging.frames import Frame
from inspection.sources.folder import FolderSource
from models.tracking import remote_changes
from resources.parts import PartsFolder, write_parts
from tests.support.made_once import made_once
from tests.support.station import DEVICE, NOWHERE, Station, add_masters


@pytest.fixture(autouse=True)
def no_settings_of_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IMAGEFLOW_HOME", "IMAGEFLOW_SOURCE", "IMAGEFLOW_THEME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def sample_parts(tmp_path_factory: pytest.TempPathFactory) -> PartsFolder:
    return made_once(
        tmp_path_factory, "sample-parts", lambda folder: write_parts(folder, good=12, test_good=3, defects_per_class=2)
    )


@pytest.fixture(scope="session")
def trained_station(tmp_path_factory: pytest.TempPathFactory, sample_parts: PartsFolder, backbone: Backbone) -> Station:
    return made_once(tmp_path_factory, "station", lambda folder: _train_station(folder / "store", sample_parts))


def _train_station(store: Path, parts: PartsFolder) -> Station:
    with Workspace.open(store, settings=StationSettings()) as workspace:
        workspace.adopt(server_url=NOWHERE, device_id=DEVICE, credential="secret")
        with workspace.database.transaction() as session, remote_changes(session):
            station = add_masters(session, store, parts)
        train_item_model(
            workspace,
            station.engineer,
            station.item_id,
            image_files(parts.train_good),
            settings=TrainingSettings(backbone="efficientnet-lite0", bank_size=200, folds=2),
        )
    return station


@pytest.fixture
def station(trained_station: Station, tmp_path: Path) -> Station:
    """A copy of the trained station that the test may spoil."""
    store = tmp_path / "store"
    shutil.copytree(trained_station.store, store)
    copied = trained_station
    return Station(store, copied.target_id, copied.item_id, copied.engineer, copied.operator, copied.parts)


@pytest.fixture
def workspace(station: Station) -> Iterator[Workspace]:
    with Workspace.open(station.store, settings=StationSettings()) as opened:
        yield opened


@pytest.fixture
def frames(sample_parts: PartsFolder) -> list[Frame]:
    with FolderSource(sample_parts.test) as source:
        found = []
        while (frame := source.read()) is not None:
            found.append(frame)
        return found
