"""The fields of a change as a person reads and mends them: which may be mended, and what a typed text means."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models.base import Base, UtcDateTime
from models.errors import InvalidInput
from models.rejections import reason_in
from models.synced import Synced, SyncKind, split_fields, synced_types, wire_fields
from sync.shared.records import holder_of, unique_columns


@dataclass(frozen=True, slots=True)
class ChangeField:
    """One field of a change.

    Attributes:
        name: on the wire.
        text: its value as a person types it: plain for texts, JSON for everything else.
        mendable: whether a person may give it another value.
    """

    name: str
    text: str
    mendable: bool


def change_fields(entity: str, fields: Mapping[str, Any]) -> tuple[ChangeField, ...]:
    """Return the fields of a change in the order of the record's columns; fields of a newer schema come last.

    Facts tell what happened and cannot be mended; nor can ids, times and what the protocol counts by itself.
    """
    record_type = synced_types().get(entity)
    known = wire_fields(record_type) if record_type else ()
    names = [name for name in known if name in fields] + sorted(set(fields) - set(known))
    return tuple(ChangeField(name, text_of(fields[name]), _mendable(record_type, name)) for name in names)


def text_of(value: Any) -> str:
    """Return a JSON value as a person types it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def value_of(entity: str, name: str, text: str) -> Any:
    """Return the JSON value that a person means by ``text``: as it is for a text, else JSON.

    Raises:
        InvalidInput: ``dead-letter-value`` when the text is no JSON and the field is none of text;
            ``dead-letter-not-mendable`` when there is no such field.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        if _holds_text(entity, name):
            return text
        if not _has_field(entity, name):
            raise InvalidInput("dead-letter-not-mendable", fields=name) from error
        raise InvalidInput("dead-letter-value", field=name, value=text) from error
    return value if not _holds_text(entity, name) or isinstance(value, str | None) else text


def mended_values(
    session: Session, record: Synced | None, fields: Mapping[str, Any], *, within: Collection[str]
) -> dict[str, Any]:
    """Return the column values for mended wire fields of a record.

    Args:
        session: of the station's store.
        record: the change's.
        fields: wire fields with the values that a person gave.
        within: the fields of the change; only these are mended.

    Raises:
        InvalidInput: ``dead-letter-fact`` when the record is a fact or is not here;
            ``dead-letter-not-mendable`` for fields that the change does not have or that are not to be mended;
            ``dead-letter-field`` for a value that is not of its type; ``dead-letter-taken`` when another record here
            has the value.
    """
    if record is None or record.kind is SyncKind.FACT:
        raise InvalidInput("dead-letter-fact")
    kind = type(record)
    strange = sorted(name for name in fields if name not in within or not _mendable(kind, name))
    if strange:
        raise InvalidInput("dead-letter-not-mendable", fields=", ".join(strange))
    try:
        values, _ = split_fields(kind, dict(fields))
    except ValueError as error:
        raise InvalidInput("dead-letter-field", reason=reason_in(error)) from error
    for name in unique_columns(kind):
        if name in values and holder_of(session, kind, name, values[name], record.id) is not None:
            raise InvalidInput("dead-letter-taken", field=name, value=str(values[name]))
    return values


def _mendable(record_type: type[Synced] | None, name: str) -> bool:
    if record_type is None or record_type.kind is SyncKind.FACT or name not in wire_fields(record_type):
        return False
    column = _columns(record_type)[name]
    return not column.foreign_keys and not isinstance(column.type, UtcDateTime) and name != "device_id"


def _has_field(entity: str, name: str) -> bool:
    record_type = synced_types().get(entity)
    return record_type is not None and name in wire_fields(record_type)


def _holds_text(entity: str, name: str) -> bool:
    return _has_field(entity, name) and issubclass(_python_type(_columns(synced_types()[entity])[name]), str)


def _columns(record_type: type[Synced]) -> Any:
    return Base.metadata.tables[record_type.__tablename__].columns  # type: ignore[attr-defined]  # set by each class


def _python_type(column: Any) -> type:
    found: type = column.type.python_type
    return found
