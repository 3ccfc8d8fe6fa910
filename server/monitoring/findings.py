"""What the rules look at: figures of the store as they are now, and what they decide."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.alerts import AlertRule
from models.devices import Device
from models.sessions import InspectionSession
from models.states import AlertRuleKind, DeviceStatus, HumanVerdict, SessionStatus
from models.statistics import DailyScore
from server.alerts.texts import EVERYTHING
from server.core.periods import Period
from server.core.site_time import day_of
from server.daily_counts.contribution import NO_SCORES, ScoreSums
from server.daily_counts.rebuilding import are_complete
from server.monitoring.rules import Decision, ng_rate, ng_run, score_shift, with_hysteresis
from server.monitoring.schemas import RuleParameters
from server.quality.cells import Cell, Dimension, Scope, question, tally
from server.quality.names import names_of
from server.quality.plain import count_facts

_REFERENCE = datetime.timedelta(days=7)
_RUN_WITHIN = datetime.timedelta(days=1)
_HOUR_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found about one subject.

    Attributes:
        subject: a station's or an item's id; empty for all that the rule concerns.
        code: of the alert's text.
        details: what the text names.
        data: figures for programs.
    """

    subject: str
    decision: Decision
    code: str
    details: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)


def findings_of(session: Session, rule: AlertRule, now: datetime.datetime, zone: ZoneInfo) -> list[Finding] | None:
    """Return what an enabled rule finds, a finding for each subject; None while the counts it needs are built."""
    if rule.rule_kind is AlertRuleKind.SCORE_DRIFT and not are_complete(session, zone):
        return None
    parameters = RuleParameters.model_validate(rule.parameters)
    return list(_FINDERS[rule.rule_kind](_Look(session, rule, parameters, now, zone)))


@dataclass(frozen=True, slots=True)
class _Look:
    session: Session
    rule: AlertRule
    parameters: RuleParameters
    now: datetime.datetime
    zone: ZoneInfo

    def where(self, by: Dimension, subject: str) -> str:
        """Return what a finding is about, in words: the names of what the rule names, and of its subject."""
        named = {
            Dimension.TARGET: self.rule.target_id,
            Dimension.ITEM: self.rule.item_id,
            Dimension.STATION: self.rule.device_id,
        }
        if subject:
            named[by] = subject
        words = [names_of(self.session, one, [key]).get(key, key) for one, key in named.items() if key]
        return " / ".join(words) or EVERYTHING


def _rates(look: _Look) -> Iterator[Finding]:
    rule, parameters = look.rule, look.parameters
    by = Dimension.STATION if parameters.per_station else Dimension.DAY
    scope = Scope(target_id=rule.target_id, item_id=rule.item_id, device_id=rule.device_id)
    window = Period(look.now - datetime.timedelta(minutes=parameters.window_minutes), look.now)
    cells = count_facts(look.session, window, scope, question(scope, by), look.zone)
    groups: defaultdict[str, list[tuple[Cell, int]]] = defaultdict(list)
    for cell, count in cells.items():
        groups[cell.group].append((cell, count))
    if not parameters.per_station:
        groups.setdefault("", [])
    for subject, found in groups.items():
        counts = tally(found)
        rate = ng_rate(counts.ok, counts.ng, parameters.min_count)
        shown = round(rate, 2) if rate is not None else None
        yield Finding(
            subject,
            with_hysteresis(rate, parameters.threshold, parameters.clear_threshold),
            "alert-ng-rate",
            {
                "rate": f"{rate or 0.0:.1f}",
                "threshold": f"{parameters.threshold:g}",
                "inspected": counts.judged,
                "minutes": parameters.window_minutes,
                "where": look.where(by, subject),
            },
            {
                "current_ng_rate": shown,
                "threshold": parameters.threshold,
                "time_window": _window_name(parameters.window_minutes),
            },
        )


