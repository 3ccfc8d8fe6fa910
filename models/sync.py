"""Book-keeping of the sync protocol: a station's outbox and state, the server's change log, both sides' blobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Json, UtcDateTime, enumeration
from models.clock import utc_now
from models.ids import new_id
from models.states import ChangeOperation, OutboxState

# SQLite counts rows by itself only for a column of type INTEGER.
Position = BigInteger().with_variant(Integer(), "sqlite")


class OutboxEntry(Base, kw_only=True, eq=False):
    """A change made on this station that the server has not acknowledged yet.

    Attributes:
        sequence: order in which the changes were committed here.
        base_rev: ``rev`` of the record when it was changed; None when the server did not know it.
        user_id: who made the change; the server checks that this user may.
        state: waiting, or dead: refused by the server for good and kept for a person to mend.
        problem: the server's problem document for a refused change.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_state_sequence", "state", "sequence"),)

    sequence: Mapped[int] = mapped_column(Position, primary_key=True, autoincrement=True, init=False)
    change_id: Mapped[str] = mapped_column(String(36), unique=True, default_factory=new_id)
    entity: Mapped[str] = mapped_column(String(64))
    entity_id: Mapped[str] = mapped_column(String(36), index=True)
    op: Mapped[ChangeOperation] = mapped_column(enumeration(ChangeOperation))
    base_rev: Mapped[int | None] = mapped_column(BigInteger, default=None)
    fields: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    clock: Mapped[str] = mapped_column(String(96))
    user_id: Mapped[str | None] = mapped_column(String(36), default=None)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[OutboxState] = mapped_column(enumeration(OutboxState), default=OutboxState.WAITING)
    problem: Mapped[dict[str, Any] | None] = mapped_column(Json, default=None)


class SyncState(Base, kw_only=True, eq=False):
    """Named values of the sync engine and of this store: cursor, last success, device id, newest clock stamp."""

    __tablename__ = "sync_state"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class SyncConflict(Base, kw_only=True, eq=False):
    """A field that was changed on both sides: what was kept and what was not, so that nothing is lost in silence.

    Attributes:
        device_id: whose value was not kept.
        kept_by: who made the value that was kept: user and station as the server knows them; empty when it does not.
        kept_user: the user among them; empty when the server does not know it, None when it did not say.
        lost_by: the same of the other value.
        lost_user: the same of the other value.
    """

    __tablename__ = "sync_conflicts"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default_factory=new_id)
    entity: Mapped[str] = mapped_column(String(64))
    entity_id: Mapped[str] = mapped_column(String(36), index=True)
    field: Mapped[str] = mapped_column(String(64))
    change_id: Mapped[str] = mapped_column(String(36))
    device_id: Mapped[str] = mapped_column(String(64), default="")
    kept_value: Mapped[Any] = mapped_column(Json, default=None)
    kept_clock: Mapped[str] = mapped_column(String(96))
    kept_by: Mapped[str] = mapped_column(String(300), default="", server_default="")
    kept_user: Mapped[str | None] = mapped_column(String(64), default=None)
    lost_value: Mapped[Any] = mapped_column(Json, default=None)
    lost_clock: Mapped[str] = mapped_column(String(96))
    lost_by: Mapped[str] = mapped_column(String(300), default="", server_default="")
    lost_user: Mapped[str | None] = mapped_column(String(64), default=None)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)


class OfferedMaster(Base, kw_only=True, eq=False):
    """A master of before a restore that a station still holds and this server has lost, or has in an older state.

    Attributes:
        label: code or name of the record, for the administrator.
        clock: stamp of its newest change as the station has it.
        device_id: the station that offered it first.
        taken_at: when an administrator asked for it; the stations' offers are applied from then on.
    """

    __tablename__ = "offered_masters"

    entity: Mapped[str] = mapped_column(String(64), primary_key=True)
    entity_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    label: Mapped[str] = mapped_column(String(255), default="")
    clock: Mapped[str] = mapped_column(String(96))
    device_id: Mapped[str] = mapped_column(String(64))
    offered_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)


class ChangeLogHead(Base, kw_only=True, eq=False):
    """One row: the last position given out. Its row lock makes positions follow commit order on every engine."""

    __tablename__ = "change_log_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, default=1)
    position: Mapped[int] = mapped_column(BigInteger, default=0)


class ChangeLogEntry(Base, kw_only=True, eq=False):
    """One committed change on the server, at its position in commit order.

    Attributes:
        device_id: the device whose change it was, None for one made on the server.
        scope_device_id: the only device that may read it, None for all.
    """

    __tablename__ = "change_log"
    __table_args__ = (Index("ix_change_log_entity", "entity", "entity_id"),)

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    change_id: Mapped[str] = mapped_column(String(36), index=True)
    entity: Mapped[str] = mapped_column(String(64))
    entity_id: Mapped[str] = mapped_column(String(36))
    op: Mapped[ChangeOperation] = mapped_column(enumeration(ChangeOperation))
    fields: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    clock: Mapped[str] = mapped_column(String(96))
    device_id: Mapped[str | None] = mapped_column(String(64), default=None)
    scope_device_id: Mapped[str | None] = mapped_column(String(64), default=None, index=True)
    committed_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now, index=True)


class AppliedChange(Base, kw_only=True, eq=False):
    """A change the server has answered for good: remembered for ever, so that no change has two effects."""

    __tablename__ = "applied_changes"

    change_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    device_id: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(16))
    rev: Mapped[int | None] = mapped_column(BigInteger, default=None)
    applied_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)


class Blob(Base, kw_only=True, eq=False):
    """Bytes known by their SHA-256 digest; immutable.

    Attributes:
        present: whether this side holds the bytes.
        uploaded_at: on a station, when the server acknowledged the whole blob.
        received_bytes: on the server, how much of an unfinished upload is there.
    """

    __tablename__ = "blobs"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    content_type: Mapped[str] = mapped_column(String(64))
    present: Mapped[bool] = mapped_column(default=False)
    uploaded_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None, index=True)
    received_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)


class StoredFile(Base, kw_only=True, eq=False):
    """A file a client uploaded to the server: its name and owner; the bytes are a blob."""

    __tablename__ = "stored_files"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default_factory=new_id)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    filename: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    width: Mapped[int | None] = mapped_column(default=None)
    height: Mapped[int | None] = mapped_column(default=None)
    user_id: Mapped[str | None] = mapped_column(String(36), default=None)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
