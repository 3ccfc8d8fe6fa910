"""An image that was not taken well is refused before anything of it is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from app.station.operations.inspection import inspect_item
from app.station.operations.sessions import begin_session
from app.station.settings import StationSettings
from app.station.workspace import Workspace
from inspection.image_quality import FrameRefused, learn_bounds, measure_quality, write_bounds
from inspection.imaging.frames import Frame
from inspection.imaging.opencv import cv2
from models.errors import NotFound
from models.sessions import AIResult, ImageRecord
from tests.support.station import Station


@pytest.fixture
def gate(frames: list[Frame], tmp_path: Path) -> Path:
    path = tmp_path / "gate.json"
    write_bounds(path, learn_bounds(measure_quality(frame) for frame in frames).bounds)
    return path


@pytest.fixture
def guarded(station: Station, gate: Path) -> Iterator[Workspace]:
    with Workspace.open(station.store, settings=StationSettings(gate=str(gate))) as opened:
        yield opened


def recorded(workspace: Workspace) -> int:
    with workspace.database.transaction() as session:
        images = session.scalar(select(func.count()).select_from(ImageRecord)) or 0
        return images + (session.scalar(select(func.count()).select_from(AIResult)) or 0)


def test_nothing_of_a_blurred_image_is_recorded(guarded: Workspace, station: Station, frames: list[Frame]) -> None:
    session_id = begin_session(guarded, station.operator, target_id=station.target_id).session_id
    before = (set(guarded.blobs.digests()), recorded(guarded))
    blurred = replace(frames[0], pixels=cv2.GaussianBlur(frames[0].pixels, (0, 0), 6).astype(np.uint8))
    with pytest.raises(FrameRefused) as caught:
        inspect_item(guarded, station.operator, session_id, station.item_id, blurred)
    assert "quality-blurred" in {reason.code for reason in caught.value.reasons}
    assert (set(guarded.blobs.digests()), recorded(guarded)) == before
    inspect_item(guarded, station.operator, session_id, station.item_id, frames[0])
    assert recorded(guarded) > before[1]


def test_only_a_part_that_moves_before_the_camera_is_refused(
    guarded: Workspace, station: Station, frames: list[Frame]
) -> None:
    guarded.settings = guarded.settings.model_copy(update={"gate": "usual"})
    session_id = begin_session(guarded, station.operator, target_id=station.target_id).session_id

    def taken(pixels: np.ndarray, moment: float, source: str = "usb:0") -> Frame:
        return Frame(pixels, source, 0, monotonic=moment)

    pixels = frames[0].pixels
    elsewhere = np.roll(pixels, 90, axis=1)
    with pytest.raises(FrameRefused) as caught:
        inspect_item(
            guarded, station.operator, session_id, station.item_id, taken(pixels, 1.0), before=taken(elsewhere, 0.9)
        )
    assert caught.value.code == "quality-moving"
    assert recorded(guarded) == 0
    inspect_item(guarded, station.operator, session_id, station.item_id, taken(pixels, 1.0), before=taken(pixels, 0.9))
    # Two files of a folder show two parts.
    inspect_item(
        guarded,
        station.operator,
        session_id,
        station.item_id,
        taken(pixels, 1.0, "folder:parts"),
        before=taken(elsewhere, 0.9, "folder:parts"),
    )


def test_without_a_gate_every_image_is_inspected(workspace: Workspace, station: Station, frames: list[Frame]) -> None:
    session_id = begin_session(workspace, station.operator, target_id=station.target_id).session_id
    black = replace(frames[0], pixels=np.zeros_like(frames[0].pixels))
    inspect_item(workspace, station.operator, session_id, station.item_id, black)
    assert recorded(workspace) > 0


def test_a_gate_that_is_not_there_is_reported(station: Station, frames: list[Frame], tmp_path: Path) -> None:
    with Workspace.open(station.store, settings=StationSettings(gate=str(tmp_path / "none.json"))) as workspace:
        session_id = begin_session(workspace, station.operator, target_id=station.target_id).session_id
        with pytest.raises(NotFound):
            inspect_item(workspace, station.operator, session_id, station.item_id, frames[0])
