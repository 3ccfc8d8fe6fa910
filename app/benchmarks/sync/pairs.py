"""A station and its server for a measurement: stores that are made once, and copied for each round."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from app.benchmarks.sync.recording import record_parts
from app.server_process import ServerProcess
from models.clock import HybridLogicalClock
from models.database import Database
from models.devices import Device
from models.storage import sha256_of
from models.targets import Target
from server.context import open_context
from server.core.settings import ServerSettings
from sync.station.blobs import BlobStore
from sync.station.client import ServerClient
from sync.station.engine import SyncEngine
from sync.station.outbox import OutboxRecorder, newest_stamp

_CREDENTIAL = "a credential of the benchmark"
_STATION, _SERVER = "station", "server"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A station as the server knows it, and the target of its parts."""

    device_id: str
    target_id: str

    def as_json(self) -> dict[str, str]:
        """Return it by the names of its members."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class OpenStation:
    """A station's store, open in this process, and its engine."""

    database: Database
    blobs: BlobStore
    engine: SyncEngine


def prepare(folder: Path, *, stations: int = 1) -> list[Enrolled]:
    """Make a server's store with a target and enrolled stations."""
    context = open_context(ServerSettings(data_dir=folder / _SERVER))
    target = Target(code="bench", name="Bench")
    devices = [
        Device(name=f"Station {number}", credential_digest=sha256_of(_CREDENTIAL.encode()))
        for number in range(stations)
    ]
    with context.database.transaction() as session:
        session.add_all([target, *devices])
    context.close()
    return [Enrolled(device.id, target.id) for device in devices]


def prepare_with_parts(folder: Path, parts: int, image: int) -> Enrolled:
    """Make the stores of a server and of a station that has been there once and then recorded ``parts``."""
    (enrolled,) = prepare(folder)
    with serving(folder) as (url, _), opened(folder / _STATION, enrolled, url) as station:
        station.engine.run_once()
        record_parts(station.database, station.blobs, enrolled.device_id, enrolled.target_id, parts, image)
    return enrolled


@contextmanager
def copied(template: Path, folder: Path) -> Iterator[Path]:
    """Give a copy of prepared stores for the block."""
    shutil.copytree(template, folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, int]]:
    """Run the server of prepared stores, and give its URL and process id."""
    process = ServerProcess(folder / _SERVER)
    process.start()
    try:
        yield process.url, int(json.loads((folder / _SERVER / "server.json").read_text(encoding="utf-8"))["pid"])
    finally:
        process.stop()


@contextmanager
def opened(store: Path, enrolled: Enrolled, url: str) -> Iterator[OpenStation]:
    """Open a station's store, made when it is not there."""
    store.mkdir(parents=True, exist_ok=True)
    clock = HybridLogicalClock(enrolled.device_id)
    database = Database.at(store / "station.sqlite3", OutboxRecorder(clock))
    database.migrate()
    with database.read() as session:
        newest = newest_stamp(session)
    if newest is not None:
        clock.observe(newest)
    blobs = BlobStore(store / "blobs")
    client = client_of(enrolled, url)
    engine = SyncEngine(database, blobs, client, clock, device_id=enrolled.device_id)
    try:
        yield OpenStation(database, blobs, engine)
    finally:
        engine.stop()
        client.close()
        database.close()


def client_of(enrolled: Enrolled, url: str) -> ServerClient:
    """Return a client that calls the server as a station, as patient as one is by default."""
    return ServerClient(url, device_id=enrolled.device_id, credential=lambda: _CREDENTIAL)


def station_folder(folder: Path) -> Path:
    """Return where the one station of prepared stores lies."""
    return folder / _STATION
