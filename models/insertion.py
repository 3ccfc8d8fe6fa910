"""Inserting rows past the session: new ones, and such as another transaction may be inserting at the same moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import insert, inspect
from sqlalchemy.orm import Session

from models.base import Base
from models.prepared import Prepared


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
    return _insertion_if_absent(kind, connection.dialect.name).run(connection, rows)


def insert_new(session: Session, records: Sequence[Base]) -> None:
    """Insert new records of one kind that the session does not keep: a third of what it costs to add and flush them.

    Args:
        session: the transaction; pending changes are not flushed by this call.
        records: new ones with all their values, not added to the session.

    Raises:
        sqlalchemy.exc.IntegrityError: as a flush.
    """
    if not records:
        return
    statement, names = _insertion(type(records[0]))
    rows = [{name: getattr(record, name) for name in names} for record in records]
    statement.run(session.connection(), rows if len(rows) > 1 else rows[0])


@cache
def _insertion(kind: type[Base]) -> tuple[Prepared, tuple[str, ...]]:
    names = _names(kind)
    return Prepared(insert(kind), names), names


@cache
def _insertion_if_absent(kind: type[Base], dialect: str) -> Prepared:
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_into
    else:
        from sqlalchemy.dialects.sqlite import insert as insert_into  # type: ignore[assignment]
    return Prepared(insert_into(kind).on_conflict_do_nothing(), _names(kind))


def _names(kind: type[Base]) -> tuple[str, ...]:
    return tuple(attribute.key for attribute in inspect(kind).column_attrs)