def _runs(look: _Look) -> Iterator[Finding]:
    rule, length = look.rule, int(look.parameters.threshold)
    conditions = [
        InspectionSession.status == SessionStatus.COMPLETED,
        InspectionSession.completed_at > look.now - _RUN_WITHIN,
        InspectionSession.completed_at <= look.now,
        InspectionSession.effective_verdict.in_([HumanVerdict.OK, HumanVerdict.NG]),
    ]
    equal = {InspectionSession.target_id: rule.target_id, InspectionSession.device_id: rule.device_id}
    conditions += [column == value for column, value in equal.items() if value is not None]
    subjects = [""]
    if look.parameters.per_station:
        subjects = sorted(look.session.scalars(select(InspectionSession.device_id).where(*conditions).distinct()))
    for subject in subjects:
        newest = select(InspectionSession.effective_verdict).where(*conditions)
        if subject:
            newest = newest.where(InspectionSession.device_id == subject)
        newest = newest.order_by(InspectionSession.completed_at.desc(), InspectionSession.id.desc()).limit(length)
        verdicts = [verdict.value for verdict in look.session.scalars(newest) if verdict is not None]
        if not verdicts:
            continue
        details = {"length": length, "where": look.where(Dimension.STATION, subject)}
        yield Finding(subject, ng_run(verdicts, length), "alert-ng-run", details, {"run_length": length})


def _drifts(look: _Look) -> Iterator[Finding]:
    rule, parameters = look.rule, look.parameters
    today = day_of(look.now, look.zone)
    query = select(
        DailyScore.item_id, DailyScore.day, DailyScore.total, DailyScore.score_sum, DailyScore.square_sum
    ).where(DailyScore.day >= (today - _REFERENCE).isoformat(), DailyScore.day <= today.isoformat())
    equal = {DailyScore.item_id: rule.item_id, DailyScore.device_id: rule.device_id}
    query = query.where(*(column == value for column, value in equal.items() if value is not None))
    now: defaultdict[str, ScoreSums] = defaultdict(lambda: NO_SCORES)
    before: defaultdict[str, ScoreSums] = defaultdict(lambda: NO_SCORES)
    for item_id, day, *sums in look.session.execute(query):
        side = now if day == today.isoformat() else before
        side[item_id] = side[item_id].plus(ScoreSums(*sums))
    for item_id in sorted(now.keys() | before.keys()):
        shift = score_shift(now[item_id], before[item_id], parameters.min_count)
        shown = round(shift, 2) if shift is not None else None
        details = {
            "shift": f"{shift or 0.0:.1f}",
            "threshold": f"{parameters.threshold:g}",
            "where": look.where(Dimension.ITEM, item_id),
        }
        data = {"shift": shown, "threshold": parameters.threshold, "item_id": item_id}
        decided = with_hysteresis(shift, parameters.threshold, parameters.clear_threshold)
        yield Finding(item_id, decided, "alert-score-drift", details, data)


def _silences(look: _Look) -> Iterator[Finding]:
    minutes = look.parameters.threshold
    query = select(Device).where(Device.status == DeviceStatus.ACTIVE, Device.last_seen_at.is_not(None))
    if look.rule.device_id is not None:
        query = query.where(Device.id == look.rule.device_id)
    for device in look.session.scalars(query.order_by(Device.id)):
        if device.last_seen_at is None:
            continue
        silent = (look.now - device.last_seen_at).total_seconds() / 60
        decided = Decision.RAISE if silent >= minutes else Decision.CLEAR
        details = {"minutes": f"{minutes:g}", "where": device.name}
        data = {"device_id": device.id, "threshold_minutes": minutes}
        yield Finding(device.id, decided, "alert-station-silent", details, data)


def _window_name(minutes: int) -> str:
    return "last_hour" if minutes == _HOUR_MINUTES else f"last_{minutes}_minutes"


_FINDERS: dict[AlertRuleKind, Callable[[_Look], Iterator[Finding]]] = {
    AlertRuleKind.NG_RATE: _rates,
    AlertRuleKind.NG_RUN: _runs,
    AlertRuleKind.SCORE_DRIFT: _drifts,
    AlertRuleKind.STATION_SILENT: _silences,
}
