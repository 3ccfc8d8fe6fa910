"""Checks of a record as a pushed change would leave it, by the schema and by the rules of ``server.masters``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import Column
from sqlalchemy.orm import Session

from models.errors import Conflict, InvalidInput
from models.pipelines import Pipeline
from models.rejections import of_field, reason_in
from models.states import ChangeOperation
from models.synced import Master, Synced, split_fields
from models.users import User
from server.masters.rules import column_values, counted_version, require_deletable, require_valid
from server.sync.effects import TryLater
from server.sync.payload_validation import require_valid_payload
from server.users.rules import require_free_username
from sync.shared.problems import MISSING_PARENT
from sync.shared.protocol import Change
from sync.shared.records import holder_of, lacking, parents_of, unique_columns

_NAMING = frozenset({"username", "deleted_at"})
"""Fields with which a user may come to have a name."""
VERSION = "version"
"""Counted by the server; a station only proposes it."""


def valid_values(record_type: type[Synced], fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values of the columns, and the fields that this release has no column for.

    Raises:
        InvalidInput: ``sync-change-invalid``, or as ``require_valid_payload``.
    """
    try:
        values, extra = split_fields(record_type, fields)
    except ValueError as error:
        raise InvalidInput("sync-change-invalid", reason=reason_in(error)) from error
    require_valid_payload(record_type, values)
    return values, extra


def require_parents(
    record_type: type[Synced],
    present: Synced | None,
    change: Change,
    values: Mapping[str, Any],
    is_there: Callable[[Column[Any], str], bool],
) -> None:
    """Check that the record a change is of, and those it names, are there.

    Args:
        record_type: kind of the record.
        present: the record before the change, None when it is new.
        change: as pushed.
        values: column → value, of those that the change names.
        is_there: whether a record is there whose id is in a column.

    Raises:
        TryLater: with ``MISSING_PARENT``; the change that makes the missing one may come later.
    """
    if present is None and change.op is not ChangeOperation.INSERT:
        raise TryLater(Conflict(MISSING_PARENT, field="id", parent=change.entity_id))
    for parent, key in parents_of(record_type, values):
        if not is_there(key, parent.id):
            raise TryLater(Conflict(MISSING_PARENT, field=parent.field, parent=parent.id))


def require_insertable(session: Session, record_type: type[Synced], record_id: str, values: Mapping[str, Any]) -> None:
    """Check a record that would be new.

    Raises:
        InvalidInput: ``sync-change-invalid`` when a value is missing, or as ``require_valid``.
        Conflict: ``sync-not-unique``, ``username-taken``.
    """
    whole = {"id": record_id, **values}
    missing = lacking(record_type, whole)
    if missing:
        raise InvalidInput("sync-change-invalid", reason=of_field(", ".join(missing), "value-missing").reason)
    _require_unique(session, record_type, record_id, values)
    _require_valid(session, record_type, whole, values.keys())


def require_mergeable(session: Session, present: Synced, values: Mapping[str, Any], change: Change) -> int | None:
    """Check a record as the values taken would leave it; return a pipeline's new version, None where it stays.

    Raises:
        Conflict: ``sync-not-unique``, or as ``require_deletable``, ``username-taken``.
        UserFacingError: as ``require_valid``.
    """
    _require_unique(session, type(present), present.id, {**_unique_values(present), **values})
    if not isinstance(present, Master):
        return None
    before = column_values(present)
    changed = {name for name, value in values.items() if before[name] != value}
    if present.deleted_at is None and values.get("deleted_at") is not None:
        require_deletable(session, present)
    _require_valid(session, type(present), {**before, **values}, changed)
    if not isinstance(present, Pipeline):
        return None
    proposed = change.fields.get(VERSION)
    version = counted_version(present.version, proposed=proposed, changed="definition" in changed)
    return version if version != present.version else None


def _require_valid(
    session: Session, record_type: type[Synced], values: Mapping[str, Any], changed: Collection[str]
) -> None:
    require_valid(session, record_type, values, changed)
    if record_type is User and values.get("deleted_at") is None and _NAMING.intersection(changed):
        require_free_username(session, values["username"], values["id"])


def _require_unique(session: Session, record_type: type[Synced], record_id: str, values: Mapping[str, Any]) -> None:
    if values.get("deleted_at") is not None:
        return
    for name in unique_columns(record_type):
        if name in values and holder_of(session, record_type, name, values[name], record_id) is not None:
            raise Conflict("sync-not-unique", field=name, value=values[name])


def _unique_values(present: Synced) -> dict[str, Any]:
    names = [*unique_columns(type(present)), "deleted_at"]
    return {name: getattr(present, name) for name in names if hasattr(present, name)}
