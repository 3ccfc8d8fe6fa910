"""What both sides ask of records by their table: parents, uniqueness, building one from wire fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Column, Table, exists, or_, select
from sqlalchemy.orm import Session

from models.base import Base
from models.named import UniquelyNamed
from models.names import key_of
from models.synced import LOCAL_FIELDS, Master, Synced


@dataclass(frozen=True, slots=True)
class Parent:
    """A record that another one names."""

    field: str
    id: str


def table_of(record_type: type[Synced]) -> Table:
    """Return the table of a record kind."""
    return Base.metadata.tables[record_type.__tablename__]  # type: ignore[attr-defined]  # set by each record class


def parents_of(record_type: type[Synced], values: Mapping[str, Any]) -> Iterator[tuple[Parent, Column[Any]]]:
    """Yield the records that ``values`` name by a foreign key, each with the column that has their ids."""
    for name, key in foreign_keys(record_type):
        wanted = values.get(name)
        if wanted is not None:
            yield Parent(name, str(wanted)), key


def missing_parent(session: Session, record_type: type[Synced], values: Mapping[str, Any]) -> Parent | None:
    """Return the first record that ``values`` name by a foreign key and that is not there, None when all are."""
    for parent, key in parents_of(record_type, values):
        if not session.scalar(select(exists().where(key == parent.id))):
            return parent
    return None


@cache
def foreign_keys(record_type: type[Synced]) -> tuple[tuple[str, Column[Any]], ...]:
    """Return the columns that name another record, each with the column that has its id."""
    columns = table_of(record_type).columns
    return tuple((column.name, key.column) for column in columns for key in column.foreign_keys)


@cache
def unique_columns(record_type: type[Synced]) -> tuple[str, ...]:
    """Return the columns that travel of which no two records that are not deleted may share a value."""
    unique = (index for index in table_of(record_type).indexes if index.unique and len(index.columns) == 1)
    names = (column.name for index in unique for column in index.columns)
    return tuple(name for name in names if name not in LOCAL_FIELDS)


def holder_of(session: Session, record_type: type[Synced], name: str, value: Any, besides: str) -> Synced | None:
    """Return another record, not deleted, that holds ``value`` in the column ``name``."""
    column = table_of(record_type).columns[name]
    query = select(record_type).where(column == value, record_type.id != besides)
    if issubclass(record_type, Master):
        query = query.where(record_type.deleted_at.is_(None))
    return session.scalars(query).first()


def name_taken(session: Session, record_type: type[UniquelyNamed], name: str, besides: str) -> bool:
    """Return whether another record that is not deleted has ``name``, in any case and width.

    The name itself is compared too: a record from before the rule may have another key than its name says.
    """
    kind: Any = record_type
    same = or_(kind.name_key == key_of(name), getattr(kind, record_type.unique_name) == name)
    return bool(session.scalar(select(exists().where(same, kind.deleted_at.is_(None), kind.id != besides))))


def lacking(record_type: type[Synced], values: Mapping[str, Any]) -> list[str]:
    """Return the columns a new record must have a value for and ``values`` lack."""
    return [name for name in _needed(record_type) if name not in values]


@cache
def _needed(record_type: type[Synced]) -> tuple[str, ...]:
    without_default = {
        field.name
        for field in dataclasses.fields(record_type)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING and field.init
    }
    return tuple(
        column.name
        for column in table_of(record_type).columns
        if not column.nullable and column.default is None and column.name in without_default
    )
