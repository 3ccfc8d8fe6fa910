"""Which store may send under a station's id: claims of passes, and what is known of the stores that made them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.audit import AuditEntry
from models.clock import utc_now
from models.database import Database
from models.devices import Device, DeviceStore
from models.errors import Conflict
from models.states import StoreState
from server.audit import audited, differences
from server.auth.identity.principal import Principal
from server.change_log.generation import begin_generation, generation
from sync.shared.leases import ClaimDecision, KnownStore, decide
from sync.shared.problems import STORE_FORKED
from sync.shared.protocol import ClaimAnswer, StoreClaim

_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Known:
    """The stores a claim is about."""

    current: DeviceStore | None
    own: DeviceStore | None
    parent: DeviceStore | None


def begin_pass(database: Database, device_id: str, claim: StoreClaim, address: str = "") -> ClaimAnswer:
    """Let a store begin a pass under a station's id, or refuse it when another store is the station's own.

    Raises:
        Conflict: ``store-forked``; a store seen for the first time is kept for an administrator to decide on.
    """
    with database.read() as session:
        known = _known(session, device_id, claim)
        decision = _decide(claim, known)
        if decision is ClaimDecision.KEEP and generation(session) and _is_noted(known.current):
            return _answer(session, device_id, went_back=False)
    with database.local_transaction() as session:
        # Two claims of one station come one after the other.
        device = session.get(Device, device_id, with_for_update=True)
        begin_generation(session)
        known = _known(session, device_id, claim)
        decision = _decide(claim, known)
        if device is not None and decision is not ClaimDecision.REFUSE:
            device.last_seen_at = utc_now()
        if decision is ClaimDecision.REFUSE:
            _keep_refused(session, device_id, claim, known, address)
        elif decision is ClaimDecision.BIND:
            _bind(session, device_id, claim, known, address)
        elif known.current is not None:
            known.current.last_seen_at = utc_now()
            if decision is not ClaimDecision.KEEP:
                known.current.lease, known.current.machine = claim.next, claim.machine or known.current.machine
        session.flush()
        forgotten = decision is ClaimDecision.BIND and known.current is None and claim.held != ""
        answer = _answer(session, device_id, went_back=forgotten or decision is ClaimDecision.WENT_BACK)
    if decision is ClaimDecision.REFUSE:
        taken = known.own is not None and known.own.state is not StoreState.REFUSED
        raise Conflict(STORE_FORKED, members={"store_id_taken": taken})
    return answer


def _is_noted(store: DeviceStore | None) -> bool:
    """Return whether it is noted that the store has just been seen: a pass with nothing to send then writes nothing."""
    return store is not None and utc_now() - store.last_seen_at < _NOTED_EVERY


def _known(session: Session, device_id: str, claim: StoreClaim) -> _Known:
    query = select(DeviceStore).where(DeviceStore.device_id == device_id, DeviceStore.state == StoreState.CURRENT)
    parent = session.get(DeviceStore, claim.parent_id) if claim.parent_id else None
    return _Known(
        current=session.scalars(query).first(),
        own=session.get(DeviceStore, claim.store_id),
        parent=parent if parent is not None and parent.device_id == device_id else None,
    )


def _decide(claim: StoreClaim, known: _Known) -> ClaimDecision:
    return decide(claim, *(_as_known(store) for store in (known.current, known.own, known.parent)))


def _as_known(store: DeviceStore | None) -> KnownStore | None:
    return KnownStore(store.id, store.state, store.lease, store.machine) if store is not None else None


def _bind(session: Session, device_id: str, claim: StoreClaim, known: _Known, address: str) -> None:
    if known.own is not None:
        raise Conflict(STORE_FORKED, members={"store_id_taken": True})
    if known.current is not None:
        known.current.state = StoreState.RETIRED
    store = DeviceStore(
        id=claim.store_id,
        device_id=device_id,
        parent_id=claim.parent_id,
        state=StoreState.CURRENT,
        lease=claim.next,
        machine=claim.machine,
    )
    session.add(store)
    former = known.current.id if known.current is not None else None
    _audit(session, "store.restored" if former else "store.bound", store, former, address)


def _keep_refused(session: Session, device_id: str, claim: StoreClaim, known: _Known, address: str) -> None:
    if known.own is not None:
        if known.own.state is StoreState.REFUSED:
            known.own.last_seen_at = utc_now()
        return
    store = DeviceStore(
        id=claim.store_id,
        device_id=device_id,
        parent_id=claim.parent_id,
        state=StoreState.REFUSED,
        machine=claim.machine,
    )
    session.add(store)
    _audit(session, "store.refused", store, None, address)


def _audit(session: Session, action: str, store: DeviceStore, former: str | None, address: str) -> None:
    who = replace(Principal.of_device(store.device_id), address=address)
    chosen = {"store_id": store.id, "parent_id": store.parent_id or None}
    audited(session, who, action, "device", store.device_id, changes=differences({"store_id": former}, chosen))


def _answer(session: Session, device_id: str, *, went_back: bool) -> ClaimAnswer:
    query = (
        select(AuditEntry.sequence, AuditEntry.digest)
        .where(AuditEntry.device_id == device_id)
        .order_by(AuditEntry.sequence.desc())
        .limit(1)
    )
    newest = session.execute(query).one_or_none()
    return ClaimAnswer(
        generation=generation(session),
        went_back=went_back,
        audit_sequence=newest.sequence if newest else 0,
        audit_digest=newest.digest if newest else "",
    )
