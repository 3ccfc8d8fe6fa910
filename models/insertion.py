"""Inserting rows past the session: new ones, and such as another transaction may be inserting at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, NamedTuple

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


def new_row(kind: type[Base], **values: Any) -> dict[str, Any]:
    """Return the columns of a new record as its constructor sets them, in a fraction of its time.

    Args:
        kind: of the record.
        values: columns; the others get their defaults.

    Raises:
        TypeError: when there is no such column, a column without a default has no value, or the insertion computes one.
            A bug.
    """
    columns = _new_columns(kind)
    row = {**columns.constants, **values}
    for name, make in columns.made:
        if name not in values:
            row[name] = make()
    if row.keys() != columns.names:
        raise TypeError(f"columns of a new {kind.__name__}: {sorted(row.keys() ^ columns.names)}")
    return row


def insert_new(session: Session, kind: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert new rows of one kind, each as ``new_row`` gives it; the session keeps no record of them.

    Args:
        session: the transaction; pending changes are not flushed by this call.
        kind: of the records.
        rows: with all columns.

    Raises:
        sqlalchemy.exc.IntegrityError: as a flush.
    """
    if rows:
        _insertion(kind).run(session.connection(), rows if len(rows) > 1 else rows[0])


class _NewColumns(NamedTuple):
    """The columns of a kind of record, and what its constructor sets them to."""

    names: frozenset[str]
    constants: dict[str, Any]
    made: tuple[tuple[str, Callable[[], Any]], ...]


@cache
def _new_columns(kind: type[Base]) -> _NewColumns:
    columns = {attribute.key: attribute.columns[0] for attribute in inspect(kind).column_attrs}
    constants: dict[str, Any] = {}
    made = []
    for found in fields(kind):
        if found.name not in columns:
            continue
        if found.default_factory is not MISSING:
            made.append((found.name, found.default_factory))
        elif found.default is not MISSING:
            # What the constructor leaves to the insertion is the column's own default.
            default: Any = columns[found.name].default
            if default is not None and not default.is_scalar:
                raise TypeError(f"{kind.__name__}.{found.name} has a default that the insertion computes")
            constants[found.name] = None if default is None else default.arg
    return _NewColumns(frozenset(columns), constants, tuple(made))


@cache
def _insertion(kind: type[Base]) -> Prepared:
    return Prepared(insert(kind), _names(kind))


@cache
def _insertion_if_absent(kind: type[Base], dialect: str) -> Prepared:
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_into
    else:
        from sqlalchemy.dialects.sqlite import insert as insert_into  # type: ignore[assignment]
    return Prepared(insert_into(kind).on_conflict_do_nothing(), _names(kind))


def _names(kind: type[Base]) -> tuple[str, ...]:
    return tuple(attribute.key for attribute in inspect(kind).column_attrs)
