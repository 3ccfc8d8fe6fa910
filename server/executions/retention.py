"""Removes executions, their inputs and their outputs some time after their end."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from models.batches import in_batches
from models.clock import utc_now
from models.database import Database
from models.executions import Execution, ExecutionOutput, ExecutionRun
from models.sync import Blob, StoredFile
from server.objects.naming import named_among

_AT_ONCE = 100
_LONG_AGO = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def remove_ended(database: Database, days: int, now: datetime.datetime | None = None) -> int:
    """Remove executions whose end is longer ago than some days, and return how many.

    Their files go with them; bytes that no record names any more are collected with the object store's orphans. What
    they gave needs no longer grace than an image between two steps: nobody else's record comes for it later. An input
    may be the image of a station too, whose record is on its way.
    """
    limit = (now or utc_now()) - datetime.timedelta(days=days)
    removed = 0
    while count := _remove_some(database, limit):
        removed += count
    return removed


def _remove_some(database: Database, limit: datetime.datetime) -> int:
    with database.local_transaction() as session:
        query = select(Execution.id).where(Execution.ended_at < limit).order_by(Execution.id).limit(_AT_ONCE)
        ids = list(session.scalars(query.with_for_update(skip_locked=True)))
        files = {
            kind: list(session.scalars(select(kind.file_id).where(kind.execution_id.in_(ids))))
            for kind in (ExecutionRun, ExecutionOutput)
        }
        given, made = (_digests(session, files[kind]) for kind in (ExecutionRun, ExecutionOutput))
        for kind in (ExecutionOutput, ExecutionRun):
            session.execute(delete(kind).where(kind.execution_id.in_(ids)))
        session.execute(delete(Execution).where(Execution.id.in_(ids)))
        for some in in_batches([*files[ExecutionRun], *files[ExecutionOutput]]):
            session.execute(delete(StoredFile).where(StoredFile.id.in_(some)))
        for some in in_batches(sorted(made - given - named_among(session, made))):
            # Old, not gone: whoever records the same bytes at this moment or later makes them young again.
            since = func.coalesce(Blob.uploaded_at, Blob.created_at)
            session.execute(update(Blob).where(Blob.sha256.in_(some), since < limit).values(uploaded_at=_LONG_AGO))
    return len(ids)


def _digests(session: Session, files: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for some in in_batches(files):
        found.update(session.scalars(select(StoredFile.sha256).where(StoredFile.id.in_(some))))
    return found
