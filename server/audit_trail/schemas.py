"""Audit entries on the wire."""

from __future__ import annotations

from pydantic import Field

from sync.shared.schemas import Id, JsonObject, Moment, Reply


class AuditReply(Reply):
    """An audit entry: who did what with what, when and from where, chained to the one before it."""

    id: Id
    device_id: str = Field(description="Whose chain it is in: a station's, or `server`.")
    sequence: int = Field(description="Place in that chain, from 1.")
    created_at: Moment
    actor: str = Field(description="A user's name, `device:<id>` of a station or `key:<name>` of a machine.")
    action: str
    subject: str = Field(description="Kind of record.")
    subject_id: str
    detail: JsonObject = Field(
        description="`changes` has the old and the new value of each field; `address` and `station` say where it was "
        "asked for."
    )
    previous_digest: str = Field(description="Digest of the entry before it in the chain.")
    digest: str = Field(description="SHA-256 of this entry's content, the digest before it included.")
