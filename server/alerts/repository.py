"""Queries of alerts."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models.alerts import Alert, AlertDelivery, LineStop
from models.states import Severity
from server.core.records import require_record


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts a list shows; None is any.

    Attributes:
        is_open: only those that are open, or only those that are over.
        acknowledged: only those that somebody has acknowledged, or only the others.
    """

    is_open: bool | None = None
    acknowledged: bool | None = None
    severity: Severity | None = None
    source: str | None = None
    rule_id: str | None = None


def listing(wanted: AlertFilter, search: str) -> Select[Any]:
    """Return the query for alerts, newest first; the search looks at code and subject."""
    query = select(Alert).order_by(Alert.raised_at.desc(), Alert.id.desc())
    equal = {Alert.severity: wanted.severity, Alert.source: wanted.source, Alert.rule_id: wanted.rule_id}
    query = query.where(*(column == value for column, value in equal.items() if value is not None))
    if wanted.is_open is not None:
        query = query.where(Alert.cleared_at.is_(None) == wanted.is_open)
    if wanted.acknowledged is not None:
        query = query.where(Alert.acknowledged_at.is_not(None) == wanted.acknowledged)
    if search:
        query = query.where((Alert.code + " " + Alert.subject).icontains(search, autoescape=True))
    return query


def alert_by_id(session: Session, alert_id: str, *, locked: bool = False) -> Alert:
    """Return an alert; ``NotFound`` ``alert-unknown``."""
    return require_record(session, Alert, alert_id, "alert-unknown", locked=locked)


def deliveries_of(session: Session, alert_id: str) -> Sequence[AlertDelivery]:
    """Return the deliveries of an alert, oldest first."""
    query = select(AlertDelivery).where(AlertDelivery.alert_id == alert_id)
    return session.scalars(query.order_by(AlertDelivery.created_at, AlertDelivery.id)).all()


def holding_stops(session: Session, alert_id: str) -> Sequence[LineStop]:
    """Return the stops of the line that an alert has ordered and nobody has released."""
    query = select(LineStop).where(LineStop.alert_id == alert_id, LineStop.released_at.is_(None))
    return session.scalars(query.order_by(LineStop.id)).all()


def open_by_severity(session: Session) -> dict[Severity, int]:
    """Return how many alerts are open, by severity."""
    query = select(Alert.severity, func.count()).where(Alert.open_key.is_not(None)).group_by(Alert.severity)
    return {row[0]: row[1] for row in session.execute(query)}


def waiting_deliveries(session: Session) -> int:
    """Return how many deliveries wait."""
    return session.scalar(select(func.count()).where(AlertDelivery.due_at.is_not(None))) or 0


def due_deliveries(session: Session, now: datetime.datetime, most: int) -> Sequence[AlertDelivery]:
    """Return deliveries that are due, oldest first, locked; those that another replica has locked are passed over."""
    query = select(AlertDelivery).where(AlertDelivery.due_at <= now).order_by(AlertDelivery.due_at, AlertDelivery.id)
    return session.scalars(query.limit(most).with_for_update(skip_locked=True)).all()
