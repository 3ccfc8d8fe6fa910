"""Named values of the sync engine, kept in the store so that they change together with what they describe."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from models.sync import SyncState

CURSOR = "cursor"
SNAPSHOT_RESUME = "snapshot_resume"
LAST_SUCCESS = "last_success"
LAST_FAILURE = "last_failure"
"""JSON of why passes have failed since one succeeded: ``since``, ``code``, ``values``; not there after a success."""
NEWEST_CLOCK = "newest_clock"
SCHEMA_VERSION = "schema_version"
DEVICE_ID = "device_id"
SERVER_URL = "server_url"
ACKNOWLEDGED = "acknowledged"
"""Cursor that came with the newest acknowledgement; a server that no longer knows it has lost what it took."""
COMPARED_TO = "compared_to"
"""Where the comparison with a server that went back has come to; not there when none is under way."""
SENT_AGAIN = "sent_again"
"""JSON of the last comparison that found something: ``at``, ``records``, ``blobs``."""


def get_value(session: Session, key: str) -> str | None:
    """Return a named value, None when it was never set."""
    state = session.get(SyncState, key)
    return state.value if state else None


def set_value(session: Session, key: str, value: str | None) -> None:
    """Set a named value within the caller's transaction; None removes it."""
    if value is None:
        session.execute(delete(SyncState).where(SyncState.key == key))
        return
    state = session.get(SyncState, key)
    if state is None:
        session.add(SyncState(key=key, value=value))
    else:
        state.value = value
