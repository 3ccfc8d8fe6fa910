"""Messages of the WebSocket about quality, as the API document has them, made of figures and alerts."""

from __future__ import annotations

from typing import Any, Literal

from models.messages import Language
from models.states import AlertEvent, Severity
from server.alerts.events import AlertNotice
from server.alerts.repository import AlertFilter
from server.alerts.schemas import AlertReply
from server.alerts.service import list_alerts, message_of
from server.context import ServerContext
from server.core.paging import PageQuery
from server.quality.realtime import realtime
from server.quality.schemas import QualityUpdate, RealtimeQuality
from sync.shared.schemas import Id, Moment, Reply

PERIOD_S = 2.0
KEY = "quality"
_MOST_OPEN = 100


class QualityAlert(Reply):
    """Something happened to an alert."""

    type: Literal["quality_alert"] = "quality_alert"
    alert_id: Id
    event: AlertEvent
    severity: Severity
    message: str
    data: dict[str, Any]
    source: str
    subject: str
    timestamp: Moment


def present_quality(context: ServerContext, language: Language) -> tuple[RealtimeQuality, list[QualityAlert]]:
    """Return the figures of the last hour, and the open alerts, oldest first."""
    opened = list_alerts(context, AlertFilter(is_open=True), PageQuery(1, _MOST_OPEN, ""), language)
    return realtime(context), [_of_reply(alert) for alert in reversed(opened.items)]


def update_of(found: RealtimeQuality) -> QualityUpdate:
    """Return the message that carries the figures."""
    return QualityUpdate(timestamp=found.timestamp, metrics=found.metrics)


def _of_reply(alert: AlertReply) -> QualityAlert:
    return QualityAlert(
        alert_id=alert.id,
        event=AlertEvent.RAISED,
        severity=alert.severity,
        message=alert.message,
        data=alert.data,
        source=alert.source,
        subject=alert.subject,
        timestamp=alert.raised_at,
    )


def alert_of(notice: AlertNotice, language: Language) -> QualityAlert:
    """Return the message about what happened to an alert, in the client's language."""
    return QualityAlert(
        alert_id=notice.alert_id,
        event=notice.event,
        severity=notice.severity,
        message=message_of(notice.code, notice.details, language),
        data=notice.data,
        source=notice.source,
        subject=notice.subject,
        timestamp=notice.at,
    )
