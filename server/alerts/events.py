"""What alerts publish."""

from __future__ import annotations

from typing import Any

from models.states import AlertEvent, Severity
from server.events.topics import Topic
from sync.shared.schemas import Id, Moment, Reply


class AlertNotice(Reply):
    """Something happened to an alert; its text is made for each reader from code and details."""

    alert_id: Id
    event: AlertEvent
    source: str
    subject: str
    severity: Severity
    code: str
    details: dict[str, Any]
    data: dict[str, Any]
    at: Moment


QUALITY_ALERTS = Topic("quality-alerts", AlertNotice)
"""An alert was raised, cleared or acknowledged; the key is its id."""
