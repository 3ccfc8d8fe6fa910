"""Resumable uploads: bytes are staged on the server's disk and exist only once their digest is verified."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from models.database import Database
from models.errors import Conflict, DoesNotFit, InvalidInput, NotFound, TooLarge, Unavailable
from models.pipelines import ModelFile
from models.sessions import ImageRecord, InspectionSession
from models.storage import is_digest, no_room, reason_of, sha256_of, sha256_of_file, sync_file
from server.objects.records import record_blob, record_blobs
from server.objects.store import ObjectStore
from sync.shared.blob_batches import PackedBlob
from sync.shared.problems import change_problem
from sync.shared.protocol import UploadedBlob, UploadRequest, UploadState

MAX_BLOB_BYTES = 512 * 1024 * 1024
STALE_SECONDS = 14 * 24 * 3600
# One chunk of a blob at a time in this process; different blobs seldom share a lock.
_LOCKS = tuple(threading.Lock() for _ in range(64))


@dataclass(frozen=True, slots=True)
class ChunkRange:
    """Which bytes of a blob a chunk holds: ``first`` to ``last``, both included, of ``total``."""

    first: int
    last: int
    total: int


class Uploads:
    """Takes blobs in pieces.

    A station stages apart from the others, so that none can spoil another's upload. The staged file's length is how far
    the upload is; nothing else remembers it, so a server killed at any moment goes on from what it has.

    Args:
        database: gets a ``Blob`` row once the bytes are in the object store.
        objects: the object store.
        staging: folder of unfinished uploads, on the server's own disk.
    """

    def __init__(self, database: Database, objects: ObjectStore, staging: Path) -> None:
        self.database = database
        self.objects = objects
        self.staging = staging

    def begin(self, owner: str, request: UploadRequest) -> UploadState:
        """Announce a blob and learn where to go on; complete at once when its bytes are here already.

        Raises:
            TooLarge: ``blob-too-large``.
        """
        if request.size > MAX_BLOB_BYTES:
            raise TooLarge("blob-too-large", size=request.size, limit=MAX_BLOB_BYTES)
        path = self._path(owner, request.sha256)
        with self._only(path):
            if self._is_kept(request.sha256, request.content_type):
                path.unlink(missing_ok=True)
                return UploadState(offset=request.size, complete=True)
            held = path.stat().st_size if path.exists() else 0
            if held > request.size:
                path.unlink()
                held = 0
            if held == request.size:
                return self._finish(path, request.sha256, request.content_type, request.size)
            return UploadState(offset=held, complete=False)

    def append(self, owner: str, sha256: str, chunk: ChunkRange, data: bytes, content_type: str) -> UploadState:
        """Take one chunk; the last one is answered once the whole is verified and kept.

        Raises:
            InvalidInput: ``upload-range-invalid`` when the range is not the chunk's.
            TooLarge: ``blob-too-large``.
            Conflict: ``upload-offset`` with the right ``offset`` as member.
            DoesNotFit: ``blob-digest-differs``; nothing of it is kept.
            Unavailable: ``disk-full``.
        """
        if not is_digest(sha256) or chunk.last - chunk.first + 1 != len(data):
            raise InvalidInput("upload-range-invalid")
        if chunk.total > MAX_BLOB_BYTES:
            raise TooLarge("blob-too-large", size=chunk.total, limit=MAX_BLOB_BYTES)
        path = self._path(owner, sha256)
        with self._only(path):
            if self._is_kept(sha256, content_type):
                return UploadState(offset=chunk.total, complete=True)
            held = path.stat().st_size if path.exists() else 0
            if chunk.first != held:
                raise Conflict("upload-offset", offset=held, members={"offset": held})
            _append(path, data)
            held += len(data)
            if held < chunk.total:
                return UploadState(offset=held, complete=False)
            return self._finish(path, sha256, content_type, held)

    def take(self, blobs: Sequence[PackedBlob], language: str) -> list[UploadedBlob]:
        """Take whole blobs at once and return what became of each; nothing is kept of one whose digest differs.

        Raises:
            Unavailable: ``disk-full`` or ``objects-unreachable``; what was kept by then is kept.
        """
        right = {request.sha256: data for request, data in blobs if sha256_of(data) == request.sha256}
        self.objects.put_many({sha256: data for sha256, data in right.items() if not self.objects.keep(sha256)})
        with self.database.local_transaction() as session:
            kinds = {request.sha256: request.content_type for request, _ in blobs}
            record_blobs(session, [(sha256, len(data), kinds[sha256]) for sha256, data in right.items()])
        # See `_is_kept`.
        self.objects.put_many({sha256: data for sha256, data in right.items() if not self.objects.exists(sha256)})
        return [_became(request.sha256, request.sha256 in right, language) for request, _ in blobs]

    def remove_stale(self, now: float | None = None) -> int:
        """Remove uploads nobody has gone on with for two weeks and return how many."""
        limit = (time.time() if now is None else now) - STALE_SECONDS
        removed = 0
        for path in self.staging.glob("*/*.part"):
            if path.stat().st_mtime < limit:
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def _finish(self, path: Path, sha256: str, content_type: str, size: int) -> UploadState:
        if (sha256_of_file(path) if path.exists() else sha256_of(b"")) != sha256:
            path.unlink(missing_ok=True)
            raise DoesNotFit("blob-digest-differs", sha256=sha256)
        if size:
            self.objects.put_file(sha256, path)
        else:
            self.objects.put(sha256, b"")
        self._remember(sha256, size, content_type)
        path.unlink(missing_ok=True)
        return UploadState(offset=size, complete=True)

    def _is_kept(self, sha256: str, content_type: str) -> bool:
        """Record a blob whose bytes are here already; return whether they are here for good.

        Another request that stores them in this moment gives them their name before that is on the disk. The collector
        of objects may remove bytes that no record names until the record is committed, not afterwards.
        """
        if not self.objects.keep(sha256):
            return False
        try:
            self._remember(sha256, self.objects.size(sha256), content_type)
        except NotFound:
            return False
        return self.objects.exists(sha256)

    def _remember(self, sha256: str, size: int, content_type: str) -> None:
        with self.database.local_transaction() as session:
            record_blob(session, sha256, size, content_type)

    def _path(self, owner: str, sha256: str) -> Path:
        # The owner is a device or user id: hashed, so that no name can lead out of the folder.
        folder = sha256_of(owner.encode())[:32]
        return self.staging / folder / f"{sha256}.part"

    def _only(self, path: Path) -> threading.Lock:
        return _LOCKS[hash(path) % len(_LOCKS)]


def _became(sha256: str, kept: bool, language: str) -> UploadedBlob:
    if kept:
        return UploadedBlob(sha256=sha256, complete=True)
    problem = change_problem(DoesNotFit("blob-digest-differs", sha256=sha256), language)
    return UploadedBlob(sha256=sha256, complete=False, problem=problem)


def may_read_blob(session: Session, sha256: str, device_id: str) -> bool:
    """Return whether a station may fetch a blob: a model's, or an image of a session of its own."""
    model = exists().where(ModelFile.sha256 == sha256, ModelFile.deleted_at.is_(None))
    own = exists().where(
        ImageRecord.sha256 == sha256,
        ImageRecord.session_id == InspectionSession.id,
        InspectionSession.device_id == device_id,
    )
    return bool(session.scalar(select(or_(model, own))))


def _append(path: Path, data: bytes) -> None:
    """Append to the staged file and settle it; a write that fails half-way is taken back."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[file.write(rest) :]
                sync_file(file)
            except OSError:
                os.ftruncate(file.fileno(), before)
                raise
    except OSError as error:
        if no_room(error):
            raise Unavailable("disk-full") from error
        raise Unavailable("server-data-dir", folder=path.parent.name, reason=reason_of(error)) from error
