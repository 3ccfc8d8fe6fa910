"""A station killed with SIGKILL in the middle of capture: its store is consistent and lost nothing reported."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from sqlalchemy import select

from app.station.operations.store_check import check_store
from app.station.settings import StationSettings
from app.station.workspace import Workspace
from models.sessions import ImageRecord, InspectionSession
from models.states import SessionStatus
from tests.support.station import Station


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_station_killed_during_capture_loses_nothing_it_reported(station: Station, seed: int) -> None:
    arguments = [station.target_id, station.item_id, station.operator.user_id, str(station.parts.test)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.capture", str(station.store), *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    reported = [process.stdout.readline().split() for _ in range(2)]
    # The moment of the kill is what varies: anywhere within the next part.
    time.sleep(0.11 * seed)
    process.kill()
    reported += [line.split() for line in process.stdout.read().splitlines()]
    process.wait()
    process.stdout.close()

    report = check_store(station.store)
    assert report.consistent, report.findings
    with Workspace.open(station.store, settings=StationSettings()) as workspace:
        with workspace.database.read() as session:
            for session_id, sha256 in reported:
                assert session.get_one(InspectionSession, session_id).status is SessionStatus.COMPLETED
                assert sha256 in session.scalars(select(ImageRecord.sha256).where(ImageRecord.session_id == session_id))
                assert workspace.blobs.verify(sha256)
        assert workspace.recovery.missing_blobs == ()
    assert check_store(station.store).consistent
