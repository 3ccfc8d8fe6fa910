"""The wire types of the sync protocol; both sides parse and write exactly these.

Members a side does not know are kept (``extra="allow"``), so that one schema version beside another loses nothing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.clock import Stamp
from models.ids import canonical_id, is_id
from models.rejections import RejectedValueError
from models.states import ChangeOperation
from models.storage import is_digest

SCHEMA_VERSION = 1
MAX_BATCH_CHANGES = 500
MAX_BATCH_BYTES = 1024 * 1024
MAX_PAGE_CHANGES = 1000
MAX_COMPARED = 500
MAX_BLOBS = 256
MAX_SKEW_MS = 5 * 60 * 1000
TOMBSTONE_DAYS = 90
_NO_NUL = r"^[^\x00]*$"
"""What PostgreSQL can keep."""
SYNC_PATH = "/inspection/sync"
LIVE_SYNC_PATH = "/ws/sync"
"""Where the server says on a WebSocket when there is something to pull."""
CHANGES_AVAILABLE = "changes_available"
"""The type of the message that says so."""


Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of a blob.")]


class Wire(BaseModel):
    """Base of what travels: unknown members survive a round trip."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Change(Wire):
    """One change of one record.

    Attributes:
        change_id: UUIDv7; the server applies it at most once.
        base_rev: ``rev`` of the record when it was changed, None when the server did not know it.
        clock: hybrid logical clock stamp.
        fields: changed fields in JSON form; all of them for an insert.
        user_id: on whose behalf a master was changed.
    """

    change_id: str = Field(json_schema_extra={"format": "uuid"})
    entity: str = Field(min_length=1, max_length=64)
    entity_id: str = Field(json_schema_extra={"format": "uuid"})
    op: ChangeOperation
    base_rev: int | None = None
    clock: str
    fields: dict[str, Any] = Field(default_factory=dict)
    user_id: str | None = None

    @field_validator("change_id", "entity_id")
    @classmethod
    def _is_id(cls, value: str) -> str:
        value = canonical_id(value)
        if not is_id(value):
            raise RejectedValueError("value-id-form")
        return value

    @field_validator("clock")
    @classmethod
    def _is_stamp(cls, value: str) -> str:
        try:
            Stamp.parse(value)
        except ValueError as error:
            raise RejectedValueError("value-stamp-form") from error
        return value


class Batch(Wire):
    """Body of ``POST /sync/apply-changes``; its changes are checked one by one, so a bad one stops no other."""

    device_id: str
    batch_id: str
    schema_version: int = Field(ge=1)
    changes: list[dict[str, Any]] = Field(json_schema_extra={"items": {"x-schema": "Change"}})


class Outcome(StrEnum):
    """What became of a pushed change.

    ``merged``: some field had been changed on both sides, and at least one field was taken; ``conflict``: every field
    lost to a newer change.
    """

    APPLIED = "applied"
    MERGED = "merged"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"


class FieldConflict(Wire):
    """A field changed on both sides: what was kept and what was not.

    Attributes:
        kept_by: who made the value that was kept, for people: user and station; empty when nobody knows.
        kept_user: the user among them; empty when nobody knows, None from a server that does not say.
        lost_by: the same of the other value.
        lost_user: the same of the other value.
    """

    field: str
    kept_value: Any = None
    kept_clock: str
    kept_by: str = ""
    kept_user: str | None = None
    lost_value: Any = None
    lost_clock: str
    lost_by: str = ""
    lost_user: str | None = None


class ChangeResult(Wire):
    """The server's answer to one change.

    Attributes:
        rev: position of its effect in the change log; None when it was rejected.
        problem: why it was rejected; ``retry: true`` in it means: send it again later.
        conflicts: fields of this change that lost.
    """

    change_id: str
    outcome: Outcome
    rev: int | None = None
    problem: dict[str, Any] | None = None
    conflicts: list[FieldConflict] = Field(default_factory=list)


class PushAnswer(Wire):
    """Answer to a batch: one result a change, in the batch's order."""

    results: list[ChangeResult]
    cursor: str


class PulledChange(Wire):
    """One change from the server's change log.

    Attributes:
        rev: its position in the log.
        conflicts: fields of earlier changes by the reading device that lost to this one.
    """

    change_id: str
    rev: int
    entity: str
    entity_id: str
    op: ChangeOperation
    clock: str
    fields: dict[str, Any]
    device_id: str | None = None
    conflicts: list[FieldConflict] = Field(default_factory=list)


class PullAnswer(Wire):
    """A page of the change log."""

    changes: list[PulledChange]
    next_cursor: str
    has_more: bool


class SnapshotStart(Wire):
    """First line of a snapshot: pull from ``cursor`` once the snapshot is taken in."""

    kind: Literal["start"] = "start"
    cursor: str
    schema_version: int = SCHEMA_VERSION


class SnapshotRecord(Wire):
    """One record of a snapshot.

    Attributes:
        clock: stamp of its newest change.
        field_revs: how new each field of a master is.
        field_clocks: stamp of the newest change of each field of a master; a field that is left out has the record's.
    """

    kind: Literal["record"] = "record"
    entity: str
    entity_id: str
    rev: int | None = None
    clock: str
    fields: dict[str, Any]
    field_revs: dict[str, int | None] = Field(default_factory=dict)
    field_clocks: dict[str, str] = Field(default_factory=dict)


class SnapshotMark(Wire):
    """A place from which a cut snapshot goes on: ``GET /sync/download?cursor={resume}``."""

    kind: Literal["mark"] = "mark"
    resume: str


