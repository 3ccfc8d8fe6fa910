"""Real stations and a real server store for tests; the link between them is a call, with faults on demand."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from models.audit import AuditEntry
from models.clock import HybridLogicalClock, utc_now
from models.database import Database
from models.devices import Device
from models.errors import NotSignedIn, Unavailable
from models.ids import new_id
from models.pipelines import ModelFile
from models.sessions import AIResult, ImageRecord, InspectionSession
from models.states import HumanVerdict, Role, SessionStatus, Verdict
from models.sync import OutboxEntry
from models.synced import Synced, snapshot, synced_types
from models.targets import InspectionItem, Target
from models.tracking import ChangeRecorder
from models.users import AuthSession, User
from models.verification import HumanVerification
from server.audit import SERVER_DEVICE
from server.auth.identity.principal import Principal
from server.change_log.cursor import position_of
from server.change_log.recording import ChangeLogRecorder
from server.devices.stores import choose_store
from server.http.sync_bodies import expand, parse_batch
from server.objects.store import ObjectStore
from server.sync.apply import apply_batch
from server.sync.blobs import ChunkRange, Uploads, may_read_blob
from server.sync.comparing import lacking
from server.sync.drift import differing_days
from server.sync.offers import has_offers, keep_offers
from server.sync.pull import pull
from server.sync.snapshot import snapshot_lines
from server.sync.stores import begin_pass
from sync.shared.blob_batches import PackedBlob, pack_blobs, unpack_blobs
from sync.shared.protocol import (
    Batch,
    ClaimAnswer,
    DriftAnswer,
    DriftQuestion,
    Inventory,
    Lacking,
    PullAnswer,
    PushAnswer,
    SnapshotLine,
    StoreClaim,
    UploadedBlobs,
    UploadRequest,
    UploadState,
)
from sync.station.blobs import BlobStore, remember_blob
from sync.station.engine import SyncEngine
from sync.station.outbox import OutboxRecorder
from tests.support.newest_schema import newest_store


def migrated(path: Path, recorder: ChangeRecorder) -> Database:
    """A store at ``path`` with the newest schema."""
    if not path.exists():
        path.write_bytes(newest_store())
    return Database.at(path, recorder)


class Wall:
    """A wall clock a test moves."""

    def __init__(self, milliseconds: int = 1_760_000_000_000) -> None:
        self.milliseconds = milliseconds

    def __call__(self) -> int:
        self.milliseconds += 1
        return self.milliseconds


class ServerStore:
    """The server's sync code on a real store, without HTTP."""

    def __init__(self, folder: Path, wall: Callable[[], int] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.wall = wall or Wall()
        self.clock = HybridLogicalClock("server", wall=self.wall)
        self.database = migrated(folder / "server.sqlite3", ChangeLogRecorder(self.clock))
        self.objects = ObjectStore((folder / "objects").as_uri())
        self.uploads = Uploads(self.database, self.objects, folder / "staging")

    def close(self) -> None:
        self.database.close()

    def add(self, *records: object) -> None:
        with self.database.transaction() as session:
            for record in records:
                session.add(record)
                session.flush()

    def add_device(self, name: str) -> str:
        device = Device(name=name, credential_digest=hashlib.sha256(name.encode()).hexdigest())
        self.add(device)
        return device.id

    def push(self, batch: Batch, device_id: str) -> PushAnswer:
        parsed = parse_batch(expand(gzip.compress(batch.model_dump_json().encode())))
        return apply_batch(self.database, self.clock, device_id, parsed.changes, wall=self.wall)

    def accept(self, device_id: str, store_id: str) -> None:
        """Choose a store as the station's own, as an administrator does."""
        with self.database.local_transaction() as session:
            choose_store(session, Principal(None, "admin-command", Role.ADMIN, None), device_id, store_id)

    def record(self, kind: type[Synced], record_id: str) -> Synced | None:
        with self.database.read() as session:
            return session.get(kind, record_id)


@dataclass
class Link:
    """Calls the server as one station does over HTTP; ``faults`` says what happens to the next calls.

    ``lost``: refused before the server; ``cut``: the server does it and the answer is lost; ``twice``: delivered twice.
    ``claim_faults`` are those of the claims with which passes begin.
    """

    server: ServerStore
    device_id: str
    faults: list[str] = field(default_factory=list)
    claim_faults: list[str] = field(default_factory=list)
    base_url: str = "test:"
    pause: Callable[[float], None] = lambda _seconds: None
    sent: list[Batch] = field(default_factory=list)

    def abort(self) -> None:
        """Calls are over before anybody could cut them."""

    def _call(self, work: Callable[[], object]) -> object:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "lost":
            raise Unavailable("server-unreachable", server=self.base_url)
        answer = work()
        if fault == "twice":
            answer = work()
        if fault == "cut":
            raise Unavailable("server-too-slow", server=self.base_url)
        return answer

    def begin(self, claim: StoreClaim) -> ClaimAnswer:
        fault = self.claim_faults.pop(0) if self.claim_faults else ""
        if fault == "lost":
            raise Unavailable("server-unreachable", server=self.base_url)
        answer = begin_pass(self.server.database, self.device_id, claim)
        if fault == "cut":
            raise Unavailable("server-too-slow", server=self.base_url)
        return answer

    def push(self, batch: Batch) -> PushAnswer:
        self.sent.append(batch)
        answer = self._call(lambda: self.server.push(batch, self.device_id))
        assert isinstance(answer, PushAnswer)
        return answer

    def pull(self, since: str | None, limit: int, known: str | None = None) -> PullAnswer:
        def work() -> PullAnswer:
            with self.server.database.read() as session:
                if known is not None:
                    position_of(session, known)
                answer = pull(session, since=since, limit=limit, device_id=self.device_id)
            return PullAnswer.model_validate_json(answer.model_dump_json())

        answer = self._call(work)
        assert isinstance(answer, PullAnswer)
        return answer

    def compare(self, held: Inventory) -> Lacking:
        def work() -> Lacking:
            with self.server.database.read() as session:
                found = lacking(session, self.server.objects, held)
            if has_offers(held, found):
                with self.server.database.local_transaction() as session:
                    keep_offers(session, self.device_id, held, found)
            return Lacking.model_validate_json(found.model_dump_json())

        answer = self._call(work)
        assert isinstance(answer, Lacking)
        return answer

    def drift(self, question: DriftQuestion) -> DriftAnswer:
        with self.server.database.read() as session:
            return differing_days(session, self.device_id, question)

    def snapshot(self, resume: str | None = None) -> Iterator[SnapshotLine]:
        if self.faults and self.faults[0] in {"lost", "cut"}:
            fault = self.faults.pop(0)
            if fault == "cut":
                yield from itertools.islice(snapshot_lines(self.server.database, self.device_id, resume), 3)
            raise Unavailable("server-unreachable", server=self.base_url)
        yield from snapshot_lines(self.server.database, self.device_id, resume)

    def begin_upload(self, request: UploadRequest) -> UploadState:
        answer = self._call(lambda: self.server.uploads.begin(self.device_id, request))
        assert isinstance(answer, UploadState)
        return answer

    def send_chunk(self, sha256: str, offset: int, data: bytes, total: int) -> UploadState:
        place = ChunkRange(offset, offset + len(data) - 1, total)
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "lost":
            raise Unavailable("server-unreachable", server=self.base_url)
        state = self.server.uploads.append(self.device_id, sha256, place, data, "application/octet-stream")
        if fault in {"cut", "twice"}:
            raise Unavailable("server-too-slow", server=self.base_url)
        return state

    def send_blobs(self, blobs: Sequence[PackedBlob]) -> UploadedBlobs:
        packed = unpack_blobs(pack_blobs(blobs))
        answer = self._call(lambda: UploadedBlobs(results=self.server.uploads.take(packed, "en")))
        assert isinstance(answer, UploadedBlobs)
        return answer

    def download_blob(self, sha256: str, target: Path, progress: Callable[[int], None] | None = None) -> None:
        with self.server.database.read() as session:
            if not may_read_blob(session, sha256, self.device_id):
                raise NotSignedIn("device-credential-missing")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(self.server.objects.read(sha256))


class Station:
    """A station's store and engine."""

    def __init__(
        self,
        folder: Path,
        server: ServerStore,
        name: str,
        wall: Callable[[], int] | None = None,
        *,
        device_id: str | None = None,
        machine: str = "",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.device_id = device_id or server.add_device(name)
        self.clock = HybridLogicalClock(self.device_id, wall=wall or Wall())
        self.database = migrated(folder / "station.sqlite3", OutboxRecorder(self.clock))
        self.blobs = BlobStore(folder / "blobs")
        self.link = Link(server, self.device_id)
        self.engine = SyncEngine(
            self.database,
            self.blobs,
            self.link,
            self.clock,
            device_id=self.device_id,  # type: ignore[arg-type]
            machine=machine,
        )

    def copy(self, folder: Path, *, machine: str = "") -> Station:
        """A station on a copy of this one's files, as a disk image or a backup gives."""
        self.settle()
        shutil.copytree(self.folder, folder)
        return Station(folder, self.link.server, "copy", device_id=self.device_id, machine=machine)

    def settle(self) -> None:
        """Bring everything into the one database file, so that a copy of it is the store of this moment."""
        self.database.engine.dispose()
        with closing(sqlite3.connect(self.folder / "station.sqlite3")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def close(self) -> None:
        self.engine.stop()
        self.database.close()

    def sync(self):
        return self.engine.run_once()

    def inspect_part(
        self, target_id: str, user_id: str | None = None, *, image: bytes = b"", verdict: Verdict = Verdict.OK
    ) -> str:
        """Record a whole part as the station does: one transaction for facts, then its completion."""
        data = image or new_id().encode()
        sha256 = self.blobs.put(data)
        part = InspectionSession(
            device_id=self.device_id, target_id=target_id, user_id=user_id, status=SessionStatus.AI_COMPLETED
        )
        picture = ImageRecord(
            device_id=self.device_id,
            session_id=part.id,
            sha256=sha256,
            size_bytes=len(data),
            content_type="image/png",
            width=4,
            height=4,
            captured_at=utc_now(),
        )
        stated = AIResult(
            device_id=self.device_id,
            session_id=part.id,
            image_id=picture.id,
            overall_result=verdict,
            confidence=0.75,
            anomaly_score=0.1 + 0.2,
        )
        with self.database.transaction(actor=user_id) as session:
            remember_blob(session, sha256, len(data), "image/png")
            for record in (part, picture, stated):
                session.add(record)
                session.flush()
        return part.id

    def verify_part(self, session_id: str, verdict: HumanVerdict, user_id: str | None = None) -> None:
        with self.database.transaction(actor=user_id) as session:
            part = session.get(InspectionSession, session_id)
            assert part is not None
            session.add(HumanVerification(device_id=self.device_id, session_id=session_id, verdict=verdict))
            if part.status is not SessionStatus.COMPLETED:
                part.status = SessionStatus.COMPLETED
                part.completed_at = utc_now()

    def edit(self, kind: type[Synced], record_id: str, actor: str | None, **fields: object) -> None:
        with self.database.transaction(actor=actor) as session:
            record = session.get(kind, record_id)
            assert record is not None
            for name, value in fields.items():
                setattr(record, name, value)

    def add(self, actor: str | None, *records: object) -> None:
        with self.database.transaction(actor=actor) as session:
            for record in records:
                session.add(record)
                session.flush()

    def record(self, kind: type[Synced], record_id: str):
        with self.database.read() as session:
            return session.get(kind, record_id)

    def outbox(self) -> list[OutboxEntry]:
        with self.database.read() as session:
            return list(session.query(OutboxEntry).order_by(OutboxEntry.sequence))


def masters() -> tuple[User, Target, InspectionItem]:
    """A quality engineer, a target and an item."""
    user = User(username=f"quality-{new_id()[-6:]}", role=Role.SUPERVISOR)
    target = Target(code=f"T-{new_id()[-6:]}", name="Plate")
    return user, target, InspectionItem(target_id=target.id, name="Surface")


def signed_in(user: User, device_id: str) -> AuthSession:
    """A sign-in of ``user`` at a device, as the server remembers it."""
    expires = utc_now() + timedelta(days=1)
    return AuthSession(user_id=user.id, device_id=device_id, refresh_digest=new_id(), expires_at=expires)


def model_file(data: bytes, item_id: str | None = None) -> ModelFile:
    return ModelFile(
        name="m", model_kind="anomaly", sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data), item_id=item_id
    )


def contents(database: Database, *, without: frozenset[str] = frozenset()) -> dict[str, dict[str, dict]]:
    """Everything that travels, by entity and id, in wire form."""
    found: dict[str, dict[str, dict]] = {}
    with database.read() as session:
        for entity, kind in synced_types().items():
            if entity not in without:
                records = [record for record in session.query(kind) if not _is_of_server(record)]
                found[entity] = {record.id: snapshot(record) for record in records}
    return found


def _is_of_server(record: Synced) -> bool:
    """Return whether it is an entry of the server's own chain, which does not travel."""
    return isinstance(record, AuditEntry) and record.device_id == SERVER_DEVICE


def prepared(server: ServerStore, *stations: Station) -> tuple[User, Target, InspectionItem]:
    """Give the server masters and every station a first pass."""
    user, target, item = masters()
    server.add(user, target, item, *(signed_in(user, station.device_id) for station in stations))
    for station in stations:
        station.sync()
    return user, target, item
