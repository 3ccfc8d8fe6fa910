"""What administrators see and choose of the synchronisation."""

from __future__ import annotations

from pydantic import Field

from sync.shared.schemas import Id, Moment, RecordId, Reply, Request


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
