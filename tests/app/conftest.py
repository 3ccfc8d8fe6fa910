"""A station as it is after enrolment, first pull and one training: real store, real model, no server near it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.operations.training import train_item_model
from app.operations.users import SignedInUser
from app.settings import StationSettings
from app.workspace import Workspace
from inspection.anomaly import TrainingSettings
from inspection.datasets import image_files
from inspection.frames import Frame
from inspection.pipeline import default_definition
from inspection.sources.folder import FolderSource
from models.pipelines import Pipeline
from models.states import Role
from models.synced import Master
from models.targets import DefectClass, InspectionItem, Target
from models.tracking import remote_changes
from models.users import User
from resources.parts import PartsFolder, write_parts

NOWHERE = "http://127.0.0.1:9"
"""Nobody listens on the discard port: every connection is refused at once."""
DEVICE = "0197c000-0000-7000-8000-00000000d0e1"


@dataclass(frozen=True)
class Station:
    """A folder with a trained station and what is in it."""

    store: Path
    target_id: str
    item_id: str
    engineer: SignedInUser
    operator: SignedInUser
    parts: PartsFolder


@pytest.fixture(autouse=True)
def no_settings_of_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IMAGEFLOW_HOME", "IMAGEFLOW_LANGUAGE", "IMAGEFLOW_SOURCE", "IMAGEFLOW_THEME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.fixture(scope="session")
def sample_parts(tmp_path_factory: pytest.TempPathFactory) -> PartsFolder:
    return write_parts(tmp_path_factory.mktemp("parts"), good=12, test_good=3, defects_per_class=2)


@pytest.fixture(scope="session")
def trained_station(tmp_path_factory: pytest.TempPathFactory, sample_parts: PartsFolder) -> Station:
    store = tmp_path_factory.mktemp("station") / "store"
    with Workspace.open(store, settings=StationSettings()) as workspace:
        workspace.adopt(server_url=NOWHERE, device_id=DEVICE, credential="secret")
        with workspace.database.transaction() as session, remote_changes(session):
            station = _masters(session, store, sample_parts)
        train_item_model(
            workspace,
            station.engineer,
            station.item_id,
            image_files(sample_parts.train_good),
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


def _masters(session: Session, store: Path, parts: PartsFolder) -> Station:
    """Put in what a first pull brings."""
    pipeline = Pipeline(name="Anomaly", definition=default_definition().model_dump(mode="json"))
    target = Target(code="PLATE", name="Plate")
    item = InspectionItem(target_id=target.id, name="Surface", pipeline_id=pipeline.id)
    users = [
        User(username="engineer", role=Role.SUPERVISOR, language="en"),
        User(username="operator", role=Role.INSPECTOR, language="en"),
    ]
    scratch = DefectClass(code="scratch", name_en="Scratch", name_ja="傷")
    known: list[Master] = [pipeline, target, item, scratch, *users]
    for rev, record in enumerate(known, start=1):
        record.rev = rev
        session.add(record)
        session.flush()
    engineer, operator = (
        SignedInUser(user.id, user.username, user.username, user.role, user.language, online=False) for user in users
    )
    return Station(store, target.id, item.id, engineer, operator, parts)
