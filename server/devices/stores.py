"""The stores under a station's id, and the administrator's decision which of them is the station's own."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.devices import Device, DeviceStore
from models.errors import NotFound
from models.states import StoreState
from server.audit import audited, differences
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.records import require_record
from server.core.revisions import WHATEVER, Expected, revision_of
from server.devices.schemas import DeviceStoreChoice, DeviceStoreReply


def list_stores(context: ServerContext, device_id: str) -> list[DeviceStoreReply]:
    """Return the stores that have given themselves out as a station, oldest first.

    Raises:
        NotFound: ``device-unknown``.
    """
    query = select(DeviceStore).where(DeviceStore.device_id == device_id).order_by(DeviceStore.id)
    with context.database.read() as session:
        require_record(session, Device, device_id, "device-unknown")
        return [DeviceStoreReply.model_validate(store) for store in session.scalars(query)]


def get_store(context: ServerContext, device_id: str) -> DeviceStoreReply:
    """Return the store that is a station's own.

    Raises:
        NotFound: ``device-unknown``; ``store-unknown`` before its first one is.
    """
    with context.database.read() as session:
        require_record(session, Device, device_id, "device-unknown")
        store = _current(session, device_id)
        if store is None:
            raise NotFound("store-unknown")
        return DeviceStoreReply.model_validate(store)


def revision_of_choice(store_id: str) -> str:
    """Return the revision of the choice of a store; what the store does meanwhile does not change it."""
    return revision_of(DeviceStoreChoice(store_id=store_id))


def accept_store(
    context: ServerContext, who: Principal, device_id: str, store_id: str, expected: Expected = WHATEVER
) -> DeviceStoreReply:
    """Make a store the station's own; the one that was is refused from now on, and keeps what it has.

    Raises:
        NotFound: ``device-unknown``, ``store-unknown``.
        PreconditionFailed: ``revision-mismatch``.
    """
    with context.database.local_transaction(who.user_id) as session:
        require_record(session, Device, device_id, "device-unknown", locked=True)
        present = _current(session, device_id)
        if present is not None:
            expected.require(DeviceStoreChoice(store_id=present.id))
        return DeviceStoreReply.model_validate(choose_store(session, who, device_id, store_id))


def _current(session: Session, device_id: str) -> DeviceStore | None:
    query = select(DeviceStore).where(DeviceStore.device_id == device_id, DeviceStore.state == StoreState.CURRENT)
    return session.scalars(query).first()


def choose_store(session: Session, who: Principal, device_id: str, store_id: str) -> DeviceStore:
    """Make a store the station's own within the caller's transaction, and return it; see ``accept_store``."""
    require_record(session, Device, device_id, "device-unknown", locked=True)
    store = session.get(DeviceStore, store_id)
    if store is None or store.device_id != device_id:
        raise NotFound("store-unknown")
    before = _current(session, device_id)
    if store is before:
        return store
    if before is not None:
        before.state, before.decided_by = StoreState.RETIRED, who.username
    # Whatever lease it holds, it goes on from its next pass.
    store.state, store.lease, store.decided_by = StoreState.CURRENT, "", who.username
    changes = differences({"store_id": before.id if before is not None else None}, {"store_id": store_id})
    audited(session, who, "store.accepted", "device", device_id, changes=changes)
    session.flush()
    return store
