"""Audit entries of what is done over REST, on the server's own chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models.audit import append_local_audit
from models.synced import to_wire
from server.auth.identity.principal import Principal

SERVER_DEVICE = "server"


@dataclass(frozen=True, slots=True)
class AuditedChange:
    """A change of a record as the audit trail keeps it.

    Attributes:
        who: changed it.
        action: what was done.
        subject: kind of record.
        subject_id: of the record.
        changes: as ``differences``.
        unknown_fields: names of fields that this version does not know: a value of theirs may be a secret.
    """

    who: Principal
    action: str
    subject: str
    subject_id: str
    changes: dict[str, Any]
    unknown_fields: tuple[str, ...] = ()


def record_changes(session: Session, changes: Iterable[AuditedChange]) -> None:
    """Record changes in the transaction that makes them."""
    for one in changes:
        detail = {"unknown_fields": list(one.unknown_fields)} if one.unknown_fields else {}
        audited(session, one.who, one.action, one.subject, one.subject_id, changes=one.changes, **detail)


def audited(session: Session, who: Principal, action: str, subject: str, subject_id: str, **detail: Any) -> None:
    """Record a mutation in the transaction that makes it, with the address and the station it was asked for from."""
    audited_alike(session, who, action, subject, subject_id, detail)


def audited_alike(
    session: Session,
    who: Principal,
    action: str,
    subject: str,
    subject_id: str,
    detail: Mapping[str, Any],
    *,
    kept: bool | None = None,
) -> None:
    """Record as ``audited``; ``kept`` is that of ``append_local_audit``."""
    where = {"address": who.address, "station": who.device_id}
    append_local_audit(
        session,
        device_id=SERVER_DEVICE,
        actor=who.username,
        action=action,
        subject=subject,
        subject_id=subject_id,
        detail={**detail, **{name: value for name, value in where.items() if value}},
        kept=kept,
    )


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return old and new value of each field that a change makes different, as an audit entry keeps them.

    Args:
        before: field → value; a missing one counts as None.
        after: field → value of the fields that the change names; never a secret.
    """
    old = {name: to_wire(before.get(name)) for name in after}
    new = {name: to_wire(value) for name, value in after.items()}
    return {name: {"old": old[name], "new": new[name]} for name in sorted(new) if old[name] != new[name]}


def made(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the changes of a record that is new: each field from None to its value; never a secret."""
    return differences({}, content)


def removed(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the changes of a record that is deleted: each field from its value to None; never a secret."""
    return differences(content, dict.fromkeys(content))
