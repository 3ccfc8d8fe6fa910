"""Book-keeping of the server's events: those that wait for the bus, and those that a consumer group has handled."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UtcDateTime
from models.clock import utc_now
from models.ids import new_id
from models.sync import Position


class OutgoingEvent(Base, kw_only=True, eq=False):
    """An event that was committed with the change it reports and that the bus has not acknowledged yet.

    Attributes:
        sequence: order in which events of one key are published.
        groups: consumer groups that get it also when they have no consumer yet.
        payload: its value as JSON.
        attempts: how often publishing it failed.
        last_error: code of the last failure.
    """

    __tablename__ = "outgoing_events"
    __table_args__ = (Index("ix_outgoing_events_topic_key", "topic", "key"),)

    sequence: Mapped[int] = mapped_column(Position, primary_key=True, autoincrement=True, init=False)
    event_id: Mapped[str] = mapped_column(String(36), unique=True, default_factory=new_id)
    topic: Mapped[str] = mapped_column(String(249))
    key: Mapped[str] = mapped_column(String(255))
    groups: Mapped[list[Any]] = mapped_column(default_factory=list)
    payload: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(String(64), default="")


class HandledEvent(Base, kw_only=True, eq=False):
    """An event that a consumer group has handled: delivered again, it has no second effect."""

    __tablename__ = "handled_events"

    consumer_group: Mapped[str] = mapped_column(String(64), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    handled_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now, index=True)
