"""Alerts: the rules that raise them, the alerts themselves, what is still to be delivered, and stops of the line."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UtcDateTime, enumeration
from models.clock import utc_now
from models.ids import new_id
from models.states import AlertChannel, AlertEvent, AlertRuleKind, Severity
from models.synced import Master


class AlertRule(Base, kw_only=True, eq=False):
    """A rule that raises an alert while the figures of inspection meet it.

    Attributes:
        target_id: only parts of this target; None for all. So are ``item_id`` and ``device_id``.
        parameters: limits and window, by the names of ``server.monitoring.schemas.RuleParameters``.
        mail: addresses that are written to.
        webhooks: URLs that are called.
        line_stop: whether the stations concerned are stopped.
        silenced_until: nothing is delivered up to then; alerts are recorded all the same.
    """

    __tablename__ = "alert_rules"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default_factory=new_id)
    name: Mapped[str] = mapped_column(String(200))
    rule_kind: Mapped[AlertRuleKind] = mapped_column(enumeration(AlertRuleKind))
    enabled: Mapped[bool] = mapped_column(default=True)
    severity: Mapped[Severity] = mapped_column(enumeration(Severity), default=Severity.HIGH)
    target_id: Mapped[str | None] = mapped_column(String(36), default=None)
    item_id: Mapped[str | None] = mapped_column(String(36), default=None)
    device_id: Mapped[str | None] = mapped_column(String(64), default=None)
    parameters: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    mail: Mapped[list[Any]] = mapped_column(default_factory=list)
    webhooks: Mapped[list[Any]] = mapped_column(default_factory=list)
    line_stop: Mapped[bool] = mapped_column(default=False)
    silenced_until: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    updated_by: Mapped[str] = mapped_column(String(64), default="")


class Alert(Base, kw_only=True, eq=False):
    """Something that needs attention: raised once, until it clears.

    Attributes:
        source: which part of the server raised it, such as ``quality``.
        rule_id: the rule; None for one that no rule raised.
        subject: what it is about within source and rule, such as a station's id; empty for everything.
        open_key: names source, rule and subject while the alert is open, so that there is one at a time; else None.
        code: of the text, in ``resources/messages``.
        details: what the text names.
        data: figures, as the API document has them.
        silenced: whether it was raised while its rule was silenced: nothing was delivered.
    """

    __tablename__ = "alerts"
    __table_args__ = (Index("ix_alerts_raised_at", "raised_at"), Index("ix_alerts_rule_id", "rule_id"))

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default_factory=new_id)
    source: Mapped[str] = mapped_column(String(32))
    rule_id: Mapped[str | None] = mapped_column(String(36), default=None)
    subject: Mapped[str] = mapped_column(String(200), default="")
    open_key: Mapped[str | None] = mapped_column(String(300), unique=True, default=None)
    severity: Mapped[Severity] = mapped_column(enumeration(Severity))
    code: Mapped[str] = mapped_column(String(64))
    details: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    data: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    cleared_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    acknowledged_by: Mapped[str] = mapped_column(String(64), default="")
    silenced: Mapped[bool] = mapped_column(default=False)


class AlertDelivery(Base, kw_only=True, eq=False):
    """A mail or a call that tells of an alert; kept until it was taken or given up.

    Attributes:
        event: what it tells: raised or cleared.
        destination: address or URL.
        due_at: not tried before; put off while a worker tries and after each failure.
        delivered_at: when the other side took it; None while it waits.
        given_up_at: when the last attempt has failed.
        last_error: code of the last failure.
    """

    __tablename__ = "alert_deliveries"
    __table_args__ = (Index("ix_alert_deliveries_due_at", "due_at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default_factory=new_id)
    alert_id: Mapped[str] = mapped_column(ForeignKey("alerts.id"), index=True)
    event: Mapped[AlertEvent] = mapped_column(enumeration(AlertEvent))
    channel: Mapped[AlertChannel] = mapped_column(enumeration(AlertChannel))
    destination: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default_factory=utc_now)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(String(64), default="")
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    given_up_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)


class LineStop(Master, Base, kw_only=True, eq=False):
    """An order to stations to begin no further part, until somebody in charge releases it.

    Attributes:
        device_id: the station; None stops all.
        alert_id: the alert that stopped the line.
        code: of the text that says why, in ``resources/messages``.
        details: what the text names.
        released_at: when it ended; None while it holds.
    """

    __tablename__ = "line_stops"
    entity: ClassVar[str] = "line_stop"

    device_id: Mapped[str | None] = mapped_column(String(64), default=None, index=True)
    alert_id: Mapped[str] = mapped_column(String(36), index=True)
    code: Mapped[str] = mapped_column(String(64))
    details: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    stopped_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    released_by: Mapped[str] = mapped_column(String(64), default="")
