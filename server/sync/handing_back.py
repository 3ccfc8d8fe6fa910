"""Gives parts back to a station: a copy of its store that was enrolled anew has sent them first, under its own name."""

from __future__ import annotations

from models.ids import new_id
from models.sessions import InspectionSession
from models.states import ChangeOperation
from models.synced import Master, Synced
from server.change_log.recording import ChangeMade, entry_of
from server.sync.ledger import Ledger

_OWNER = "device_id"


def hand_back(record: Synced, device_id: str, ledger: Ledger) -> int | None:
    """Make a session or fact the one of ``device_id`` again, where it was recorded; the copy's station is told.

    Args:
        record: as a copy of the station's store has sent it.
        device_id: the station, which sends the very same change.
        ledger: takes the log entry.

    Returns:
        The position of that in the change log; None when the record is the station's already, or is a master.
    """
    if isinstance(record, Master) or getattr(record, _OWNER) == device_id:
        return None
    copy_id: str = getattr(record, _OWNER)
    position = ledger.position()
    setattr(record, _OWNER, device_id)
    if isinstance(record, InspectionSession):
        record.rev = position
    made = ChangeMade(new_id(), ChangeOperation.UPDATE, {_OWNER: device_id}, record.clock, device_id)
    ledger.add_entry(entry_of(position, (record.entity, record.id), made, copy_id))
    return position
