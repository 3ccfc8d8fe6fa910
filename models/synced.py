"""Records that travel between stations and the server, and their form on the wire.

A record's wire fields are its columns less its id and what only concerns one side (``LOCAL_FIELDS`` and the class's own
``local_fields``). Fields this version does not know are kept in ``extra`` and travel on unchanged.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime
from enum import Enum, StrEnum
from functools import cache
from typing import Any, ClassVar

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


def wire_fields(record_type: type[Synced]) -> tuple[str, ...]:
    """Return the names of the columns that travel, in their order."""
    hidden = LOCAL_FIELDS | record_type.local_fields
    columns = _table_columns(record_type)
    return tuple(name for name in columns.keys() if name not in hidden)  # noqa: SIM118 - iterating gives columns


def to_wire(value: Any) -> Any:
    """Return a column's value in its JSON form."""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Enum):
        return value.value
    return value


def from_wire(record_type: type[Synced], name: str, value: Any) -> Any:
    """Return the column value for a JSON value.

    Raises:
        ValueError: when the value is not of the column's type.
    """
    column = _table_columns(record_type)[name]
    if value is None:
        if not column.nullable:
            raise of_field(name, "value-missing")
        return None
    if isinstance(column.type, UtcDateTime):
        if not isinstance(value, str):
            raise of_field(name, "value-time-form")
        try:
            return parse_rfc3339(value)
        except ValueError as error:
            raise of_field(name, "value-time-form") from error
    enum_class = getattr(column.type, "enum_class", None)
    if enum_class is not None:
        try:
            return enum_class(value)
        except ValueError as error:
            members = ", ".join(repr(member.value) for member in enum_class)
            raise of_field(name, "value-enum", expected=members) from error
    expected = column.type.python_type
    if expected is dict:
        expected = list if name in _list_columns(record_type) else dict
    if expected is float and isinstance(value, int) and not isinstance(value, bool):
        value = _as_float(name, value)
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        raise of_field(name, _TYPE_TEXTS[expected])
    if expected is int:
        _require_range(name, value, 63 if isinstance(column.type, BigInteger) else 31)
    return _as_text(column, name, value) if isinstance(value, str) else value


def _as_text(column: Any, name: str, value: str) -> str:
    if column.foreign_keys:
        return canonical_id(value)
    length = column.type.length
    if length is not None and len(value) > length:
        raise of_field(name, "value-string-too-long", max_length=length)
    return value


def _as_float(name: str, value: int) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise of_field(name, "value-int-parsing-size") from error


def _require_range(name: str, value: int, bits: int) -> None:
    """Refuse what the column cannot hold on every engine; SQLite alone would take more."""
    if not -(1 << bits) <= value < (1 << bits):
        raise of_field(name, "value-int-parsing-size")


@cache
def _list_columns(record_type: type[Synced]) -> frozenset[str]:
    """Return the JSON columns that hold a list; the others hold an object."""
    return frozenset(field.name for field in dataclasses.fields(record_type) if field.default_factory is list)


def snapshot(record: Synced) -> dict[str, Any]:
    """Return all wire fields of a record in JSON form, those of a newer schema too."""
    fields = {name: to_wire(getattr(record, name)) for name in wire_fields(type(record))}
    return {**record.extra, **fields}


def split_fields(record_type: type[Synced], fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split wire fields into column values this schema knows and the rest.

    Fields that are local on every schema (``rev``, ``clock`` …) are dropped: a peer never sets them.

    Raises:
        ValueError: when a known field has a value of the wrong type.
    """
    names = set(wire_fields(record_type))
    hidden = LOCAL_FIELDS | record_type.local_fields
    known = {name: from_wire(record_type, name, fields[name]) for name in fields if name in names}
    unknown = {name: value for name, value in fields.items() if name not in names and name not in hidden}
    return known, unknown


def synced_types() -> dict[str, type[Synced]]:
    """Return every record kind that travels by its wire name, parents before children (order of foreign keys)."""
    order = {table.name: place for place, table in enumerate(Base.metadata.sorted_tables)}
    found = [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, Synced)]
    found.sort(key=lambda kind: order[inspect(kind).local_table.name])
    return {kind.entity: kind for kind in found}


def _table_columns(record_type: type[Synced]) -> Any:
    return record_type.__table__.columns  # type: ignore[attr-defined]  # set by the declarative mapping
