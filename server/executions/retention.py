"""Removes executions, their inputs and their outputs some time after their end."""

from __future__ import annotations

import datetime

from sqlalchemy import delete, select

from models.clock import utc_now
from models.database import Database
from models.executions import Execution, ExecutionOutput, ExecutionRun
from models.sync import StoredFile

_AT_ONCE = 100


def remove_ended(database: Database, days: int, now: datetime.datetime | None = None) -> int:
    """Remove executions whose end is longer ago than some days, and return how many.

    Their files go with them; bytes that no record names any more are collected with the object store's orphans.
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
        files: list[str] = []
        for kind in (ExecutionOutput, ExecutionRun):
            files += session.scalars(select(kind.file_id).where(kind.execution_id.in_(ids)))
            session.execute(delete(kind).where(kind.execution_id.in_(ids)))
        session.execute(delete(Execution).where(Execution.id.in_(ids)))
        session.execute(delete(StoredFile).where(StoredFile.id.in_(files)))
    return len(ids)
