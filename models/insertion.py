"""Inserting a row that another transaction may be inserting at the same moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from models.base import Base


def insert_if_absent(session: Session, record: Base) -> bool:
    """Insert a row unless one of the same key exists, and return whether it was inserted.

    Of two transactions that do so at once, the second waits.

    Args:
        session: the transaction; pending changes are not flushed by this call.
        record: a new record with all its values, not added to the session: load the row afterwards.
    """
    kind = type(record)
    values = {attribute.key: getattr(record, attribute.key) for attribute in inspect(kind).column_attrs}
    return insert_rows_if_absent(session, kind, [values]) == 1


def insert_rows_if_absent(session: Session, kind: type[Base], rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows, each with all its columns, unless one of the same key exists, and return how many were inserted."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    statement = insert(kind).on_conflict_do_nothing()
    done = connection.execute(statement, [dict(row) for row in rows], execution_options={"preserve_rowcount": True})
    return done.rowcount
