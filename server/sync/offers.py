"""Masters that this server lost with a restore and that stations still hold: listed, and taken when a person says so.

What a station's own user changed comes again as that user's edit. What was made elsewhere the station only holds:
whoever has a station's credential could claim anything to have been there, so an administrator looks at it first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.clock import utc_now
from models.errors import Conflict, NotFound
from models.insertion import insert_if_absent
from models.sync import OfferedMaster
from models.synced import Master, snapshot, synced_types
from server.audit import audited, differences
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.sync.effects import TryLater
from server.sync.schemas import OfferChoice, OfferedMasterReply
from sync.shared.merge import field_states
from sync.shared.problems import MASTER_NOT_TAKEN
from sync.shared.protocol import Change, HeldRecord, Inventory, Lacking

_WHEN = len("0000000000000-0000")
"""Letters of a stamp that say when; the rest says where, which a station that sends a change replaces."""
_NOT_MERGED = frozenset({"updated_at"})
_GOOD_FOR = timedelta(days=30)
_MOST_NAMED = 50


def keep_offers(session: Session, device_id: str, held: Inventory, found: Lacking, address: str = "") -> None:
    """Keep for the administrator which masters of others a station holds in a newer state than this server has."""
    lost = _lost(held, found)
    known = {(row.entity, row.entity_id) for row in _rows(session, lost)}
    for one in lost:
        clock = one.clock or one.foreign_clock
        row = OfferedMaster(
            entity=one.entity, entity_id=one.entity_id, label=one.label, clock=clock, device_id=device_id
        )
        insert_if_absent(session, row)
    new = [one for one in lost if (one.entity, one.entity_id) not in known]
    if new:
        names = [f"{one.entity} {one.label or one.entity_id}" for one in new[:_MOST_NAMED]]
        who = replace(Principal.of_device(device_id), address=address)
        audited(session, who, "sync.masters_offered", "device", device_id, masters=names, count=len(new))


def has_offers(held: Inventory, found: Lacking) -> bool:
    """Return whether there is anything for ``keep_offers`` to keep."""
    return bool(_lost(held, found))


def _lost(held: Inventory, found: Lacking) -> list[HeldRecord]:
    given = {(one.entity, one.entity_id): one for one in held.records}
    stale = [(given[one.entity, one.entity_id], one.clock) for one in found.masters]
    return [one for one, present in stale if one.foreign_clock[:_WHEN] > present[:_WHEN]]


def _rows(session: Session, wanted: Iterable[HeldRecord]) -> Iterable[OfferedMaster]:
    return session.scalars(select(OfferedMaster).where(OfferedMaster.entity_id.in_([one.entity_id for one in wanted])))


def require_taken(session: Session, change: Change, present: Master | None) -> bool:
    """Return whether a change without a user is an offer that was taken; False when it is none.

    An offer that was taken is good for a month. It changes no field that was changed later here. Another station's
    offer of the same may come after it, and changes nothing.

    Raises:
        TryLater: with ``master-not-taken`` until an administrator takes it.
    """
    offer = session.get(OfferedMaster, (change.entity, change.entity_id))
    if offer is None or change.clock[:_WHEN] > offer.clock[:_WHEN]:
        return False
    if present is not None and _changes_nothing(present, change):
        return True
    if offer.taken_at is None:
        raise TryLater(Conflict(MASTER_NOT_TAKEN, entity=change.entity, label=offer.label or change.entity_id))
    return _is_good(offer) and (present is None or _changes_nothing_newer(present, change))


def _is_good(offer: OfferedMaster) -> bool:
    return offer.taken_at is not None and offer.taken_at > utc_now() - _GOOD_FOR


def _differing(present: Master, change: Change) -> set[str]:
    now = snapshot(present)
    return {name for name, value in change.fields.items() if now.get(name) != value} - _NOT_MERGED


def _changes_nothing_newer(present: Master, change: Change) -> bool:
    """Return whether every field that a change would alter was changed before it here, whatever base it names."""
    states = field_states(present.field_clocks)
    return all(
        name not in states or states[name].clock[:_WHEN] < change.clock[:_WHEN] for name in _differing(present, change)
    )


def _changes_nothing(present: Master, change: Change) -> bool:
    """Return whether every value of a change is here already, or one that is newer and that its author had not seen."""
    states = field_states(present.field_clocks)
    return all(
        name in states
        and (states[name].rev or 0) > (change.base_rev or 0)
        and states[name].clock[:_WHEN] >= change.clock[:_WHEN]
        for name in _differing(present, change)
    )


def list_offers(context: ServerContext) -> list[OfferedMasterReply]:
    """Return the offered masters that nobody has taken yet, or that have not come yet, oldest offer first."""
    with context.database.read() as session:
        return [OfferedMasterReply.model_validate(row) for row in _open_rows(session)]


def take_offers(context: ServerContext, who: Principal, choice: OfferChoice) -> list[OfferedMasterReply]:
    """Let stations send the offered masters that are named, or all of them, and return these.

    They come with the next pass of a station that holds them.

    Raises:
        NotFound: ``offer-unknown``.
    """
    with context.database.local_transaction(who.user_id) as session:
        rows = _open_rows(session)
        if choice.entity_ids is not None:
            unknown = set(choice.entity_ids) - {row.entity_id for row in rows}
            if unknown:
                raise NotFound("offer-unknown", entity_id=min(unknown))
            rows = [row for row in rows if row.entity_id in choice.entity_ids]
        for row in rows:
            if not _is_good(row):
                before = {"taken_at": row.taken_at}
                row.taken_at = utc_now()
                taken = differences(before, {"taken_at": row.taken_at})
                audited(session, who, "sync.master_taken", row.entity, row.entity_id, label=row.label, changes=taken)
        session.flush()
        return [OfferedMasterReply.model_validate(row) for row in rows]


def _open_rows(session: Session) -> list[OfferedMaster]:
    query = select(OfferedMaster).order_by(OfferedMaster.offered_at, OfferedMaster.entity_id)
    return [row for row in session.scalars(query) if row.taken_at is None or not _has_come(session, row)]


def _has_come(session: Session, offer: OfferedMaster) -> bool:
    record = session.get(synced_types()[offer.entity], offer.entity_id)
    return record is not None and record.clock[:_WHEN] >= offer.clock[:_WHEN]
