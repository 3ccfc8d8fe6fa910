"""Faults between any two steps: of the link, of either disk, and ends of either process."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Dialect, Engine, event
from sqlalchemy.util import LRUCache

from models.errors import Conflict, NotFound, Unavailable, UserFacingError
from models.ids import new_id
from models.synced import synced_types
from server.http.sync_bodies import expand, parse_batch
from server.sync.blobs import ChunkRange, may_read_blob
from server.sync.stores import begin_pass
from sync.shared.protocol import (
    SCHEMA_VERSION,
    Batch,
    ClaimAnswer,
    Outcome,
    PushAnswer,
    SnapshotLine,
    SnapshotRecord,
    StoreClaim,
    UploadState,
)
from sync.shared.records import lacking
from tests.support.full_disk import largest_file
from tests.support.sync_stores import Link

LINK_FAULTS = (
    "refused",
    "half",
    "lost",
    "twice",
    "late",
    "slow",
    "server-full",
    "server-killed",
    "station-killed",
    "killed-after",
    "meanwhile",
    "reordered",
    "edit-here",
    "older-schema",
)
"""``half``: the connection ends within the request; ``lost``: the server does it and its answer is lost; ``late``: the
station gives up, the request arrives after the next one; ``meanwhile``: another client writes while it is answered;
``reordered``: a batch arrives the wrong way round, its answer is lost; ``edit-here``: a person works here meanwhile;
``older-schema``: the station is one version behind, and sends no column that the newer one has added."""
_WHOLE_DISK = 1 << 40
_ROOMY = 4_294_967_294
_LATE_MS = 20 * 60 * 1000


class Killed(BaseException):
    """A process ended here, with everything that it had in memory."""


@dataclass
class Fuse:
    """Ends a process at one of its next commits, before it takes effect; None never. ``burnt`` counts all commits."""

    commits: int | None = None
    burnt: int = 0

    def burn(self, *_: object) -> None:
        self.burnt += 1
        if self.commits is None:
            return
        self.commits -= 1
        if self.commits < 0:
            self.commits = None
            raise Killed


@dataclass
class Disk:
    """The room of one place: ``pages`` more of its store fit, files up to ``bytes``; None for enough."""

    pages: int | None = None
    bytes: int | None = None

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """What the block writes is written to this disk."""
        with largest_file(_WHOLE_DISK if self.bytes is None else self.bytes):
            yield

    def empty(self) -> None:
        self.pages = self.bytes = None


_COMPILED: LRUCache[Any, Any] = LRUCache(4_000)
_DIALECTS: list[Dialect] = []


def watch(engine: Engine, fuse: Fuse, disk: Disk) -> None:
    """Let a store's commits burn the fuse, and its file grow as far as the disk lets it.

    The stores of all places share their compiled statements, which are kept by dialect: hundreds of engines come and
    go, and each would compile them anew.
    """
    _DIALECTS[:] = _DIALECTS or [engine.dialect]
    engine.dialect = _DIALECTS[0]
    engine.update_execution_options(compiled_cache=_COMPILED)
    event.listen(engine, "commit", fuse.burn)

    @event.listens_for(engine, "checkout")
    def room(connection, *_: object) -> None:
        most = _ROOMY
        if disk.pages is not None:
            most = connection.execute("PRAGMA page_count").fetchone()[0] + disk.pages
        connection.execute(f"PRAGMA max_page_count={most}").close()


def _of_an_older_schema(change: dict[str, Any]) -> dict[str, Any]:
    """A new record as a station sends it that does not know the columns which are empty here."""
    kind = synced_types()[change["entity"]]
    known = {name: value for name, value in change["fields"].items() if value is not None}
    whole = change["op"] == "insert" and not lacking(kind, {"id": change["entity_id"], **known})
    return {**change, "fields": known} if whole else change


@dataclass
class FaultyLink(Link):
    """The link of a proof: ``faults`` are those of the next calls, the first one first.

    Attributes:
        other_client: writes to the server, as somebody else does.
        person_here: edits at the station.
        look: looks at what the station shows, before each call.
        busy_snapshots: others write while a snapshot is taken.
        most_changes: most changes of a batch so far.
        most_bytes: largest batch so far.
    """

    other_client: Callable[[], None] = field(default=lambda: None)
    person_here: Callable[[], None] = field(default=lambda: None)
    look: Callable[[], None] = field(default=lambda: None)
    busy_snapshots: bool = False
    most_changes: int = 0
    most_bytes: int = 0

    def _fault(self) -> str:
        return self.faults.pop(0) if self.faults else ""

    def _call(self, work: Callable[[], object], fault: str | None = None) -> object:
        fault = self._fault() if fault is None else fault
        self.look()
        if fault in {"refused", "half"}:
            raise Unavailable("server-unreachable", server=self.base_url)
        if fault == "station-killed":
            raise Killed
        if fault == "late":
            self.server.late.append(work)
            raise Unavailable("server-too-slow", server=self.base_url)
        if fault == "slow":
            self.server.wall.milliseconds += _LATE_MS
        if fault == "server-full":
            self.server.disk.pages, self.server.disk.bytes = 0, 16
        if fault == "server-killed":
            self.server.fuse.commits = 0
        try:
            answer = self._at_server(work)
        finally:
            self.server.disk.empty()
            self.server.fuse.commits = None
        if fault == "meanwhile":
            self.other_client()
        if fault == "edit-here":
            self.person_here()
        if fault == "twice":
            with contextlib.suppress(UserFacingError):
                self._at_server(work)
        self.server.deliver_late()
        if fault == "killed-after":
            raise Killed
        if fault == "lost":
            raise Unavailable("server-too-slow", server=self.base_url)
        return answer

    def _at_server(self, work: Callable[[], object]) -> object:
        try:
            with self.server.acting():
                return work()
        except Killed as end:
            self.server.reopen()
            raise Unavailable("server-unreachable", server=self.base_url) from end
        except Unavailable as trouble:
            # What the server says of itself is for its own people; a station is told that it fails.
            raise Unavailable("server-failing", members={"code": trouble.code}, status=503, detail="") from trouble

    def begin(self, claim: StoreClaim) -> ClaimAnswer:
        answer = self._call(lambda: begin_pass(self.server.database, self.device_id, claim))
        assert isinstance(answer, ClaimAnswer)
        return answer

    def push(self, batch: Batch) -> PushAnswer:
        data = batch.model_dump_json().encode()
        self.most_changes = max(self.most_changes, len(batch.changes))
        self.most_bytes = max(self.most_bytes, len(data))
        if self.faults[:1] == ["half"]:
            cut = gzip.compress(data)[: len(data) // 4]
            with contextlib.suppress(UserFacingError), self.server.acting():
                parse_batch(expand(cut))
                raise AssertionError("half a request was read as a whole one")
        if self.faults[:1] == ["reordered"]:
            self.faults.pop(0)
            self.deliver(batch.changes[::-1])
            raise Unavailable("server-too-slow", server=self.base_url)
        if self.faults[:1] == ["older-schema"]:
            self.faults.pop(0)
            batch = batch.model_copy(update={"changes": [_of_an_older_schema(change) for change in batch.changes]})
        return super().push(batch)

    def deliver(self, changes: list[dict[str, Any]]) -> None:
        """Let changes of this station arrive in another order; none of them may be refused for good."""
        batch = Batch(device_id=self.device_id, batch_id=new_id(), schema_version=SCHEMA_VERSION, changes=changes)
        with self.server.acting():
            answer = self.server.push(batch, self.device_id)
        for result in answer.results:
            assert result.outcome is not Outcome.REJECTED or result.problem.get("retry"), result.problem

    def snapshot(self, resume: str | None = None) -> Iterator[SnapshotLine]:
        fault = self._fault()
        if fault in {"refused", "half", "late"}:
            raise Unavailable("server-unreachable", server=self.base_url)
        lines = self._at_server(lambda: self._lines(resume, meanwhile=self.busy_snapshots or fault == "meanwhile"))
        for number, line in enumerate(lines):
            if number == len(lines) // 2:
                if fault in {"lost", "server-killed", "server-full"}:
                    raise Unavailable("server-unreachable", server=self.base_url)
                if fault in {"station-killed", "killed-after"}:
                    raise Killed
            yield line

    def _lines(self, resume: str | None, *, meanwhile: bool) -> list[SnapshotLine]:
        self.look()
        kept, self.faults = self.faults, []
        lines: list[SnapshotLine] = []
        for line in super().snapshot(resume):
            lines.append(line)
            if meanwhile and isinstance(line, SnapshotRecord) and line.entity == "target":
                self.other_client()
        self.faults = kept
        return lines

    def send_chunk(self, sha256: str, offset: int, data: bytes, total: int) -> UploadState:
        place = ChunkRange(offset, offset + len(data) - 1, total)
        try:
            answer = self._call(
                lambda: self.server.uploads.append(self.device_id, sha256, place, data, "application/octet-stream")
            )
        except Conflict as error:
            # The client passes the right offset on within the server's problem.
            raise Conflict(error.code, **error.values, members={"problem": error.members}) from error
        assert isinstance(answer, UploadState)
        return answer

    def download_blob(self, sha256: str, target: Path, progress: Callable[[int], None] | None = None) -> None:
        def read() -> bytes:
            with self.server.database.read() as session:
                if not may_read_blob(session, sha256, self.device_id):
                    raise NotFound("blob-unknown")
            return self.server.objects.read(sha256)

        fault = self._fault()
        cut = fault == "lost"
        data = self._call(read, "" if cut else fault)
        assert isinstance(data, bytes)
        target.parent.mkdir(parents=True, exist_ok=True)
        held = target.stat().st_size if target.exists() else 0
        rest = data[held:]
        with target.open("ab") as file:
            file.write(rest[: len(rest) // 2] if cut else rest)
        if cut:
            raise Unavailable("server-unreachable", server=self.base_url)