class SnapshotEnd(Wire):
    """Last line of a snapshot: all of it has come."""

    kind: Literal["end"] = "end"
    cursor: str


SnapshotLine = SnapshotStart | SnapshotRecord | SnapshotMark | SnapshotEnd


class HeldRecord(Wire):
    """A record that a station holds: one that it has made, or a master.

    Attributes:
        clock: stamp of its newest change.
        label: code or name of a master, for the administrator.
        foreign_clock: stamp of the newest change of a master that no known user of the station made; empty for none.
    """

    entity: str = Field(min_length=1, max_length=64, pattern=_NO_NUL)
    entity_id: str = Field(max_length=36, pattern=_NO_NUL, json_schema_extra={"format": "uuid"})
    clock: str = Field(default="", max_length=96, pattern=_NO_NUL)
    label: str = Field(default="", max_length=255, pattern=_NO_NUL)
    foreign_clock: str = Field(default="", max_length=96, pattern=_NO_NUL)


class StaleMaster(Wire):
    """A master that the server does not have as the station has it.

    Attributes:
        rev: position of its newest change on the server; None when it is not there.
        clock: stamp of that change; empty when it is not there.
        fields: as they are on the server.
        field_clocks: how new each of them is.
    """

    entity: str
    entity_id: str = Field(json_schema_extra={"format": "uuid"})
    rev: int | None = None
    clock: str = ""
    fields: dict[str, Any] = Field(default_factory=dict)
    field_clocks: dict[str, str] = Field(default_factory=dict)


class Inventory(Wire):
    """Body of ``POST /sync/compare``: what a station holds that the server has acknowledged."""

    records: list[HeldRecord] = Field(default_factory=list, max_length=MAX_COMPARED)
    blobs: list[Digest] = Field(default_factory=list, max_length=MAX_COMPARED)


class Lacking(Wire):
    """Answer to an inventory: what the server does not have, or has in an older state."""

    records: list[HeldRecord]
    blobs: list[str]
    masters: list[StaleMaster] = Field(default_factory=list)


class DayDigest(Wire):
    """How many records of a kind were made on a day (UTC), and a digest of them that does not depend on their order."""

    entity: str = Field(min_length=1, max_length=64)
    day: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$", json_schema_extra={"format": "date"})
    count: int = Field(ge=0)
    digest: str = Field(pattern="^[0-9a-f]{32}$")


class DriftQuestion(Wire):
    """Body of ``POST /sync/drift``: what a station holds, by entity and day.

    Attributes:
        since: the first day of facts and sessions that is looked at.
        entities: the kinds that are looked at.
        days: a digest for each kind and day on which there is anything.
    """

    since: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$", json_schema_extra={"format": "date"})
    entities: list[str] = Field(max_length=50)
    days: list[DayDigest] = Field(max_length=20_000)


class DriftAnswer(Wire):
    """Where the server holds something else than the station."""

    differing: list[DayDigest]


_STORE_ID = Field(max_length=36, json_schema_extra={"format": "uuid"})
_LEASE = Field(default="", max_length=64, pattern=r"^([1-9][0-9]{0,15}-[0-9a-f]{16})?$")


class StoreClaim(Wire):
    """Body of ``POST /sync/begin``: the store that begins a pass under a station's id.

    Attributes:
        store_id: random, made by the store.
        parent_id: the store of which it was a copy, when it has seen that it is one.
        held: text of the lease that the server has confirmed last; empty before the first.
        next: the lease to take; that of ``held`` when there is nothing to send.
        machine: digest of what tells the machine from others; empty when nothing does.
        restored: a person has restored a backup of the parent to this store.
    """

    store_id: str = _STORE_ID
    parent_id: str | None = Field(default=None, max_length=36, json_schema_extra={"format": "uuid"})
    held: str = _LEASE
    next: str = _LEASE
    machine: str = Field(default="", max_length=64, pattern=_NO_NUL)
    restored: bool = False

    @field_validator("store_id", "parent_id")
    @classmethod
    def _is_id(cls, value: str | None) -> str | None:
        if value is not None and not is_id(value):
            raise RejectedValueError("value-id-form")
        return value


class ClaimAnswer(Wire):
    """Answer to a claim: the store may go on.

    Attributes:
        generation: of the server; another one than before means that the server was restored from a backup.
        went_back: the server has forgotten leases that it had confirmed: it went back, by whatever means.
        audit_sequence: of the newest audit entry of this station that the server holds, 0 for none.
        audit_digest: of that entry.
    """

    generation: str
    went_back: bool = False
    audit_sequence: int = 0
    audit_digest: str = ""


class UploadRequest(Wire):
    """Announces a blob."""

    sha256: str = Field(json_schema_extra={"pattern": "^[0-9a-f]{64}$"})
    size: int = Field(ge=0)
    content_type: str = Field(min_length=1, max_length=64)

    @field_validator("sha256")
    @classmethod
    def _is_digest(cls, value: str) -> str:
        if not is_digest(value):
            raise RejectedValueError("value-digest-form")
        return value


class UploadState(Wire):
    """How much of a blob the server holds, in bytes, and whether it is whole and verified."""

    offset: int
    complete: bool


class UploadedBlob(Wire):
    """What became of one of several blobs in a body: whole and kept, or why not."""

    sha256: str
    complete: bool
    problem: dict[str, Any] | None = None


class UploadedBlobs(Wire):
    """Answer to a body of several blobs, in its order."""

    results: list[UploadedBlob]
