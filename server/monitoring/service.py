"""Alert rules: made, changed, silenced, deleted. One unit of work a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from models.alerts import AlertRule
from models.clock import utc_now
from models.devices import Device
from models.errors import Conflict, InvalidInput
from models.ids import new_id
from models.states import AlertRuleKind
from models.targets import InspectionItem, Target
from server.alerts.addresses import require_allowed
from server.audit import SERVER_DEVICE, audited, differences, made, removed
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.paging import PageQuery, PageStatements, fetch_page
from server.core.records import require_record
from server.core.revisions import WHATEVER, Expected
from server.masters.repository import require_alive
from server.monitoring.repository import RuleFilter, listing, rule_by_id
from server.monitoring.rules import threshold_fault
from server.monitoring.schemas import AlertRuleCreate, AlertRuleReply, AlertRuleUpdate, RuleParameters, Silence
from sync.shared.schemas import Page

_ABOUT_ITEMS = {AlertRuleKind.NG_RATE, AlertRuleKind.SCORE_DRIFT}
_REFERENCES = {"target_id", "item_id", "device_id"}
_ABOUT_TARGETS = {AlertRuleKind.NG_RATE, AlertRuleKind.NG_RUN}


def list_rules(context: ServerContext, wanted: RuleFilter, paging: PageQuery) -> Page[AlertRuleReply]:
    """Return a page of rules, by name."""
    with context.database.read() as session:
        statements = PageStatements.of(listing(session, wanted, paging.search), AlertRuleReply, paging)
        return fetch_page(session, statements, paging)


def get_rule(context: ServerContext, rule_id: str) -> AlertRuleReply:
    """Return a rule; ``NotFound`` ``alert-rule-unknown``."""
    with context.database.read() as session:
        return AlertRuleReply.model_validate(rule_by_id(session, rule_id))


def create_rule(context: ServerContext, who: Principal, body: AlertRuleCreate) -> tuple[AlertRuleReply, bool]:
    """Make a rule and return it, with whether it is new: the same request again makes none.

    Raises:
        InvalidInput: ``alert-rule-without-items``, ``alert-rule-without-targets``; ``validation-error`` for a
            threshold that the kind of rule cannot use, or a webhook that may not be called.
        NotFound: ``target-not-found``, ``item-not-found`` or ``device-unknown``.
        Conflict: ``id-taken``.
    """
    content = body.model_dump(mode="json", exclude={"id"})
    with context.database.local_transaction(who.user_id) as session:
        present = session.get(AlertRule, body.id) if body.id else None
        if present is not None:
            reply = AlertRuleReply.model_validate(present)
            known = reply.model_dump(mode="json")
            if any(known[name] != value for name, value in content.items()):
                raise Conflict("id-taken", id=present.id)
            return reply, False
        values = body.model_dump(exclude={"id", "parameters"})
        rule = AlertRule(
            id=body.id or new_id(),
            **values,
            parameters=body.parameters.model_dump(mode="json"),
            updated_by=who.username,
        )
        _require_sensible(rule)
        _require_reachable(rule, body.parameters)
        require_allowed(rule.webhooks, context.settings.alert_webhook_networks)
        _require_known(session, body.model_dump(include=_REFERENCES))
        session.add(rule)
        session.flush()
        audited(session, who, "alert-rule.created", "alert_rule", rule.id, changes=made(content))
        return AlertRuleReply.model_validate(rule), True


def change_rule(
    context: ServerContext, who: Principal, rule_id: str, body: AlertRuleUpdate, expected: Expected = WHATEVER
) -> AlertRuleReply:
    """Change a rule; what is left out stays.

    Raises:
        NotFound: ``alert-rule-unknown``; ``target-not-found``, ``item-not-found`` or ``device-unknown``.
        InvalidInput: ``alert-rule-without-items``, ``alert-rule-without-targets``; ``validation-error`` for a
            threshold that the kind of rule cannot use, or a webhook that may not be called.
        PreconditionFailed: ``revision-mismatch``.
        Conflict: ``member-read-only``.
    """
    with context.database.local_transaction(who.user_id) as session:
        rule = rule_by_id(session, rule_id, locked=True)
        before = AlertRuleReply.model_validate(rule)
        expected.require(before, body)
        given = body.given()
        for name, value in given.items():
            setattr(rule, name, value)
        _require_sensible(rule)
        # What has been deleted since stays: a rule about it can still be switched off.
        _require_known(session, {name: value for name, value in given.items() if getattr(before, name) != value})
        if "parameters" in given:
            _require_reachable(rule, body.parameters)
        if "webhooks" in given and rule.webhooks != before.webhooks:
            require_allowed(rule.webhooks, context.settings.alert_webhook_networks)
        changes = differences(before.model_dump(mode="json"), given)
        if changes:
            rule.updated_at, rule.updated_by = utc_now(), who.username
            audited(session, who, "alert-rule.changed", "alert_rule", rule.id, changes=changes)
        session.flush()
        return AlertRuleReply.model_validate(rule)


def silence_rule(context: ServerContext, who: Principal, rule_id: str, body: Silence) -> AlertRuleReply:
    """Let a rule deliver nothing up to a time, or end its silence; ``NotFound`` ``alert-rule-unknown``."""
    with context.database.local_transaction(who.user_id) as session:
        rule = rule_by_id(session, rule_id, locked=True)
        changes = differences({"silenced_until": rule.silenced_until}, {"silenced_until": body.until})
        rule.silenced_until = body.until
        audited(session, who, "alert-rule.silenced", "alert_rule", rule.id, changes=changes)
        session.flush()
        return AlertRuleReply.model_validate(rule)


def delete_rule(context: ServerContext, who: Principal, rule_id: str, expected: Expected = WHATEVER) -> None:
    """Delete a rule; what it has raised stays, and is cleared.

    Raises:
        NotFound: ``alert-rule-unknown``.
        PreconditionFailed: ``revision-mismatch``.
    """
    with context.database.local_transaction(who.user_id) as session:
        rule = rule_by_id(session, rule_id, locked=True)
        present = AlertRuleReply.model_validate(rule)
        expected.require(present)
        session.delete(rule)
        gone = removed(present.model_dump(mode="json"))
        audited(session, who, "alert-rule.deleted", "alert_rule", rule.id, changes=gone)


def _require_known(session: Session, references: Mapping[str, Any]) -> None:
    """Check that what a rule watches is there: it would never raise anything, nor stop a line."""
    if references.get("target_id") is not None:
        require_alive(session, Target, references["target_id"])
    if references.get("item_id") is not None:
        require_alive(session, InspectionItem, references["item_id"])
    if references.get("device_id") not in {None, SERVER_DEVICE}:
        require_record(session, Device, references["device_id"], "device-unknown")


def _require_reachable(rule: AlertRule, parameters: RuleParameters) -> None:
    fault = threshold_fault(rule.rule_kind, parameters.threshold)
    if fault is not None:
        entry = {"field": "parameters.threshold", "message": fault, "value": parameters.threshold}
        raise InvalidInput("validation-error", members={"validation_errors": [entry]})


def _require_sensible(rule: AlertRule) -> None:
    if rule.item_id is not None and rule.rule_kind not in _ABOUT_ITEMS:
        raise InvalidInput("alert-rule-without-items", rule_kind=rule.rule_kind.value)
    if rule.target_id is not None and rule.rule_kind not in _ABOUT_TARGETS:
        raise InvalidInput("alert-rule-without-targets", rule_kind=rule.rule_kind.value)
