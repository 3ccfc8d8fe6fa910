"""Named values of the sync engine, kept in the store so that they change together with what they describe."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from models.sync import SyncState
from sync.shared import releases

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

DUE_AT = "due_at"
"""When the next pass of the running engine is due, unless something asks for one before."""
GENERATION = "generation"
"""Of the server at the last pass."""
STORE_ID = "store_id"
STORE_PARENT = "store_parent"
"""The store of which this one was a copy, from the moment it was seen."""
STORE_MACHINE = "store_machine"
"""Digest of the machine the store is bound to."""
STORE_RESTORED = "store_restored"
"""When a person restored a backup to this store."""
DRIFT_CHECKED_AT = "drift_checked_at"
DRIFT_FOUND = "drift_found"
"""JSON of the last drift check that found a difference: ``at``, ``places``."""
LEASE = "lease"
LEASE_NEXT = "lease_next"
"""The lease that was asked for and not yet confirmed: asked for again after a cut, so that no pass loses its right."""
REVOKED_AT = "revoked_at"
"""When the server said that this station is revoked; its credential was wiped then."""
HANDED_OVER_FROM = "handed_over_from"
"""The station whose store this was, until it is known what that one has sent of what waits here."""
LINK_METERED = "link_metered"
"""Whether the link was paid by volume when files were to be moved last: ``true`` or ``false``; else nobody knew."""
GIVEN_UP_AT = "given_up_at"
"""When a refused change was given up last; not there while none ever was."""
FORKED_AT = "forked_at"
"""When the server refused this store because another one is the station's own; not there when it is this one."""
RELEASE_KEY = releases.RELEASE_KEY
"""Public key of the server's model releases, kept from enrolment on; else the one it gave before the first release."""
RETENTION_AT = "retention_at"
"""When retention was applied last."""
RETENTION_UNDER_WAY = "retention_under_way"
"""JSON list of digests that the store no longer names and whose files are being deleted; not there otherwise."""


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


def forget_position(session: Session) -> None:
    """Make the next pull begin with the snapshot, within the caller's transaction; the outbox stays as it is."""
    set_value(session, CURSOR, None)
    set_value(session, SNAPSHOT_RESUME, None)
