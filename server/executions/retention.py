"""Removes executions, their inputs and their outputs some time after their end."""

from __future__ import annotations

import datetime

from sqlalchemy import delete, select, update

from models.clock import utc_now
from models.database import Database
from models.executions import Execution, ExecutionOutput, ExecutionRun
from models.sync import Blob, StoredFile
from server.objects.naming import named_among

_AT_ONCE = 100


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
        inputs, outputs = (
            list(session.scalars(select(kind.file_id).where(kind.execution_id.in_(ids))))
            for kind in (ExecutionRun, ExecutionOutput)
        )
        made = set(session.scalars(select(StoredFile.sha256).where(StoredFile.id.in_(outputs))))
        for kind in (ExecutionOutput, ExecutionRun):
            session.execute(delete(kind).where(kind.execution_id.in_(ids)))
        session.execute(delete(Execution).where(Execution.id.in_(ids)))
        session.execute(delete(StoredFile).where(StoredFile.id.in_([*inputs, *outputs])))
        unnamed = made - named_among(session, made)
        session.execute(update(Blob).where(Blob.sha256.in_(unnamed)).values(present=False))
    return len(ids)
