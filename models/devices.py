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
    """One installed station; its credential is kept as a SHA-256 digest (the credential has 256 random bits)."""

    __tablename__ = "devices"
    searched: ClassVar[tuple[str, ...]] = ("name", "id")

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default_factory=new_id)
    name: Mapped[str] = mapped_column(String(200))
    status: Mapped[DeviceStatus] = mapped_column(enumeration(DeviceStatus), default=DeviceStatus.ACTIVE)
    credential_digest: Mapped[str] = mapped_column(String(64))
    enrolled_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)


class EnrolmentCode(Base, kw_only=True, eq=False):
    """A code an administrator gives to one station, good once and for a short time; kept as a SHA-256 digest."""

    __tablename__ = "enrolment_codes"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default_factory=new_id)
    code_digest: Mapped[str] = mapped_column(String(64), unique=True)
    device_name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime())
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
