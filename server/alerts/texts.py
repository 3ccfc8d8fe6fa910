"""What an alert says to a person and to a program outside the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.alerts import Alert
from models.clock import rfc3339
from models.messages import Language, error_text
from models.states import AlertEvent

EVERYTHING = "*"
"""What an alert concerns that names no target, item or station, in its details: the same in every language."""
_WHERE = "where"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail about an alert."""

    subject: str
    body: str


def letter(alert: Alert, event: AlertEvent, language: Language) -> Letter:
    """Return the mail that tells of an alert."""
    text = error_text(alert.code, _in_words(alert.details, language), language)
    frame = error_text(f"alert-{event.value}", {"title": text.title, "severity": alert.severity.value}, language)
    lines = [text.title, "", text.detail]
    if event is AlertEvent.RAISED:
        lines += ["", text.advice]
    lines += ["", frame.detail, rfc3339(_moment(alert, event)), alert.id]
    return Letter(frame.title, "\n".join(lines) + "\n")


def _in_words(details: dict[str, Any], language: Language) -> dict[str, Any]:
    """Return what an alert's text names, with words in place of the mark for everything."""
    if details.get(_WHERE) != EVERYTHING:
        return details
    return {**details, _WHERE: error_text("value-everything", {}, language).detail}


def webhook_body(delivery_id: str, alert: Alert, event: AlertEvent, language: Language) -> dict[str, Any]:
    """Return what a webhook is sent; a delivery that is repeated has the same ``delivery_id``."""
    return {
        "delivery_id": delivery_id,
        "event": event.value,
        "type": "quality_alert",
        "alert_id": alert.id,
        "severity": alert.severity.value,
        "message": error_text(alert.code, alert.details, language).title,
        "code": alert.code,
        "data": alert.data,
        "source": alert.source,
        "rule_id": alert.rule_id,
        "subject": alert.subject,
        "timestamp": rfc3339(_moment(alert, event)),
    }


def _moment(alert: Alert, event: AlertEvent) -> Any:
    return alert.cleared_at if event is AlertEvent.CLEARED and alert.cleared_at is not None else alert.raised_at
