"""Trouble of the world in the middle of a capture: reported, nothing half-written or lost, work goes on after it."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, func, select

from app.station.operations.inspection import inspect_item
from app.station.operations.sessions import begin_session
from app.station.operations.store_check import check_store
from app.station.settings import StationSettings
from app.station.workspace import Workspace
from inspection.imaging.frames import Frame
from inspection.sources import open_source
from models.errors import UserFacingError
from models.sessions import AIResult, ImageRecord
from models.states import SessionStatus
from models.sync import OutboxEntry
from tests.support.capture import agree, capture
from tests.support.full_disk import largest_file
from tests.support.station import Station


@contextmanager
def every_connection(workspace: Workspace, pragma: str) -> Iterator[None]:
    """Run ``pragma`` on each connection to the database."""

    def prepare(connection: sqlite3.Connection, record: object) -> None:
        connection.execute(pragma).close()

    event.listen(workspace.database.engine, "connect", prepare)
    workspace.database.engine.dispose()
    try:
        yield
    finally:
        event.remove(workspace.database.engine, "connect", prepare)
        workspace.database.engine.dispose()


def begin_until_full(workspace: Workspace, station: Station) -> None:
    while True:
        begin_session(workspace, station.operator, target_id=station.target_id)


def rows(workspace: Workspace) -> tuple[int, int, int]:
    with workspace.database.read() as session:
        counted = [session.scalar(select(func.count()).select_from(kind)) for kind in (ImageRecord, AIResult)]
        return counted[0] or 0, counted[1] or 0, session.scalar(select(func.count()).select_from(OutboxEntry)) or 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_disk_that_fills_up_with_the_image_leaves_nothing_behind(
    workspace: Workspace, station: Station, frames: list[Frame]
) -> None:
    begun = begin_session(workspace, station.operator, target_id=station.target_id)
    before, blobs = rows(workspace), set(workspace.blobs.digests())
    with largest_file(4096), pytest.raises(UserFacingError) as reported:
        inspect_item(workspace, station.operator, begun.session_id, station.item_id, frames[0])
    assert reported.value.code == "disk-full"
    assert rows(workspace) == before
    assert set(workspace.blobs.digests()) == blobs
    assert workspace.blobs.remove_temporary() == 0
    again = inspect_item(workspace, station.operator, begun.session_id, station.item_id, frames[0])
    assert again.session_status is SessionStatus.AI_COMPLETED
    assert check_store(workspace.store).consistent


def test_a_database_that_cannot_grow_leaves_neither_row_nor_file(
    workspace: Workspace, station: Station, frames: list[Frame]
) -> None:
    begun = begin_session(workspace, station.operator, target_id=station.target_id)
    with every_connection(workspace, "PRAGMA max_page_count=1"), pytest.raises(UserFacingError) as reported:
        begin_until_full(workspace, station)
    assert reported.value.code == "disk-full"
    before, blobs = rows(workspace), set(workspace.blobs.digests())
    with every_connection(workspace, "PRAGMA max_page_count=1"), pytest.raises(UserFacingError) as reported:
        inspect_item(workspace, station.operator, begun.session_id, station.item_id, frames[0])
    assert reported.value.code == "disk-full"
    assert rows(workspace) == before
    assert set(workspace.blobs.digests()) == blobs
    assert check_store(workspace.store).consistent
    inspect_item(workspace, station.operator, begun.session_id, station.item_id, frames[0])


def test_a_capture_refused_by_a_locked_database_can_be_repeated(
    workspace: Workspace, station: Station, frames: list[Frame]
) -> None:
    begun = begin_session(workspace, station.operator, target_id=station.target_id)
    before, blobs = rows(workspace), set(workspace.blobs.digests())
    other = sqlite3.connect(workspace.store / "station.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with every_connection(workspace, "PRAGMA busy_timeout=50"), pytest.raises(UserFacingError) as reported:
            inspect_item(workspace, station.operator, begun.session_id, station.item_id, frames[0])
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert reported.value.code == "store-locked"
    assert rows(workspace) == before
    assert set(workspace.blobs.digests()) == blobs
    agree(
        workspace,
        station.operator,
        inspect_item(workspace, station.operator, begun.session_id, station.item_id, frames[0]),
    )


def test_no_camera_is_reported_with_what_to_do() -> None:
    with pytest.raises(UserFacingError) as reported:
        open_source("usb:97")
    assert reported.value.code == "camera-not-reachable"


def test_a_damaged_model_is_refused_until_it_is_whole_again(
    station: Station, frames: list[Frame], tmp_path: Path
) -> None:
    with Workspace.open(station.store, settings=StationSettings()) as workspace:
        (model,) = workspace.blobs.digests()
        path = workspace.blobs.path(model)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        begun = begin_session(workspace, station.operator, target_id=station.target_id)
        with pytest.raises(UserFacingError) as reported:
            inspect_item(workspace, station.operator, begun.session_id, station.item_id, frames[0])
        assert reported.value.code == "model-damaged"
        assert not check_store(station.store).consistent
        path.write_bytes(whole)
        capture(workspace, station.operator, station.target_id, station.item_id, frames[0])
