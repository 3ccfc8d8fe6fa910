"""Alerts of sensors on the wire."""

from __future__ import annotations

from pydantic import Field

from models.states import Severity
from server.alerts.recipients import MailAddresses, Webhooks
from sync.shared.schemas import DeviceName, Flag, GivenMoment, Moment, Reply, Request


class AlertSettings(Request):
    """Who is notified of the anomalies of a sensor."""

    after_rows: int = Field(default=3, ge=1, le=10_000, description="Anomalies in a row that raise the alert.")
    severity: Severity = Severity.HIGH
    mail: MailAddresses = Field(default=[], description="Addresses that are written to.")
    webhooks: Webhooks = Field(default=[], description="URLs that are called, signed; see docs/quality.md.")
    line_stop: Flag = Field(default=False, description="Whether stations begin no further part until it is released.")
    stations: list[DeviceName] | None = Field(default=None, max_length=1_000, description="Those to stop; null: all.")
    silenced_until: GivenMoment | None = Field(default=None, description="Nothing is delivered up to then.")


class AlertSettingsReply(Reply):
    """Who is notified of the anomalies of a sensor."""

    sensor: str
    after_rows: int
    severity: Severity
    mail: list[str]
    webhooks: list[str]
    line_stop: bool
    stations: list[str] | None
    silenced_until: Moment | None
    updated_at: Moment
    updated_by: str
