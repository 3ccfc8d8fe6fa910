"""Alerts on the wire."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from models.states import AlertChannel, AlertEvent, Severity
from sync.shared.schemas import Id, Moment, Reply


class AlertReply(Reply):
    """An alert."""

    id: Id
    severity: Severity
    message: str = Field(description="What happened, in the reader's language.")
    code: str = Field(description="The kind of text.")
    data: dict[str, Any] = Field(description="The figures, as they were found last.")
    source: str = Field(description="`quality`, or the feature that raised it.")
    rule_id: Id | None
    subject: str = Field(description="What it is about, such as the id of a station; empty for everything.")
    is_open: bool
    silenced: bool = Field(description="Raised while its rule was silenced: nothing was delivered.")
    raised_at: Moment
    updated_at: Moment
    cleared_at: Moment | None
    acknowledged_at: Moment | None
    acknowledged_by: str


class DeliveryReply(Reply):
    """How a mail or a call about an alert went."""

    id: Id
    event: AlertEvent
    channel: AlertChannel
    destination: str = Field(description="The address, or host of the URL.")
    attempts: int
    last_error: str = Field(description="Code of the last failure; empty when there was none.")
    delivered_at: Moment | None
    given_up_at: Moment | None


class AlertDetail(AlertReply):
    """An alert with its deliveries."""

    deliveries: list[DeliveryReply]
    line_stopped: bool = Field(description="Whether stations are stopped until somebody acknowledges the alert.")
