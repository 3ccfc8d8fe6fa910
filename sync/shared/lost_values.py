"""The record of a value that lost to another, as both sides keep it until a person has decided."""

from __future__ import annotations

from models.clock import Stamp
from models.sync import SyncConflict
from sync.shared.protocol import FieldConflict


def lost_value(entity: str, entity_id: str, change_id: str, conflict: FieldConflict) -> SyncConflict:
    """Return the record of a conflict in one field; the device is that of the value that lost."""
    return SyncConflict(
        entity=entity,
        entity_id=entity_id,
        field=conflict.field,
        change_id=change_id,
        device_id=Stamp.parse(conflict.lost_clock).device if conflict.lost_clock else "",
        kept_value=conflict.kept_value,
        kept_clock=conflict.kept_clock,
        kept_by=conflict.kept_by,
        kept_user=conflict.kept_user,
        lost_value=conflict.lost_value,
        lost_clock=conflict.lost_clock,
        lost_by=conflict.lost_by,
        lost_user=conflict.lost_user,
    )
