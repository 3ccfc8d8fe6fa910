"""Wire types of the sync feature that are not part of the protocol between station and server."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sync.shared.schemas import Id, Moment, RecordId, Reply, Request


class ConflictReply(Reply):
    """A field that was changed on two sides: the value that holds and the one that lost."""

    id: Id
    entity: str
    entity_id: Id
    field: str
    device_id: str = Field(description="Whose value lost; `server` is the server itself.")
    kept_value: Any
    kept_clock: str = Field(description="When it was made: milliseconds since 1970, a counter, and where.")
    kept_by: str = Field(description="Who made it: user and station, as far as known.")
    kept_user: str | None = Field(description="The user among them; empty: not known; null: of an earlier version.")
    lost_value: Any
    lost_clock: str = Field(description="When it was made.")
    lost_by: str = Field(description="Who made it.")
    lost_user: str | None = Field(description="The user among them.")
    created_at: Moment


class OfferedMasterReply(Reply):
    """A master that a station holds and this server lost with a restore, or has in an older state."""

    entity: str
    entity_id: Id
    label: str = Field(description="Its code or name.")
    device_id: str = Field(description="The station that offered it first.")
    offered_at: Moment
    taken_at: Moment | None = Field(description="When an administrator asked for it; null: not yet.")


class OfferChoice(Request):
    """Which offered masters to take."""

    entity_ids: list[RecordId] | None = Field(
        default=None, min_length=1, max_length=1000, description="Null: all of them."
    )
