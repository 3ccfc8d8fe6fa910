"""The rules that a server begins with."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.alerts import AlertRule
from models.insertion import insert_if_absent
from models.states import AlertRuleKind, Severity
from models.sync import SyncState
from server.monitoring.schemas import RuleParameters

_MADE = "alert_rules_made"


def make_default_rules(session: Session) -> None:
    """Make the rule of the API document, once in the life of a store: who deletes it does not get it back."""
    if not insert_if_absent(session, SyncState(key=_MADE, value="1")):
        return
    parameters = RuleParameters(threshold=5.0, window_minutes=60, min_count=20)
    session.add(
        AlertRule(
            name="NG rate above 5 % in the last hour",
            rule_kind=AlertRuleKind.NG_RATE,
            severity=Severity.HIGH,
            parameters=parameters.model_dump(mode="json"),
        )
    )
