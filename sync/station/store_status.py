"""What the identity of a store and its server's generation are, as shown to people."""

from __future__ import annotations

import json
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.states import OutboxState
from models.sync import OutboxEntry
from sync.shared.problems import MASTER_NOT_TAKEN, MISSING_PARENT
from sync.station.state import (
    DRIFT_FOUND,
    FORKED_AT,
    GENERATION,
    REVOKED_AT,
    STORE_ID,
    STORE_PARENT,
    STORE_RESTORED,
    get_value,
)


class DriftFound(BaseModel):
    """What the last drift check found that found anything.

    Attributes:
        at: when.
        count: places that differ.
        places: entity and day, or a file's digest, of the first ones.
    """

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime
    count: int
    places: list[str]


class StoreStatus(BaseModel):
    """The identity of a store.

    Attributes:
        store_id: its own; None before the first pass.
        parent_id: the store of which it is a copy, None when it is none.
        generation: of the server at the last pass.
        forked_at: when the server refused this store because another one is the station's own; None when it does not.
        restored_at: when a person restored a backup to it.
        revoked_at: when the server said that the station is revoked.
        waits_for_others: changes that wait for a record that the server lost, or for an administrator to take it.
        drift: the last difference that the daily check found.
    """

    model_config = ConfigDict(frozen=True)

    store_id: str | None = None
    parent_id: str | None = None
    generation: str | None = None
    forked_at: AwareDatetime | None = None
    restored_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None
    waits_for_others: int = 0
    drift: DriftFound | None = None


def store_status(session: Session) -> StoreStatus:
    """Return the identity of the store, read in the caller's transaction."""
    drift = get_value(session, DRIFT_FOUND)
    waiting = (
        select(func.count())
        .select_from(OutboxEntry)
        .where(OutboxEntry.state == OutboxState.WAITING, OutboxEntry.last_error.in_([MISSING_PARENT, MASTER_NOT_TAKEN]))
    )
    values: dict[str, Any] = {
        "store_id": get_value(session, STORE_ID),
        "parent_id": get_value(session, STORE_PARENT),
        "generation": get_value(session, GENERATION),
        "forked_at": get_value(session, FORKED_AT),
        "restored_at": get_value(session, STORE_RESTORED),
        "revoked_at": get_value(session, REVOKED_AT),
        "waits_for_others": session.scalar(waiting) or 0,
        "drift": json.loads(drift) if drift else None,
    }
    return StoreStatus.model_validate(values)
