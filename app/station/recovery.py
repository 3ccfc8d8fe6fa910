"""Putting a store in order at start, after whatever ended the station the last time."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.audit import append_audit
from models.database import Database
from models.sessions import AIResult, InspectionSession
from models.states import OPEN, SessionStatus, require_transition
from models.sync import Blob
from sync.station.blobs import BlobStore

STATION = "station"
"""Actor in the audit trail for what the program does by itself."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was found and done when a store was opened.

    Attributes:
        temporary_files_removed: unfinished files of a crash.
        sessions_failed: sessions that had not got any AI result; the part is to be inspected again.
        sessions_open: ids of sessions with an AI result that wait for a person; they go on where they were.
        missing_blobs: digests of files that records name and that are not there: the disk or somebody removed them.
    """

    temporary_files_removed: int = 0
    sessions_failed: int = 0
    sessions_open: tuple[str, ...] = ()
    missing_blobs: tuple[str, ...] = ()


def recover(database: Database, blobs: BlobStore, work_folder: Path, device_id: str) -> Recovery:
    """Put the store in order; only while its lock is held.

    A session that was cut off before its first AI result recorded nothing of the part, so it becomes ``FAILED`` and the
    part is inspected again. One with an AI result keeps it and stays open: the person decides, or cancels it.

    Raises:
        UserFacingError: when the disk is full or the database cannot be written.
    """
    removed = _empty(work_folder) + blobs.remove_temporary()
    with database.read() as session:
        missing = tuple(
            sha256
            for sha256 in session.scalars(select(Blob.sha256).where(Blob.present).order_by(Blob.sha256))
            if not blobs.path(sha256).is_file()
        )
        interrupted = _interrupted(session, device_id)
    still_open = tuple(session_id for session_id, inspected in interrupted if inspected)
    lost = [session_id for session_id, inspected in interrupted if not inspected]
    if lost:
        with database.transaction() as session:
            for session_id in lost:
                _fail(session, session.get_one(InspectionSession, session_id), device_id)
    return Recovery(removed, len(lost), still_open, missing)


def _interrupted(session: Session, device_id: str) -> list[tuple[str, bool]]:
    """Return id and whether there is an AI result of this station's sessions that have not ended."""
    has_result = select(AIResult.id).where(AIResult.session_id == InspectionSession.id).exists()
    query = (
        select(InspectionSession.id, has_result)
        .where(
            InspectionSession.device_id == device_id,
            InspectionSession.status.in_(OPEN),
        )
        .order_by(InspectionSession.id)
    )
    return [(session_id, bool(inspected)) for session_id, inspected in session.execute(query)]


def _fail(session: Session, record: InspectionSession, device_id: str) -> None:
    require_transition(record.status, SessionStatus.FAILED)
    record.status = SessionStatus.FAILED
    append_audit(
        session,
        device_id=device_id,
        actor=STATION,
        action="session.failed",
        subject="inspection_session",
        subject_id=record.id,
        detail={"reason": "the station ended before a result was recorded"},
    )


def _empty(folder: Path) -> int:
    """Remove everything in ``folder`` and return how many entries that were."""
    entries = list(folder.iterdir())
    for entry in entries:
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    return len(entries)
