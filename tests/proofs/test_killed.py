"""Real processes that end at once in the middle of their work: nothing is lost, nothing comes twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from models.errors import Unavailable
from models.sessions import InspectionSession
from tests.support.proofs.whole import integrity, require_whole, unblemished
from tests.support.real_server import ServerProcess
from tests.support.real_station import RealStation
from tests.support.sync_stores import masters, signed_in

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("IMAGEFLOW_PROOF_KILLS", "2"))
"""Of each process; ``make proofs`` asks for more."""
LONGEST_S = 0.15
CHANCE = random.Random(1)  # noqa: S311 - repeatable on purpose

STATION = """
import sys
from pathlib import Path
from tests.support.sync_stores import Station
from sync.station.client import ServerClient
from sync.station.sending import PieceSize

what, folder, url, device_id, credential, target_id = sys.argv[1:]
station = Station(Path(folder), None, "killed", device_id=device_id)
station.engine.client = ServerClient(url, device_id=device_id, credential=lambda: credential)
station.engine.page_size, station.engine._pieces = 10, PieceSize(20_000)
print("begins", flush=True)
while what == "capture":
    print(station.inspect_part(target_id, image=bytes(5000) + str(len(station.outbox())).encode()), flush=True)
station.engine.run_once(lambda step: print(step.stage, flush=True))
"""


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


def killed_after(what: str, station: RealStation, server: ServerProcess, target_id: str, lines: int) -> list[str]:
    """Let a station work in a process of its own, end it after some lines, and return what it said."""
    arguments = [what, str(station.folder), server.url, station.device_id, station.credential, target_id]
    process = subprocess.Popen([sys.executable, "-c", STATION, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(lines + 1)]
    pause = threading.Event()
    pause.wait(CHANCE.uniform(0, LONGEST_S / 3))
    process.kill()
    rest = process.stdout.read().split("\n")
    process.wait()
    process.stdout.close()
    # A line that the end cut off was not said.
    return [*said, *rest[:-1]][1:]


def test_a_server_killed_while_it_applies_changes_loses_nothing(server, station, target_id, record_property) -> None:
    push = station.client.push
    timers: list[threading.Timer] = []
    cut_off = 0

    def push_to_a_server_that_ends(batch):
        timers.append(threading.Timer(CHANCE.uniform(0, LONGEST_S), server.kill))
        timers[-1].start()
        return push(batch)

    for _ in range(KILLS):
        for _ in range(20):
            station.inspect_part(target_id)
        station.client.push = push_to_a_server_that_ends
        station.engine.page_size = 60
        try:
            station.sync()
        except Unavailable:
            cut_off += 1
        station.client.push = push
        for timer in timers:
            timer.join()
        timers.clear()
        server.start()
    record_property("kills of the server", KILLS)
    record_property("passes cut off by them", cut_off)
    station.sync()
    require_whole(server, [station])
    with station.database.read() as session:
        assert session.scalar(select(func.count()).select_from(InspectionSession)) == 20 * KILLS


def test_a_station_killed_while_it_captures_keeps_every_part_it_told_of(
    server, station, target_id, record_property
) -> None:
    told: set[str] = set()
    record_property("kills of the station", KILLS)
    for _ in range(KILLS):
        told |= set(killed_after("capture", station, server, target_id, CHANCE.randint(1, 6)))
        assert integrity(station.folder / "station.sqlite3") == "ok"
        assert unblemished(station) == []
        with station.database.read() as session:
            assert told <= set(session.scalars(select(InspectionSession.id)))
    station.sync()
    require_whole(server, [station])


def test_a_station_killed_while_it_synchronises_sends_everything_once(
    server, station, target_id, record_property
) -> None:
    record_property("kills of the station", KILLS)
    for number in range(KILLS):
        for part in range(8):
            station.inspect_part(target_id, image=f"{number} {part}".encode() * 700)
        steps = killed_after("sync", station, server, target_id, CHANCE.randint(0, 4))
        assert set(steps) <= {"push", "pull", "upload", "download", "snapshot", "compare", ""}
        assert integrity(station.folder / "station.sqlite3") == "ok"
    station.sync()
    require_whole(server, [station])
