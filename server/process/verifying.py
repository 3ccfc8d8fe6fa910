"""Checking the data of a server: database, audit trails, sessions, change log and every file by its digest.

A server may be at work meanwhile: nothing but damaged files is touched, and these only where that is asked. Files are
checked page by page, each page in a transaction of its own: a long one would keep SQLite from clearing its log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.clock import HybridLogicalClock
from models.consistency import (
    ConsistencyReport,
    Finding,
    Progress,
    audit_findings,
    foreign_key_findings,
    has_schema,
    integrity_findings,
    session_findings,
)
from models.database import Database
from models.errors import NotFound
from models.pipelines import ModelFile
from models.releases import ModelRelease
from models.sessions import ImageRecord
from models.sync import Blob, ChangeLogEntry, ChangeLogHead, StoredFile
from models.synced import synced_types
from server.audit import SERVER_DEVICE
from server.context import connect_database, require_store
from server.core.settings import ServerSettings
from server.objects.store import ObjectStore

_PAGE = 500
_MISSING = "missing"
_NAMED: tuple[tuple[InstrumentedAttribute[str], InstrumentedAttribute[int]], ...] = (
    (Blob.sha256, Blob.size_bytes),
    (ImageRecord.sha256, ImageRecord.size_bytes),
    (ModelFile.sha256, ModelFile.size_bytes),
    (ModelRelease.sha256, ModelRelease.size_bytes),
    (StoredFile.sha256, StoredFile.size_bytes),
)
"""Every column that holds the digest of a file, with that of its size."""


def check_server(
    settings: ServerSettings, on_progress: Progress | None = None, *, set_aside: bool = False
) -> ConsistencyReport:
    """Check the data of a server; it may be at work meanwhile.

    Of PostgreSQL the pages and foreign keys are its own matter (``pg_amcheck``); the rest is checked.

    Args:
        settings: of the server.
        on_progress: told how many files are checked.
        set_aside: whether a damaged file is kept under another name in the object store, so that it counts as missing
            and is taken anew from a station that holds it.

    Raises:
        NotFound: ``server-no-store``.
        InvalidInput: when the address of the database or of the objects is none.
        Unavailable: when the database or the objects cannot be reached, or have another schema than this version.
    """
    require_store(settings)
    database = connect_database(settings, HybridLogicalClock(SERVER_DEVICE))
    try:
        counts: dict[str, int] = {"records": 0}
        with database.read() as session:
            damage = list(integrity_findings(session)) if database.is_sqlite else []
            if damage or not has_schema(session):
                return ConsistencyReport(settings.data_dir, tuple(damage), counts)
            findings = list(foreign_key_findings(session)) if database.is_sqlite else []
            findings += audit_findings(session)
            findings += session_findings(session, counts, results_are_here=False)
            findings += _log_findings(session, counts)
        findings += _file_findings(database, ObjectStore(settings.objects), counts, on_progress, set_aside)
        return ConsistencyReport(settings.data_dir, tuple(findings), counts)
    finally:
        database.close()


def _log_findings(session: Session, counts: dict[str, int]) -> Iterator[Finding]:
    """Yield what lies beyond the head of the change log: stations would never get it."""
    head = session.scalar(select(ChangeLogHead.position)) or 0
    at = ChangeLogEntry.position
    span = select(func.count(), func.min(at), func.max(at))
    entries, oldest, newest = session.execute(span).one()
    if entries and newest - oldest + 1 != entries:
        yield Finding("finding-change-log-gap", {"missing": newest - oldest + 1 - entries})
    if entries and newest > head:
        yield Finding("finding-change-log", {"entity": "change_log", "position": newest, "head": head})
    for entity, kind in synced_types().items():
        count, position = session.execute(select(func.count(), func.max(kind.rev))).one()
        counts["records"] += count
        if (position or 0) > head:
            yield Finding("finding-change-log", {"entity": entity, "position": position, "head": head})


def _file_findings(
    database: Database, objects: ObjectStore, counts: dict[str, int], on_progress: Progress | None, set_aside: bool
) -> Iterator[Finding]:
    """Check every file that a record names; one that has not come yet is counted, as records of stations come first."""
    total = counts["files"] = counts["files_awaited"] = 0
    with database.read() as session:
        for digest, _ in _NAMED:
            total += session.scalar(select(func.count(digest))) or 0
    last = ""
    while page := _page(database, last):
        for sha256, size in page:
            reason = _problem(objects, sha256, size)
            if reason == _MISSING and not _has_come(database, sha256):
                counts["files_awaited"] += 1
                continue
            if reason:
                moved = set_aside and reason != _MISSING and _set_aside(objects, sha256)
                code = "finding-object-set-aside" if moved else "finding-object"
                yield Finding(code, {"sha256": sha256, "reason": reason})
            counts["files"] += 1
            if on_progress is not None:
                on_progress(counts["files"], max(total, counts["files"]))
        last = page[-1][0]


def _set_aside(objects: ObjectStore, sha256: str) -> bool:
    try:
        return objects.set_aside(sha256)
    except NotFound:
        return False  # It has been removed meanwhile.


def _page(database: Database, after: str) -> list[tuple[str, int]]:
    """Return the next digests that records name, with their sizes, in their order."""
    sizes: dict[str, int] = {}
    ends = []
    with database.read() as session:
        for digest, size in _NAMED:
            query = select(digest, size).where(digest > after).order_by(digest).limit(_PAGE)
            rows = session.execute(query).all()
            sizes |= {row[0]: row[1] for row in rows}
            if len(rows) == _PAGE:
                ends.append(rows[-1][0])
    end = min(ends, default=None)
    return sorted((sha256, size) for sha256, size in sizes.items() if end is None or sha256 <= end)


def _has_come(database: Database, sha256: str) -> bool:
    """Return whether a file was received and has not been removed, as what no record names is, meanwhile."""
    received = (Blob.sha256 == sha256, Blob.present)
    queries = (
        select(StoredFile.id).where(StoredFile.sha256 == sha256),
        select(ModelRelease.id).where(ModelRelease.sha256 == sha256),
    )
    with database.read() as session:
        return any(session.scalar(select(query.exists())) for query in (select(Blob.sha256).where(*received), *queries))


def _problem(objects: ObjectStore, sha256: str, size: int) -> str:
    """Return what is wrong with an object, empty when nothing is."""
    digest, length = hashlib.sha256(), 0
    try:
        for piece in objects.stream(sha256):
            digest.update(piece)
            length += len(piece)
    except NotFound:
        return _MISSING
    if length != size:
        return "wrong-size"
    return "" if digest.hexdigest() == sha256 else "wrong-digest"
