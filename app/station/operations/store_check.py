"""Checking a whole store: database, blobs, audit trail, outbox and states; reads only, changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import null, select
from sqlalchemy.orm import Session

from app.station.store_layout import BLOBS, DATABASE
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
from models.sessions import ImageRecord
from models.storage import pieces_of, reason_of, sha256_of_pieces
from models.sync import Blob, OutboxEntry, SyncState
from models.synced import Master, synced_types
from sync.station.blobs import BlobStore
from sync.station.given_up import given_up


def check_store(store: Path, on_progress: Progress | None = None) -> ConsistencyReport:
    """Check the store in ``store``; a station may work in it meanwhile.

    Raises:
        NotFound: ``no-store`` when there is none.
        Unavailable: when the database cannot be read as one, or has another schema than this version.
    """
    path = store / DATABASE
    if not path.is_file():
        raise NotFound("no-store", folder=str(store))
    database = Database.at(path, read_without_room=True)
    try:
        with database.read() as session:
            damage = list(integrity_findings(session))
            if damage:
                return ConsistencyReport(store, tuple(damage))
            if not has_schema(session):
                return ConsistencyReport(store, (), {"records": 0})
            counts: dict[str, int] = {}
            checks = (
                foreign_key_findings(session),
                audit_findings(session),
                _outbox_findings(session, counts),
                session_findings(session, counts, results_are_here=True),
                _blob_findings(session, BlobStore(store / BLOBS), counts, on_progress),
            )
            return ConsistencyReport(store, tuple(finding for check in checks for finding in check), counts)
    finally:
        database.close()


def _outbox_findings(session: Session, counts: dict[str, int]) -> Iterator[Finding]:
    kinds = synced_types()
    waiting: set[tuple[str, str]] = set()
    entries = session.execute(select(OutboxEntry.change_id, OutboxEntry.entity, OutboxEntry.entity_id))
    total = 0
    for change_id, entity, entity_id in entries:
        total += 1
        waiting.add((entity, entity_id))
        if entity not in kinds or session.get(kinds[entity], entity_id) is None:
            yield Finding("finding-outbox-orphan", {"change_id": change_id, "entity": entity, "entity_id": entity_id})
    counts["outbox"] = total
    counts["records"] = 0
    for entity, kind in kinds.items():
        states = kind.field_clocks if issubclass(kind, Master) else null()
        for entity_id, rev, fields in session.execute(select(kind.id, kind.rev, states).where(~given_up(kind))):
            counts["records"] += 1
            if rev is None and (entity, entity_id) not in waiting and not _acknowledged(fields):
                yield Finding("finding-never-sent", {"entity": entity, "entity_id": entity_id})


def _acknowledged(fields: dict[str, Any] | None) -> bool:
    """Return whether the server acknowledged a master: its fields have positions before the next pull gives it one."""
    return any(state.get("rev") is not None for state in (fields or {}).values())


def _blob_findings(
    session: Session, blobs: BlobStore, counts: dict[str, int], on_progress: Progress | None
) -> Iterator[Finding]:
    rows = session.execute(select(Blob.sha256, Blob.size_bytes, Blob.present, Blob.uploaded_at)).all()
    known = {row.sha256 for row in rows}
    own = session.scalar(select(SyncState.value).where(SyncState.key == "device_id"))
    named = session.execute(select(ImageRecord.id, ImageRecord.sha256).where(ImageRecord.device_id == own))
    for image_id, sha256 in named:
        if sha256 not in known:
            yield Finding("finding-unnamed-blob", {"entity": "image", "entity_id": image_id, "sha256": sha256})
    for model_id, sha256 in session.execute(select(ModelFile.id, ModelFile.sha256).where(ModelFile.rev.is_(None))):
        if sha256 not in known:
            yield Finding("finding-unnamed-blob", {"entity": "model_file", "entity_id": model_id, "sha256": sha256})
    present = [(row.sha256, row.size_bytes, row.uploaded_at is not None) for row in rows if row.present]
    counts["blobs"] = len(present)
    for number, (sha256, size, received) in enumerate(present, start=1):
        reason = _blob_problem(blobs.path(sha256), sha256, size)
        if reason:
            code = "finding-blob" if received else "finding-blob-unsent"
            yield Finding(code, {"sha256": sha256, "reason": reason})
        if on_progress is not None:
            on_progress(number, len(present))


def _blob_problem(path: Path, sha256: str, size: int) -> str:
    """Return what is wrong with a blob's file, empty when nothing is."""
    try:
        with path.open("rb") as file:
            digest = sha256_of_pieces(pieces_of(file))
            length = file.tell()
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return reason_of(error)
    if length != size:
        return "wrong-size"
    return "" if digest == sha256 else "wrong-digest"
