"""Whether real places are whole: stores without damage, all records on the server, all blobs by their digests."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from models.storage import sha256_of_file
from models.synced import Master, synced_types
from tests.support.object_files import object_file
from tests.support.proofs.ledger import plain
from tests.support.real_server import ServerProcess
from tests.support.sync_stores import Station, contents


def integrity(path: Path) -> str:
    """What SQLite says of a store; ``ok`` when nothing is wrong."""
    with closing(sqlite3.connect(path)) as store:
        children = store.execute("PRAGMA foreign_key_check").fetchall()
        return str(store.execute("PRAGMA integrity_check").fetchone()[0]) if not children else f"orphans: {children}"


def unblemished(station: Station) -> list[str]:
    """The digests that a station's rows name and whose bytes are not here, or others."""
    images = contents(station.database)["image"].values()
    return [image["sha256"] for image in images if not station.blobs.verify(image["sha256"])]


def require_whole(server: ServerProcess, stations: Iterable[Station]) -> None:
    """Check that each station has sent everything and that the server has it once, byte for byte."""
    assert integrity(server.data_dir / "server.sqlite3") == "ok"
    database = server.database()
    there = contents(database)
    database.close()
    for station in stations:
        assert integrity(station.folder / "station.sqlite3") == "ok"
        assert station.outbox() == []
        here = contents(station.database)
        for entity, kind in synced_types().items():
            for identifier, fields in here[entity].items():
                assert plain(there[entity][identifier]) == plain(fields), entity
            if issubclass(kind, Master):
                assert set(here[entity]) == set(there[entity])
        for image in here["image"].values():
            sha256 = image["sha256"]
            path = object_file(server.data_dir / "objects", sha256)
            assert sha256_of_file(path) == sha256
    with closing(sqlite3.connect(server.data_dir / "server.sqlite3")) as store:
        positions = [row[0] for row in store.execute("SELECT position FROM change_log ORDER BY position")]
        logged = store.execute("SELECT change_id FROM change_log WHERE device_id IS NOT NULL").fetchall()
        applied = store.execute("SELECT change_id FROM applied_changes WHERE outcome <> 'duplicate'").fetchall()
    assert positions == list(range(1, len(positions) + 1))
    assert len(set(logged)) == len(logged)
    assert set(logged) == set(applied)
