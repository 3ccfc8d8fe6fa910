"""The newest stamp a server's store holds: its clock goes on from there after a restart, whatever the wall says."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.clock import Stamp
from models.sync import ChangeLogEntry
from models.synced import Master, synced_types


def newest_stamp(session: Session) -> Stamp | None:
    """Return the newest stamp that was given out here or that a master is merged by; None in a new store.

    A station's change with a stamp too far ahead gets one of this clock in its own name. Were that older than one that
    the station's earlier change has, the newer change would lose against it.
    """
    own = select(ChangeLogEntry.clock).where(ChangeLogEntry.device_id.is_(None))
    given = session.scalar(own.order_by(ChangeLogEntry.position.desc()).limit(1))
    masters = [kind for kind in synced_types().values() if issubclass(kind, Master)]
    held = [session.scalar(select(func.max(kind.clock))) for kind in masters]
    newest = max(given or "", *(clock or "" for clock in held))
    return Stamp.parse(newest) if newest else None
