"""Stations as the server knows them, and the one-time codes they enrol with."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UtcDateTime, enumeration
from models.clock import utc_now
from models.ids import new_id
from models.named import Searchable
from models.states import DeviceStatus, StoreState


class Device(Searchable, Base, kw_only=True, eq=False):
    """One installed station; its credential is kept as a SHA-256 digest (the credential has 256 random bits).

    Attributes:
        token_generation: counts up when the station is disabled; tokens of an earlier one stay invalid.
        succeeds_id: the station of whose store this one's is a copy that an administrator let enrol by itself.
    """

    __tablename__ = "devices"
    searched: ClassVar[tuple[str, ...]] = ("name", "id")

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default_factory=new_id)
    name: Mapped[str] = mapped_column(String(200))
    status: Mapped[DeviceStatus] = mapped_column(enumeration(DeviceStatus), default=DeviceStatus.ACTIVE)
    credential_digest: Mapped[str] = mapped_column(String(64))
    enrolled_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    token_generation: Mapped[int] = mapped_column(default=0, server_default="0")
    succeeds_id: Mapped[str | None] = mapped_column(String(36), default=None)


class DeviceStore(Base, kw_only=True, eq=False):
    """A store that has given itself out as a station: one of them is the station's own.

    Attributes:
        id: random, made by the store itself.
        parent_id: the store that this one was a copy of, when it knows.
        lease: text of the ``Lease`` that the store holds; each of its passes with something to send takes the next.
        machine: digest of what tells its machine from others; empty when nothing does.
        decided_by: the administrator who chose it or another one in its place; empty when none had to.
    """

    __tablename__ = "device_stores"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    device_id: Mapped[str] = mapped_column(String(36), index=True)
    parent_id: Mapped[str | None] = mapped_column(String(36), default=None)
    state: Mapped[StoreState] = mapped_column(enumeration(StoreState))
    lease: Mapped[str] = mapped_column(String(64), default="")
    machine: Mapped[str] = mapped_column(String(64), default="")
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    decided_by: Mapped[str] = mapped_column(String(64), default="", server_default="")


class EnrolmentCode(Searchable, Base, kw_only=True, eq=False):
    """A code an administrator gives to one station, good once and for a short time; kept as a SHA-256 digest.

    Attributes:
        created_by: who made it, as in the audit trail; empty where an earlier version did not keep it.
        created_by_id: the user who answers for it, with whose access it ends; None at the server's command line.
        used_at: when a station enrolled with it; ``device_id`` is that station.
    """

    __tablename__ = "enrolment_codes"
    searched: ClassVar[tuple[str, ...]] = ("device_name", "created_by")

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default_factory=new_id)
    code_digest: Mapped[str] = mapped_column(String(64), unique=True)
    device_name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime())
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    device_id: Mapped[str | None] = mapped_column(String(36), default=None)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    created_by: Mapped[str] = mapped_column(String(64), default="", server_default="")
    created_by_id: Mapped[str | None] = mapped_column(String(36), default=None, index=True)
