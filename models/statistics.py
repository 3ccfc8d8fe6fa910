"""Counts of completed sessions by day, kept by the server beside the facts; a station leaves them empty."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, enumeration
from models.states import CountKind

_NONE = ""


class DailyCount(Base, kw_only=True, eq=False):
    """How many parts, items of parts, or marked defects a day has of one kind; empty text where a column says nothing.

    Attributes:
        day: ``YYYY-MM-DD`` in the site's time zone; empty for sessions that do not say when they were completed.
        user_id: who decided last; where nobody did, who inspected.
        machine: the AI's verdict, of the item or the whole part.
        person: what persons decided about it.
        verdict: the one that counts.
        class_name: of marked defects.
    """

    __tablename__ = "daily_counts"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - read by SQLAlchemy, a plain dict by its contract

    count_kind: Mapped[CountKind] = mapped_column(enumeration(CountKind), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    target_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    device_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(36), primary_key=True, default=_NONE)
    item_id: Mapped[str] = mapped_column(String(36), primary_key=True, default=_NONE)
    machine: Mapped[str] = mapped_column(String(4), primary_key=True, default=_NONE)
    person: Mapped[str] = mapped_column(String(4), primary_key=True, default=_NONE)
    verdict: Mapped[str] = mapped_column(String(4), primary_key=True, default=_NONE)
    class_name: Mapped[str] = mapped_column(String(300), primary_key=True, default=_NONE)
    total: Mapped[int] = mapped_column(BigInteger)


class DailyScore(Base, kw_only=True, eq=False):
    """Sums of the anomaly scores of a day, in thousandths of their thresholds, so that they add up exactly.

    Attributes:
        total: how many results.
        score_sum: of round(1000 · score / threshold).
        square_sum: of their squares.
    """

    __tablename__ = "daily_scores"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    device_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    total: Mapped[int] = mapped_column(BigInteger)
    score_sum: Mapped[int] = mapped_column(BigInteger)
    square_sum: Mapped[int] = mapped_column(BigInteger)


class CountedSession(Base, kw_only=True, eq=False):
    """What a session has added to the counts, so that a correction takes just that away again.

    Attributes:
        counted: the rows of ``server.daily_counts.contribution.Contribution`` in JSON form.
    """

    __tablename__ = "counted_sessions"

    session_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    counted: Mapped[list[Any]]
