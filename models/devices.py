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
from models.states import DeviceStatus


class Device(Searchable, Base, kw_only=True, eq=False):
    """One installed station; its credential is kept as a SHA-256 digest (the credential has 256 random bits).

    Attributes:
        token_generation: counts up when the station is disabled; tokens of an earlier one stay invalid.
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
