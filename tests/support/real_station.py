"""A station that reaches its server by HTTP."""

from __future__ import annotations

from pathlib import Path

from models.clock import HybridLogicalClock
from sync.station.blobs import BlobStore
from sync.station.client import ServerClient
from sync.station.engine import SyncEngine
from sync.station.outbox import OutboxRecorder
from tests.support.real_server import ServerProcess
from tests.support.sync_stores import Station, migrated

PATIENCE_S = 60.0
"""Of one wait for bytes: a server on a busy computer is slow, one that is killed ends the connection."""


class RealStation(Station):
    """A station that reaches its server by HTTP."""

    def __init__(
        self, folder: Path, server: ServerProcess, name: str, url: str | None = None, *, verify: bool | str = True
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.device_id, self.credential = server.add_device(name)
        self.clock = HybridLogicalClock(self.device_id)
        self.database = migrated(folder / "station.sqlite3", OutboxRecorder(self.clock))
        self.blobs = BlobStore(folder / "blobs")
        self.client = ServerClient(
            url or server.url,
            device_id=self.device_id,
            credential=lambda: self.credential,
            timeout_s=PATIENCE_S,
            verify=verify,
        )
        self.engine = SyncEngine(
            self.database,
            self.blobs,
            self.client,
            self.clock,
            device_id=self.device_id,
            interval_s=0.2,
            chunk_bytes=64 * 1024,
        )

    def close(self) -> None:
        super().close()
        self.client.close()
