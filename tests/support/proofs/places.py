"""The server and the stations of a proof: real stores that end without warning, go on, and are restored."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from models.clock import HybridLogicalClock
from models.database import Database
from models.errors import UserFacingError
from models.sessions import InspectionSession
from models.states import Role, SessionStatus
from server.auth.identity.principal import Principal
from server.change_log.newest_stamp import newest_stamp
from server.change_log.recording import ChangeLogRecorder
from server.objects.store import ObjectStore
from server.sync.blobs import Uploads
from server.sync.offers import take_offers
from server.sync.schemas import OfferChoice
from sync.station.blobs import BlobStore
from sync.station.engine import SyncEngine
from sync.station.outbox import OutboxRecorder
from sync.station.outbox import newest_stamp as newest_of_station
from sync.station.state import FORKED_AT, STORE_ID, get_value
from sync.station.status import SyncReport
from tests.support.proofs.faults import Disk, FaultyLink, Fuse, Killed, watch
from tests.support.proofs.moments import Moments
from tests.support.sync_stores import ServerStore, Station, Wall, migrated

PAGE = 3
"""Changes of a page and of a batch: small, so that every pass has several."""
CHUNK_BYTES = (16, 100)
"""Of a request with blobs: one blob in pieces at a time, or several blobs at once."""
EXPECTED_TROUBLE = frozenset(
    {"server-unreachable", "server-too-slow", "server-failing", "disk-full", "disk-failing", "blob-not-written"}
    | {"sync-server-changing", "store-write-lost", "store-forked"}
)


class PlantServer(ServerStore):
    """The server; ``late`` are requests that the network still holds."""

    def __init__(self, folder: Path, moments: Moments) -> None:
        folder.mkdir(parents=True)
        self.folder, self.moments = folder, moments
        self.wall, self.fuse, self.disk = Wall(), Fuse(), Disk()
        self.late: list[Callable[[], object]] = []
        self._open()

    def _open(self) -> None:
        self.clock = HybridLogicalClock("server", wall=self.wall)
        self.database = migrated(self.folder / "server.sqlite3", ChangeLogRecorder(self.clock))
        with self.database.read() as session:
            newest = newest_stamp(session)
        if newest is not None:
            self.clock.observe(newest)
        watch(self.database.engine, self.fuse, self.disk)
        self.objects = ObjectStore((self.folder / "objects").as_uri())
        self.uploads = Uploads(self.database, self.objects, self.folder / "staging")

    def reopen(self) -> None:
        self.database.close()
        self._open()

    @contextlib.contextmanager
    def acting(self) -> Iterator[None]:
        with self.moments.of(self.wall), self.disk.in_use():
            yield

    def add(self, *records: object) -> None:
        with self.acting():
            super().add(*records)

    def take_offers(self) -> None:
        """Let stations send what they have of masters that a restore lost, as an administrator who has looked does."""
        who = Principal(None, "admin-command", Role.ADMIN, None)
        with self.acting():
            take_offers(SimpleNamespace(database=self.database), who, OfferChoice())  # type: ignore[arg-type]

    def choose(self, station: PlantStation) -> None:
        """Let a station's store be the one that sends under its id, as an administrator does when it was refused."""
        with station.database.read() as session:
            refused, store_id = get_value(session, FORKED_AT), get_value(session, STORE_ID)
        if refused is not None:
            with self.acting():
                self.accept(station.device_id, store_id or "")

    def deliver_late(self) -> None:
        """Let the requests arrive that the network still holds; nobody waits for their answers any more."""
        late, self.late = self.late, []
        for work in late:
            with contextlib.suppress(UserFacingError), self.acting():
                work()


class PlantStation(Station):
    """A station that can end at any moment and goes on from what its disk has."""

    def __init__(
        self, folder: Path, server: PlantServer, name: str, moments: Moments, device_id: str | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.server, self.moments, self.name = folder, server, moments, name
        self.wall, self.fuse, self.disk = Wall(), Fuse(), Disk()
        self.device_id = device_id or server.add_device(name)
        self.link = FaultyLink(server, self.device_id)
        self._open()

    def image(self, folder: Path) -> PlantStation:
        """A copy of this station's disk, started on another machine."""
        self.settle()
        shutil.copytree(self.folder, folder)
        return PlantStation(folder, self.server, folder.name, self.moments, self.device_id)

    def _open(self) -> None:
        path = self.folder / "station.sqlite3"
        opened = migrated(path, OutboxRecorder(HybridLogicalClock(self.device_id)))
        with opened.read() as session:
            last = newest_of_station(session)
        opened.close()
        self.clock = HybridLogicalClock(self.device_id, last, wall=self.wall)
        self.database = Database.at(path, OutboxRecorder(self.clock))
        watch(self.database.engine, self.fuse, self.disk)
        self.blobs = BlobStore(self.folder / "blobs")
        self.engine = SyncEngine(
            self.database,
            self.blobs,
            self.link,  # type: ignore[arg-type]
            self.clock,
            device_id=self.device_id,
            page_size=PAGE,
            chunk_bytes=CHUNK_BYTES[self.folder.name[-1] in "02"],
            machine=self.folder.name,
        )

    def reopen(self) -> None:
        self.close()
        self._open()

    def attempt(
        self, work: Callable[[], Any], *, kill_at: int | None = None, room: tuple[int, int] | None = None
    ) -> Any:
        """Do some work at this station and return what it gives; None when trouble or the process's end prevents it.

        Args:
            work: what a person or the engine does here.
            kill_at: the commit, counted from 0, at which the process ends.
            room: pages that the store may still grow by, and largest file in bytes; None for enough.
        """
        self.fuse.commits = kill_at
        if room is not None:
            self.disk.pages, self.disk.bytes = room
        try:
            with self.moments.of(self.wall), self.disk.in_use():
                return work()
        except Killed:
            self.fuse.commits = None
            self.reopen()
        except UserFacingError as error:
            if error.code not in EXPECTED_TROUBLE:
                raise
        finally:
            self.fuse.commits = None
            self.disk.empty()
            self.link.faults = []
        return None

    def review_part(self, session_id: str, user_id: str) -> None:
        """Put a part aside for a person to look at."""
        with self.database.transaction(actor=user_id) as session:
            part = session.get_one(InspectionSession, session_id)
            if part.status is SessionStatus.AI_COMPLETED:
                part.status = SessionStatus.HUMAN_REVIEW

    def quiet_pass(self) -> SyncReport:
        """Do one pass without faults."""
        with self.moments.of(self.wall):
            return self.sync()


@dataclass(frozen=True)
class Backup:
    """A copy of a place's files, to be put back as an administrator would."""

    place: PlantServer | PlantStation
    kept: Path

    @classmethod
    def of(cls, place: PlantServer | PlantStation, kept: Path) -> Backup:
        shutil.rmtree(kept, ignore_errors=True)
        place.database.close()
        for store in place.folder.glob("*.sqlite3"):
            with contextlib.closing(sqlite3.connect(store)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        shutil.copytree(place.folder, kept)
        place.reopen()
        return cls(place, kept)

    def restore(self) -> None:
        self.place.database.close()
        shutil.rmtree(self.place.folder)
        shutil.copytree(self.kept, self.place.folder)
        self.place.reopen()
