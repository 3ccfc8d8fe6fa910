"""Raising and clearing of alerts within the transaction of whoever finds the reason; the interface for other features.

An alert is open from ``raise_alert`` until ``clear_alert`` for the same source, rule and subject: raised again in
between it gets the newest figures and nothing is delivered twice. What it starts is part of the transaction: the event
for the bus, the deliveries by mail and webhook, the stop of the line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.alerts import Alert, AlertDelivery, LineStop
from models.clock import utc_now
from models.states import AlertChannel, AlertEvent, Severity
from server.alerts.events import QUALITY_ALERTS, AlertNotice
from server.events.outbox import enqueue


@dataclass(frozen=True, slots=True)
class Recipients:
    """Where an alert is delivered beside the WebSockets.

    Attributes:
        mail: addresses.
        webhooks: URLs.
        line_stop: whether stations are stopped.
        stations: those to stop; None stops all.
    """

    mail: tuple[str, ...] = ()
    webhooks: tuple[str, ...] = ()
    line_stop: bool = False
    stations: tuple[str, ...] | None = None


NOBODY = Recipients()


@dataclass(frozen=True, slots=True)
class AlertReason:
    """Why an alert is raised.

    Attributes:
        source: the feature, such as ``quality`` or ``sensor``.
        subject: what it is about within source and rule; empty for everything.
        rule_id: the rule; None when no stored rule raises it.
        severity: how urgent it is.
        code: of the text, in ``resources/messages``.
        details: what the text names.
        data: figures for programs.
    """

    source: str
    severity: Severity
    code: str
    subject: str = ""
    rule_id: str | None = None
    details: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def open_key(self) -> str:
        """What tells an open alert from others."""
        return open_key(self.source, self.rule_id, self.subject)


def open_key(source: str, rule_id: str | None, subject: str) -> str:
    """Return what tells an open alert from others; at most 300 characters."""
    return f"{source}/{rule_id or ''}/{subject}"


def open_alert(session: Session, key: str) -> Alert | None:
    """Return the open alert with a key, locked; None when there is none."""
    return session.scalars(select(Alert).where(Alert.open_key == key).with_for_update()).first()


def raise_alert(
    session: Session, reason: AlertReason, recipients: Recipients = NOBODY, *, silenced: bool = False
) -> Alert | None:
    """Open an alert and start its deliveries; return None when it was open already: then its figures are renewed.

    Args:
        session: a transaction of ``Database.transaction``, since a stop of the line travels.
        reason: why.
        recipients: where it is delivered.
        silenced: record it and deliver nothing.
    """
    present = open_alert(session, reason.open_key)
    if present is not None:
        present.details, present.data, present.updated_at = reason.details, reason.data, utc_now()
        return None
    alert = Alert(
        source=reason.source,
        rule_id=reason.rule_id,
        subject=reason.subject,
        open_key=reason.open_key,
        severity=reason.severity,
        code=reason.code,
        details=reason.details,
        data=reason.data,
        silenced=silenced,
    )
    session.add(alert)
    session.flush()
    if silenced:
        return alert
    announce(session, alert, AlertEvent.RAISED)
    _deliver(session, alert, AlertEvent.RAISED, recipients)
    if recipients.line_stop:
        for device_id in recipients.stations if recipients.stations is not None else (None,):
            session.add(LineStop(device_id=device_id, alert_id=alert.id, code=alert.code, details=alert.details))
    return alert


def clear_alert(session: Session, key: str, recipients: Recipients = NOBODY, *, silenced: bool = False) -> Alert | None:
    """Clear an open alert and return it; None when none is open.

    A stop of the line stays until a person releases it by acknowledging the alert.

    Args:
        session: the transaction.
        key: of ``open_key``.
        recipients: who is told that it is over.
        silenced: tell nobody.
    """
    alert = open_alert(session, key)
    if alert is None:
        return None
    alert.open_key, alert.cleared_at = None, utc_now()
    if not silenced and not alert.silenced:
        announce(session, alert, AlertEvent.CLEARED)
        _deliver(session, alert, AlertEvent.CLEARED, recipients)
    return alert


def announce(session: Session, alert: Alert, event: AlertEvent) -> None:
    """Tell the WebSockets of every replica, once the transaction is committed."""
    notice = AlertNotice(
        alert_id=alert.id,
        event=event,
        source=alert.source,
        subject=alert.subject,
        severity=alert.severity,
        code=alert.code,
        details=alert.details,
        data=alert.data,
        at=utc_now(),
    )
    enqueue(session, QUALITY_ALERTS, alert.id, notice)


def _deliver(session: Session, alert: Alert, event: AlertEvent, recipients: Recipients) -> None:
    channels = {AlertChannel.MAIL: recipients.mail, AlertChannel.WEBHOOK: recipients.webhooks}
    for channel, destinations in channels.items():
        for destination in dict.fromkeys(destinations):
            session.add(AlertDelivery(alert_id=alert.id, event=event, channel=channel, destination=destination))
