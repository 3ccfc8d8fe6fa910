"""Names of what statistics are grouped by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.batches import in_batches
from models.devices import Device
from models.targets import InspectionItem, Target
from models.users import User
from server.quality.cells import Dimension

_NAMES: dict[Dimension, tuple[Any, Any]] = {
    Dimension.TARGET: (Target.id, Target.name),
    Dimension.ITEM: (InspectionItem.id, InspectionItem.name),
    Dimension.STATION: (Device.id, Device.name),
    Dimension.USER: (User.id, User.username),
}


def names_of(session: Session, by: Dimension, keys: Iterable[str]) -> dict[str, str]:
    """Return the names of records by their ids; days and classes, and records that are not there, have none."""
    if by not in _NAMES:
        return {}
    record_id, name = _NAMES[by]
    found: dict[str, str] = {}
    for some in in_batches(sorted(keys)):
        found.update((row[0], row[1]) for row in session.execute(select(record_id, name).where(record_id.in_(some))))
    return found
