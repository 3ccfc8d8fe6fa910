"""The identity of a store: its own id, the machine it is bound to, and the lease by which the server knows a copy.

A store that finds itself on another machine, that was restored from a backup, or whose lease the server no longer takes
is a copy: it gets an id of its own and names the one it had as its parent. What it recorded stays in it.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.audit import append_audit
from models.clock import rfc3339, utc_now
from models.database import Database
from models.ids import new_id
from models.states import OutboxState
from models.sync import Blob, OutboxEntry
from sync.shared.leases import Lease
from sync.shared.protocol import ClaimAnswer, StoreClaim
from sync.station.state import (
    ACKNOWLEDGED,
    FORKED_AT,
    GENERATION,
    LEASE,
    LEASE_NEXT,
    REVOKED_AT,
    STORE_ID,
    STORE_MACHINE,
    STORE_PARENT,
    STORE_RESTORED,
    forget_position,
    get_value,
    set_value,
)

_ACTOR = "imageflow"


def prepare_claim(database: Database, machine: str) -> StoreClaim:
    """Return the claim of this store for a pass, and keep what it asks for before it is sent.

    Args:
        database: the station's.
        machine: digest of this machine, empty when nothing tells it from others.
    """
    with database.read() as session:
        claim = _claim(session, machine)
    if claim is not None:
        return claim
    with database.transaction() as session:
        bound = get_value(session, STORE_MACHINE)
        if get_value(session, STORE_ID) is None:
            set_value(session, STORE_ID, new_id())
        elif machine and bound and machine != bound:
            branch(session)
        if machine:
            set_value(session, STORE_MACHINE, machine)
        if get_value(session, LEASE_NEXT) is None:
            set_value(session, LEASE_NEXT, str(Lease.parse(get_value(session, LEASE) or "").following()))
        session.flush()
        made = _claim(session, machine)
    if made is None:
        raise RuntimeError("a store that was bound has no claim")
    return made


def _claim(session: Session, machine: str) -> StoreClaim | None:
    """Return the claim that can be made without a change to the store, None when there is none."""
    store_id, bound = get_value(session, STORE_ID), get_value(session, STORE_MACHINE)
    held, asked = get_value(session, LEASE) or "", get_value(session, LEASE_NEXT)
    wanted = asked or (held if held and not _has_to_send(session) else None)
    if store_id is None or wanted is None or (machine and machine != bound):
        return None
    return StoreClaim(
        store_id=store_id,
        parent_id=get_value(session, STORE_PARENT),
        held=held,
        next=wanted,
        machine=machine or bound or "",
        restored=get_value(session, STORE_RESTORED) is not None,
    )


def _has_to_send(session: Session) -> bool:
    waiting = select(OutboxEntry.sequence).where(OutboxEntry.state == OutboxState.WAITING).limit(1)
    blob = select(Blob.sha256).where(Blob.present, Blob.uploaded_at.is_(None)).limit(1)
    return session.scalar(waiting) is not None or session.scalar(blob) is not None


def branch(session: Session, *, restored: bool = False) -> None:
    """Make the store one of its own, within the caller's transaction: a copy of the one whose id it had.

    Its position in the server's log may be of another life, so the next pass begins with the snapshot.

    Args:
        session: the transaction.
        restored: a person has restored a backup to it, on purpose; it is bound to the machine of its next pass.
    """
    if restored:
        set_value(session, STORE_MACHINE, None)
    set_value(session, STORE_PARENT, get_value(session, STORE_ID))
    set_value(session, STORE_ID, new_id())
    set_value(session, STORE_RESTORED, rfc3339(utc_now()) if restored else None)
    for key in (LEASE, LEASE_NEXT, ACKNOWLEDGED):
        set_value(session, key, None)
    forget_position(session)


def take_answer(session: Session, claim: StoreClaim, answer: ClaimAnswer) -> bool:
    """Keep what the server confirmed, within the caller's transaction; return whether the server went back."""
    before = get_value(session, GENERATION)
    set_value(session, LEASE, claim.next)
    set_value(session, LEASE_NEXT, None)
    set_value(session, FORKED_AT, None)
    set_value(session, GENERATION, answer.generation)
    return answer.went_back or before not in {None, answer.generation}


def note_revocation(database: Database, device_id: str) -> None:
    """Record once that the server has revoked this station."""
    with database.transaction() as session:
        if get_value(session, REVOKED_AT) is None:
            set_value(session, REVOKED_AT, rfc3339(utc_now()))
            append_audit(session, device_id=device_id, actor=_ACTOR, action="sync.station_revoked")


def note_fork(session: Session, device_id: str, *, taken: bool) -> None:
    """Record that the server refused this store, within the caller's transaction.

    Args:
        session: the transaction.
        device_id: this station.
        taken: the store's id is another one's by now, so that it needs one of its own to claim with.
    """
    if taken:
        branch(session)
    if get_value(session, FORKED_AT) is not None:
        return
    set_value(session, FORKED_AT, rfc3339(utc_now()))
    detail = {"store_id": get_value(session, STORE_ID) or "", "parent_id": get_value(session, STORE_PARENT) or ""}
    append_audit(session, device_id=device_id, actor=_ACTOR, action="sync.store_forked", detail=detail)
