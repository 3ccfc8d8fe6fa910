"""Queries of alert rules and the alerts they have open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.alerts import Alert, AlertRule
from models.states import AlertRuleKind
from server.core.paging import named
from server.core.records import require_record


@dataclass(frozen=True, slots=True)
class RuleFilter:
    """Which rules a list shows; None is any."""

    rule_kind: AlertRuleKind | None = None
    enabled: bool | None = None


def listing(session: Session, wanted: RuleFilter, search: str) -> Select[Any]:
    """Return the query for rules, by name; the search looks at the name."""
    query = select(AlertRule).order_by(AlertRule.name, AlertRule.id)
    equal = {AlertRule.rule_kind: wanted.rule_kind, AlertRule.enabled: wanted.enabled}
    query = query.where(*(column == value for column, value in equal.items() if value is not None))
    return named(session, query, AlertRule, search)


def rule_by_id(session: Session, rule_id: str, *, locked: bool = False) -> AlertRule:
    """Return a rule; ``NotFound`` ``alert-rule-unknown``."""
    return require_record(session, AlertRule, rule_id, "alert-rule-unknown", locked=locked)


def all_rules(session: Session) -> Sequence[AlertRule]:
    """Return every rule."""
    return session.scalars(select(AlertRule).order_by(AlertRule.id)).all()


def open_of_rules(session: Session) -> Sequence[Alert]:
    """Return the open alerts that rules have raised."""
    query = select(Alert).where(Alert.open_key.is_not(None), Alert.rule_id.is_not(None))
    return session.scalars(query.order_by(Alert.id)).all()
