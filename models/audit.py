"""The audit trail: who did what, chained by SHA-256 so that a change or a gap in the past can be seen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from sqlalchemy import BigInteger, Index, String, Table, bindparam, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.orm.attributes import flag_modified

from models.base import Base
from models.clock import rfc3339, utc_now
from models.ids import new_id
from models.insertion import insert_if_absent
from models.last_work import do_last
from models.prepared import Prepared
from models.storage import sha256_of
from models.stored_json import as_stored
from models.synced import Fact

GENESIS = "0" * 64


class AuditEntry(Fact, Base, kw_only=True, eq=False):
    """One action, chained to the one before it on the same device.

    Attributes:
        sequence: place in the device's chain, from 1.
        previous_digest: digest of the entry before it, 64 zeros for the first.
        digest: SHA-256 over the entry's content and ``previous_digest``.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (Index("uq_audit_entries_chain", "device_id", "sequence", unique=True),)
    entity: ClassVar[str] = "audit_entry"

    sequence: Mapped[int] = mapped_column(BigInteger)
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(64), default="")
    subject_id: Mapped[str] = mapped_column(String(64), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    previous_digest: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class AuditHead(Base, kw_only=True, eq=False):
    """The newest link of a device's chain; locked while one is added."""

    __tablename__ = "audit_heads"

    device_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, default=0)
    digest: Mapped[str] = mapped_column(String(64), default=GENESIS)


@dataclass(frozen=True, slots=True)
class AuditProblem:
    """A place where a chain does not hold."""

    device_id: str
    sequence: int
    reason: str


def audit_digest(entry: AuditEntry) -> str:
    """Return the SHA-256 of an entry: canonical JSON (sorted keys, no spaces, UTF-8) of its content."""
    return _digest({name: getattr(entry, name) for name in _CHAINED})


def seal_audit(entry: AuditEntry) -> str:
    """Set and return the digest of an entry at a new place, its detail in the form that every engine gives back."""
    entry.detail = as_stored(entry.detail)
    # Equal to Python, 1e16 and -0.0 would not be written anew.
    flag_modified(entry, "detail")
    entry.digest = audit_digest(entry)
    return entry.digest


def append_audit(
    session: Session,
    *,
    device_id: str,
    actor: str,
    action: str,
    subject: str = "",
    subject_id: str = "",
    detail: dict[str, Any] | None = None,
) -> AuditEntry:
    """Add an entry that travels to the chain of ``device_id`` within the caller's transaction and return it.

    The chain's head stays locked until the transaction ends: append after all other writes.
    """
    locked = select(AuditHead).where(AuditHead.device_id == device_id).with_for_update()
    head = session.scalar(locked)
    if head is None:
        insert_if_absent(session, AuditHead(device_id=device_id))
        head = session.scalars(locked).one()
    entry = AuditEntry(
        device_id=device_id,
        sequence=head.sequence + 1,
        actor=actor,
        action=action,
        subject=subject,
        subject_id=subject_id,
        detail=as_stored(detail or {}),
        previous_digest=head.digest,
        digest="",
    )
    entry.digest = audit_digest(entry)
    head.sequence, head.digest = entry.sequence, entry.digest
    session.add(entry)
    return entry


def append_local_audit(
    session: Session,
    *,
    device_id: str,
    actor: str,
    action: str,
    subject: str = "",
    subject_id: str = "",
    detail: dict[str, Any] | None = None,
    kept: bool | None = None,
) -> None:
    """Add an entry that stays in this store to the chain of ``device_id``, as the last writes of the transaction.

    So the chain's head is locked as briefly as can be. The statements pass by the session: it has no record to keep.

    Args:
        session: the transaction.
        device_id: whose chain.
        actor: who did it.
        action: what was done.
        subject: kind of record.
        subject_id: of the record.
        detail: further values.
        kept: given, the entry is written within a savepoint, and taken back where False: either takes the same
            statements, so that nobody can tell by the time.
    """
    entry = {
        "id": new_id(),
        "created_at": utc_now(),
        "device_id": device_id,
        "actor": actor,
        "action": action,
        "subject": subject,
        "subject_id": subject_id,
        "detail": as_stored(detail or {}),
    }
    do_last(session, lambda writing: _link(writing, entry) if kept is None else _link_within(writing, entry, kept=kept))


def _link_within(session: Session, entry: dict[str, Any], *, kept: bool) -> None:
    savepoint = session.connection().begin_nested()
    _link(session, entry)
    if kept:
        savepoint.commit()
    else:
        savepoint.rollback()


def _link(session: Session, entry: dict[str, Any]) -> None:
    connection = session.connection()
    key = {"of_device": entry["device_id"]}
    head = _HEAD.first(connection, key)
    if head is None:
        insert_if_absent(session, AuditHead(device_id=entry["device_id"]))
        (head,) = _HEAD.all(connection, key)
    entry = {**entry, "sequence": head.sequence + 1, "previous_digest": head.digest, "clock": "", "extra": {}}
    entry["digest"] = _digest({name: entry[name] for name in _CHAINED})
    _ADD.run(connection, entry)
    _MOVE.run(connection, {**key, "to_sequence": entry["sequence"], "to_digest": entry["digest"]})


def _digest(content: dict[str, Any]) -> str:
    wire = {**content, "created_at": rfc3339(content["created_at"])}
    return sha256_of(json.dumps(wire, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


_CHAINED = (
    "device_id",
    "sequence",
    "created_at",
    "actor",
    "action",
    "subject",
    "subject_id",
    "detail",
    "previous_digest",
)
_HEAD = Prepared(
    select(AuditHead.sequence, AuditHead.digest).where(AuditHead.device_id == bindparam("of_device")).with_for_update()
)
_ADD = Prepared(insert(cast("Table", AuditEntry.__table__)), (*_CHAINED, "id", "digest", "clock", "extra"))
_MOVE = Prepared(
    update(cast("Table", AuditHead.__table__))
    .where(AuditHead.device_id == bindparam("of_device"))
    .values(sequence=bindparam("to_sequence"), digest=bindparam("to_digest"))
)


def verify_audit(session: Session) -> list[AuditProblem]:
    """Walk every chain in the store and return where it does not hold; empty when all is well.

    A chain that was pulled from elsewhere may end before its head; it may not have a gap or an altered entry.
    """
    problems: list[AuditProblem] = []
    last: dict[str, tuple[int, str]] = {}
    query = select(AuditEntry).order_by(AuditEntry.device_id, AuditEntry.sequence)
    for entry in session.scalars(query.execution_options(yield_per=500)):
        sequence, digest = last.get(entry.device_id, (0, GENESIS))
        if entry.sequence != sequence + 1:
            problems.append(AuditProblem(entry.device_id, entry.sequence, "gap"))
        elif entry.previous_digest != digest:
            problems.append(AuditProblem(entry.device_id, entry.sequence, "broken-link"))
        if audit_digest(entry) != entry.digest:
            problems.append(AuditProblem(entry.device_id, entry.sequence, "altered"))
        last[entry.device_id] = (entry.sequence, entry.digest)
    for head in session.scalars(select(AuditHead)):
        sequence, digest = last.get(head.device_id, (0, GENESIS))
        if (sequence, digest) != (head.sequence, head.digest):
            problems.append(AuditProblem(head.device_id, head.sequence, "end-missing"))
    return problems
