"""No room on the disk of a real server, or of a station, at any point: nothing that was acknowledged is lost."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from models.errors import UserFacingError
from models.sessions import InspectionSession
from tests.support.full_disk import largest_file
from tests.support.proofs.whole import integrity, require_whole, unblemished
from tests.support.real_server import ServerProcess
from tests.support.real_station import RealStation
from tests.support.sync_stores import masters, signed_in

pytestmark = pytest.mark.slow
POINTS = 2 * int(os.environ.get("IMAGEFLOW_PROOF_KILLS", "2"))
ENDLESS = resource.RLIM_INFINITY


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    made = ServerProcess(tmp_path / "server")
    made.database().close()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def station(tmp_path: Path, server: ServerProcess) -> Iterator[RealStation]:
    made = RealStation(tmp_path / "station", server, "station")
    yield made
    made.close()


@pytest.fixture
def target_id(server: ServerProcess, station: RealStation) -> str:
    user, target, item = masters()
    server.add(user, target, item, signed_in(user, station.device_id))
    station.sync()
    return target.id


def room_of(server: ServerProcess, size: int) -> None:
    """Let no file of the server's process grow beyond ``size`` bytes from now on."""
    assert server.process is not None
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, ENDLESS))


def test_a_server_without_room_at_any_point_loses_nothing_it_acknowledged(
    server, station, target_id, record_property
) -> None:
    record_property("points", POINTS)
    log = server.data_dir / "server.sqlite3-wal"
    refused = 0
    for point in range(POINTS):
        for part in range(3):
            station.inspect_part(target_id, image=f"{point} {part}".encode() * 3000)
        grown = log.stat().st_size if log.exists() else 0
        # From no room for anything to room for all but the last pages of what is to be sent.
        room_of(server, grown + point * 60_000 // POINTS if point % 2 else point * 20_000 // POINTS)
        try:
            station.sync()
        except UserFacingError:
            refused += 1
        room_of(server, ENDLESS)
        assert integrity(server.data_dir / "server.sqlite3") == "ok"
    assert refused
    report = station.sync()
    assert (report.dead, report.problems) == (0, ())
    require_whole(server, [station])


def test_a_station_without_room_at_any_point_keeps_every_part_it_recorded(
    server, station, target_id, record_property
) -> None:
    record_property("points", POINTS)
    recorded: set[str] = set()
    log = station.folder / "station.sqlite3-wal"
    for point in range(POINTS):
        grown = log.stat().st_size if log.exists() else 0
        with largest_file(grown + point * 300_000 // POINTS if point % 2 else point * 20_000 // POINTS):
            for part in range(3):
                with contextlib.suppress(UserFacingError):
                    recorded.add(station.inspect_part(target_id, image=f"{point} {part}".encode() * 3000))
            with contextlib.suppress(UserFacingError):
                station.sync()
        assert integrity(station.folder / "station.sqlite3") == "ok"
        assert unblemished(station) == []
        with station.database.read() as session:
            assert set(session.scalars(select(InspectionSession.id))) >= recorded
    assert recorded
    station.sync()
    require_whole(server, [station])
