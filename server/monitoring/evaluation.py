"""Evaluation of the rules: what they find is compared with the open alerts, and the difference is written."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.alerts import Alert, AlertRule
from models.clock import parse_rfc3339, rfc3339
from models.database import Database
from models.insertion import insert_if_absent
from models.sync import SyncState
from server.alerts.raising import NOBODY, AlertReason, Recipients, clear_alert, open_key, raise_alert
from server.context import ServerContext
from server.executions.leases import store_now
from server.monitoring.findings import Finding, findings_of
from server.monitoring.repository import all_rules, open_of_rules
from server.monitoring.rules import Decision

SOURCE = "quality"
_DUE = "alert_rules_due"


@dataclass(frozen=True, slots=True)
class _Found:
    rule: AlertRule
    finding: Finding

    @property
    def key(self) -> str:
        return open_key(SOURCE, self.rule.id, self.finding.subject)


def take_turn(database: Database, period_s: float) -> bool:
    """Return whether it is this process's turn to evaluate: once in a period over all replicas, also after restarts."""
    with database.local_transaction() as session:
        now = store_now(session)
        insert_if_absent(session, SyncState(key=_DUE, value=rfc3339(now)))
        due = session.get_one(SyncState, _DUE, with_for_update=True)
        if parse_rfc3339(due.value) > now:
            return False
        due.value = rfc3339(now + datetime.timedelta(seconds=period_s))
        return True


def evaluate(context: ServerContext, now: datetime.datetime) -> int:
    """Evaluate every rule and return how many alerts were raised or cleared.

    The figures are read without holding up writers; what they decide is written after that, in one transaction, against
    the alerts as they are then.
    """
    zone = context.settings.zone
    with context.database.read() as session:
        rules = {rule.id: rule for rule in all_rules(session) if rule.enabled}
        findings = {rule_id: findings_of(session, rule, now, zone) for rule_id, rule in rules.items()}
        found = [
            _Found(rule, finding)
            for rule_id, rule in rules.items()
            for finding in findings[rule_id] or ()
            if finding.decision is not Decision.LEAVE
        ]
        opened = {alert.open_key: alert for alert in open_of_rules(session)}
    raised = [one for one in found if one.finding.decision is Decision.RAISE and _is_news(one, opened.get(one.key))]
    cleared = [one for one in found if one.finding.decision is Decision.CLEAR and one.key in opened]
    orphaned = [alert for alert in opened.values() if not _is_watched(alert, findings)]
    if not (raised or cleared or orphaned):
        return 0
    with context.database.transaction() as session:
        changed = _write(session, raised, cleared, now)
        for alert in orphaned:
            rule = rules.get(alert.rule_id or "")
            told = Recipients(tuple(rule.mail), tuple(rule.webhooks)) if rule is not None else NOBODY
            silenced = rule is not None and _is_silenced(rule, now)
            changed += clear_alert(session, alert.open_key or "", told, silenced=silenced) is not None
    context.outbox.wake()
    return changed


def _write(session: Session, raised: Sequence[_Found], cleared: Sequence[_Found], now: datetime.datetime) -> int:
    changed = 0
    for one in raised:
        reason = AlertReason(
            source=SOURCE,
            severity=one.rule.severity,
            code=one.finding.code,
            subject=one.finding.subject,
            rule_id=one.rule.id,
            details=one.finding.details,
            data=one.finding.data,
        )
        silenced = _is_silenced(one.rule, now)
        changed += raise_alert(session, reason, recipients_of(one.rule, one.finding), silenced=silenced) is not None
    for one in cleared:
        told = recipients_of(one.rule, one.finding)
        changed += clear_alert(session, one.key, told, silenced=_is_silenced(one.rule, now)) is not None
    return changed


def recipients_of(rule: AlertRule, finding: Finding) -> Recipients:
    """Return whom a rule tells; a stop concerns the station that the rule or the finding is about, else all."""
    stations: tuple[str, ...] | None = None
    if rule.device_id is not None:
        stations = (rule.device_id,)
    elif finding.subject and rule.parameters.get("per_station"):
        stations = (finding.subject,)
    return Recipients(tuple(rule.mail), tuple(rule.webhooks), rule.line_stop, stations)


def _is_watched(alert: Alert, findings: Mapping[str, Sequence[Finding] | None]) -> bool:
    """Return whether anybody sees when an alert is over.

    Nobody does when its rule was switched off or deleted, or finds nothing of its subject any more: a station that was
    disabled, that completes no more parts, or that the rule was taken away from.
    """
    if alert.rule_id is None or alert.rule_id not in findings:
        return False
    found = findings[alert.rule_id]
    return found is None or any(one.subject == alert.subject for one in found)


def _is_news(one: _Found, alert: Alert | None) -> bool:
    return alert is None or (alert.details, alert.data) != (one.finding.details, one.finding.data)


def _is_silenced(rule: AlertRule, now: datetime.datetime) -> bool:
    return rule.silenced_until is not None and rule.silenced_until > now
