"""Freezes what this version leaves behind: a station's store, its server's, and the batches that the station sends.

Run once for each schema version, by the code of that version; the files stay as they are ever after:
``python -m tests.support.frozen_stores tests/contracts/old_stores``.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from models.errors import Unavailable
from models.migrations.newest import NEWEST
from models.states import HumanVerdict
from models.targets import Target
from models.verification import HumanVerification
from tests.support.sync_stores import ServerStore, Station, masters, signed_in

SENT, WAITING = 2, 2
"""Parts that the server has, and parts that wait when the store is frozen."""


def freeze(target: Path) -> None:
    """Write ``<revision>-station.sql``, ``<revision>-server.sql`` and ``<revision>-batches.json`` to ``target``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = ServerStore(folder / "server")
        station = Station(folder / "station", server, "station")
        user, plate, item = masters()
        server.add(user, plate, item, signed_in(user, station.device_id))
        station.sync()
        for number in range(SENT):
            _part(station, plate.id, user.id, number)
        station.sync()
        server_then = _dumped(server.database)
        for number in range(SENT, SENT + WAITING):
            _part(station, plate.id, user.id, number)
        station.edit(Target, plate.id, user.id, name="Edited while offline", description="検査")
        station_then = _dumped(station.database)
        sent = len(station.link.sent)
        station.link.push = _kept(station)
        with suppress(Unavailable):
            station.sync()
        batches = [json.loads(batch.model_dump_json()) for batch in station.link.sent[sent:]]
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{NEWEST}-station.sql").write_text(station_then, encoding="utf-8")
        (target / f"{NEWEST}-server.sql").write_text(server_then, encoding="utf-8")
        (target / f"{NEWEST}-batches.json").write_text(json.dumps(batches, indent=1, ensure_ascii=False) + "\n")
        station.close()
        server.close()


def _part(station: Station, target_id: str, user_id: str, number: int) -> None:
    part = station.inspect_part(target_id, user_id, image=f"pixels {number}".encode())
    fact = HumanVerification(device_id=station.device_id, session_id=part, verdict=HumanVerdict.NG)
    fact.extra = {"of_a_newer_schema": number}
    station.add(user_id, fact)
    station.verify_part(part, HumanVerdict.OK, user_id)


def _kept(station: Station):
    def push(batch):
        station.link.sent.append(batch)
        raise Unavailable("server-unreachable", server="test:")

    return push


def _dumped(database) -> str:
    with closing(sqlite3.connect(database.url.removeprefix("sqlite:///"))) as store:
        return "\n".join(store.iterdump()) + "\n"


if __name__ == "__main__":
    freeze(Path(sys.argv[1]))
