"""Alert rules on the wire."""

from __future__ import annotations

from pydantic import Field

from models.states import AlertRuleKind, Severity
from server.alerts.recipients import MailAddresses, Webhooks
from sync.shared.schemas import (
    LEFT_OUT,
    Changes,
    DeviceName,
    Flag,
    GivenMoment,
    Id,
    Moment,
    Name,
    Real,
    RecordId,
    Reply,
    Request,
    read_only,
)


class RuleParameters(Request):
    """When a rule raises an alert, and when it takes it back."""

    threshold: Real = Field(
        gt=0,
        le=100_000,
        description="`ng_rate`: percent of NG among OK and NG; `ng_run`: NG parts one after another; `score_drift`: "
        "standard deviations between the scores of today and those of the seven days before; `station_silent`: minutes "
        "since a station was heard of. Above it the alert is raised, by `ng_run` and `station_silent` from it on. "
        "Less than 100 for `ng_rate`, a whole number for `ng_run`.",
    )
    clear_threshold: Real | None = Field(
        default=None,
        ge=0,
        le=100_000,
        description="At or below it the alert is cleared; null takes four fifths of the threshold. `ng_run` is cleared "
        "by an OK part or a day without parts, `station_silent` when the station is heard of.",
    )
    window_minutes: int = Field(default=60, ge=1, le=1_440, description="`ng_rate`: minutes that are looked back.")
    min_count: int = Field(default=20, ge=1, le=100_000, description="`ng_rate`, `score_drift`: fewer decide nothing.")
    per_station: Flag = Field(default=False, description="`ng_rate`, `ng_run`: an alert for each station.")


class AlertRuleCreate(Request):
    """A new rule."""

    id: RecordId | None = None
    name: Name
    rule_kind: AlertRuleKind
    enabled: Flag = True
    severity: Severity = Severity.HIGH
    target_id: RecordId | None = Field(default=None, description="Only parts of this target; `ng_rate` and `ng_run`.")
    item_id: RecordId | None = Field(default=None, description="Only this item; `ng_rate` and `score_drift`.")
    device_id: DeviceName | None = Field(default=None, min_length=1, max_length=64, description="Only this station.")
    parameters: RuleParameters
    mail: MailAddresses = Field(default=[], description="Addresses that are written to.")
    webhooks: Webhooks = Field(default=[], description="URLs that are called, signed; see docs/quality.md.")
    line_stop: Flag = Field(default=False, description="Whether the stations concerned begin no further part.")


class AlertRuleUpdate(Changes):
    """A change of a rule; what it watches for stays."""

    name: Name = LEFT_OUT
    enabled: Flag = LEFT_OUT
    severity: Severity = LEFT_OUT
    target_id: RecordId | None = None
    item_id: RecordId | None = None
    device_id: DeviceName | None = Field(default=None, min_length=1, max_length=64)
    parameters: RuleParameters = LEFT_OUT
    mail: MailAddresses = LEFT_OUT
    webhooks: Webhooks = LEFT_OUT
    line_stop: Flag = LEFT_OUT
    id: Id = read_only()
    rule_kind: AlertRuleKind = read_only()
    silenced_until: Moment | None = read_only()
    created_at: Moment = read_only()
    updated_at: Moment = read_only()
    updated_by: str = read_only()


class AlertRuleReply(Reply):
    """A rule."""

    id: Id
    name: str
    rule_kind: AlertRuleKind
    enabled: bool
    severity: Severity
    target_id: Id | None
    item_id: Id | None
    device_id: str | None
    parameters: RuleParameters
    mail: list[str]
    webhooks: list[str]
    line_stop: bool
    silenced_until: Moment | None
    created_at: Moment
    updated_at: Moment
    updated_by: str


class Silence(Request):
    """How long a rule delivers nothing."""

    until: GivenMoment | None = Field(description="Alerts are recorded all the same; null ends the silence.")
