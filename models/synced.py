"""Records that travel between stations and the server, and their form on the wire.

A record's wire fields are its columns less its id and what only concerns one side (``LOCAL_FIELDS`` and the class's own
``local_fields``). Fields this version does not know are kept in ``extra`` and travel on unchanged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum, StrEnum
from functools import cache, partial
from typing import Any, ClassVar, cast

from sqlalchemy import BigInteger, String, inspect
from sqlalchemy.orm import Mapped, MappedAsDataclass, mapped_column

from models.base import Base, UtcDateTime
from models.clock import parse_rfc3339, rfc3339, utc_now
from models.ids import canonical_id, new_id
from models.named import DERIVED, Searchable
from models.rejections import of_field

_TYPE_TEXTS: dict[type, str] = {
    str: "value-string-type",
    int: "value-int-type",
    float: "value-float-type",
    bool: "value-bool-type",
    dict: "value-dict-type",
    list: "value-list-type",
}
LOCAL_FIELDS = DERIVED | {"id", "rev", "clock", "extra", "field_clocks"}


class SyncKind(StrEnum):
    """Which rule of the sync protocol a record follows."""

    MASTER = "master"
    FACT = "fact"
    OWNED = "owned"


class Synced(MappedAsDataclass, kw_only=True, eq=False):
    """Columns of every record that travels.

    Attributes:
        entity: name of the record kind on the wire.
        kind: the rule it follows.
        local_fields: further columns that never travel.
        rev: position in the server's change log of the newest change to this record; None before the server knows it.
        clock: hybrid logical clock stamp of the newest change; set when it is recorded.
        extra: fields of a newer schema, kept for the round trip.
    """

    entity: ClassVar[str]
    kind: ClassVar[SyncKind]
    local_fields: ClassVar[frozenset[str]] = frozenset()

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default_factory=new_id)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    rev: Mapped[int | None] = mapped_column(BigInteger, default=None)
    clock: Mapped[str] = mapped_column(String(96), default="")
    extra: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)


class Master(Synced, kw_only=True, eq=False):
    """A record of the quality engineer or the administrator, merged field by field.

    Attributes:
        updated_at: wall time of the newest change, for display.
        deleted_at: set instead of removing the row: sessions of the past keep naming it, and it is the tombstone.
        field_clocks: field → ``{"rev": int | None, "clock": str}`` of its newest change; what merges are decided by.
            Also ``"user"``, the id of who made it, where that is known: on a station only of changes made there.
    """

    kind: ClassVar[SyncKind] = SyncKind.MASTER

    updated_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    field_clocks: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)


class ListedMaster(Master, Searchable, kw_only=True, eq=False):
    """A master that lists show and search."""


class Fact(Synced, kw_only=True, eq=False):
    """Something that happened: only ever added.

    Attributes:
        device_id: the station (or the server's own id) where it happened.
    """

    kind: ClassVar[SyncKind] = SyncKind.FACT

    device_id: Mapped[str] = mapped_column(String(64), index=True)


@cache
def wire_fields(record_type: type[Synced]) -> tuple[str, ...]:
    """Return the names of the columns that travel, in their order."""
    hidden = _hidden(record_type)
    columns = _table_columns(record_type)
    return tuple(name for name in columns.keys() if name not in hidden)  # noqa: SIM118 - iterating gives columns


@cache
def _hidden(record_type: type[Synced]) -> frozenset[str]:
    return LOCAL_FIELDS | record_type.local_fields


def to_wire(value: Any) -> Any:
    """Return a column's value in its JSON form."""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Enum):
        return value.value
    return value


@cache
def _readers(record_type: type[Synced]) -> dict[str, Callable[[Any], Any]]:
    """Return what makes column values of JSON values, by the names of the columns that travel."""
    return {name: _reader(record_type, name) for name in wire_fields(record_type)}


def _reader(record_type: type[Synced], name: str) -> Callable[[Any], Any]:
    """Return a function from a JSON value to the column's; it raises ``ValueError`` for one of another type."""
    column = _table_columns(record_type)[name]
    read = _reader_of_type(record_type, column, name)

    def read_value(value: Any) -> Any:
        if value is not None:
            return read(value)
        if not column.nullable:
            raise of_field(name, "value-missing")
        return None

    return read_value


def _reader_of_type(record_type: type[Synced], column: Any, name: str) -> Callable[[Any], Any]:
    if isinstance(column.type, UtcDateTime):
        return partial(_as_time, name)
    enum_class = getattr(column.type, "enum_class", None)
    if enum_class is not None:
        return partial(_as_member, name, {member.value: member for member in enum_class})
    expected = column.type.python_type
    if expected is dict:
        expected = list if name in _list_columns(record_type) else dict
    if expected is str:
        length = None if column.foreign_keys else column.type.length
        return partial(_as_id if column.foreign_keys else _as_text, name, length)
    if expected is int:
        return partial(_as_int, name, 63 if isinstance(column.type, BigInteger) else 31)
    return partial(_as_float if expected is float else _as_is, name, expected)


def _as_time(name: str, value: Any) -> datetime:
    if not isinstance(value, str):
        raise of_field(name, "value-time-form")
    try:
        return parse_rfc3339(value)
    except ValueError as error:
        raise of_field(name, "value-time-form") from error


def _as_member(name: str, members: dict[Any, Any], value: Any) -> Any:
    try:
        return members[value]
    except (KeyError, TypeError) as error:
        raise of_field(name, "value-enum", expected=", ".join(map(repr, members))) from error


def _as_id(name: str, length: None, value: Any) -> str:
    return canonical_id(_as_text(name, length, value))


def _as_text(name: str, length: int | None, value: Any) -> str:
    if not isinstance(value, str):
        raise of_field(name, _TYPE_TEXTS[str])
    if length is not None and len(value) > length:
        raise of_field(name, "value-string-too-long", max_length=length)
    return value


def _as_int(name: str, bits: int, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise of_field(name, _TYPE_TEXTS[int])
    # What the column cannot hold on every engine; SQLite alone would take more.
    if not -(1 << bits) <= value < (1 << bits):
        raise of_field(name, "value-int-parsing-size")
    return value


def _as_float(name: str, expected: type, value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError as error:
            raise of_field(name, "value-int-parsing-size") from error
    return _as_is(name, expected, value)


def _as_is(name: str, expected: type, value: Any) -> Any:
    if not isinstance(value, expected):
        raise of_field(name, _TYPE_TEXTS[expected])
    return value


@cache
def _list_columns(record_type: type[Synced]) -> frozenset[str]:
    """Return the JSON columns that hold a list; the others hold an object."""
    return frozenset(field.name for field in dataclasses.fields(record_type) if field.default_factory is list)


def snapshot(record: Synced) -> dict[str, Any]:
    """Return all wire fields of a record in JSON form, those of a newer schema too."""
    fields = {name: to_wire(getattr(record, name)) for name in wire_fields(type(record))}
    return {**record.extra, **fields}


def row_snapshot(record_type: type[Synced], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``snapshot`` returns of a record with the columns ``row``."""
    return {**row["extra"], **{name: to_wire(row[name]) for name in wire_fields(record_type)}}


def split_fields(record_type: type[Synced], fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split wire fields into column values this schema knows and the rest.

    Fields that are local on every schema (``rev``, ``clock`` …) are dropped: a peer never sets them.

    Raises:
        ValueError: when a known field has a value of the wrong type.
    """
    readers, hidden = _readers(record_type), _hidden(record_type)
    known = {name: readers[name](value) for name, value in fields.items() if name in readers}
    unknown = {name: value for name, value in fields.items() if name not in readers and name not in hidden}
    return known, unknown


def synced_types() -> dict[str, type[Synced]]:
    """Return every record kind that travels by its wire name, parents before children (order of foreign keys)."""
    return dict(_types_among(len(Base.metadata.tables)))


@cache
def _types_among(tables: int) -> dict[str, type[Synced]]:
    """Return the kinds while so many tables are known; sorting them takes longer than applying a change."""
    del tables
    order = {table.name: place for place, table in enumerate(Base.metadata.sorted_tables)}
    found = [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, Synced)]
    found.sort(key=lambda kind: order[inspect(kind).local_table.name])
    return {kind.entity: kind for kind in found}


def whole_row(record_type: type[Synced], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a new record: ``values``, and the defaults of the columns that they leave out."""
    return {name: values[name] if name in values else default() for name, default in _defaults(record_type)}


@cache
def _defaults(record_type: type[Synced]) -> tuple[tuple[str, Callable[[], Any]], ...]:
    """Return the columns and what makes their defaults; one without a default must be given."""
    factories = {field.name: field.default_factory for field in dataclasses.fields(record_type)}
    return tuple((name, _default_of(column, factories[name])) for name, column in _table_columns(record_type).items())


def _default_of(column: Any, factory: Any) -> Callable[[], Any]:
    if factory is not dataclasses.MISSING:
        return cast("Callable[[], Any]", factory)
    if column.default is None and not column.nullable:
        return partial(_missing, column.name)
    value = None if column.default is None else column.default.arg
    return lambda: value


def _missing(name: str) -> Any:
    raise TypeError(f"{name} has no default")


def _table_columns(record_type: type[Synced]) -> Any:
    return record_type.__table__.columns  # type: ignore[attr-defined]  # set by the declarative mapping
