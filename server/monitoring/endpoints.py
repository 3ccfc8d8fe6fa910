"""``/inspection/quality/alert-rules``."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from models.states import AlertRuleKind, Role
from server.core.paging import PageQuery
from server.http.dependencies import Context, Principal, require
from server.http.paging import paging_by
from server.http.revisions import Answered, IfMatch, Read
from server.http.routes import feature_router
from server.monitoring import service
from server.monitoring.repository import RuleFilter
from server.monitoring.schemas import AlertRuleCreate, AlertRuleReply, AlertRuleUpdate, Silence
from sync.shared.schemas import NamedId, Page

router = feature_router(prefix="/inspection/quality/alert-rules", tags=["quality"])
RulePaging = Annotated[PageQuery, Depends(paging_by("name", "rule_kind", "severity", "created_at", "updated_at"))]
Engineer = Annotated[Principal, Depends(require(Role.SUPERVISOR, Role.ADMIN))]


@router.get("", summary="List alert rules", dependencies=[Depends(require(Role.SUPERVISOR, Role.ADMIN))])
def list_rules(
    context: Context,
    paging: RulePaging,
    rule_kind: Annotated[AlertRuleKind | None, Query(description="Only of this kind.")] = None,
    enabled: Annotated[bool | None, Query(description="Only those that are evaluated, or only the others.")] = None,
) -> Page[AlertRuleReply]:
    """By name; supervisors and administrators."""
    return service.list_rules(context, RuleFilter(rule_kind, enabled), paging)


@router.post(
    "",
    summary="Make an alert rule",
    status_code=201,
    responses={200: {"model": AlertRuleReply}, 400: {}, 404: {}, 409: {}},
)
def create_rule(asking: Engineer, context: Context, body: AlertRuleCreate, answer: Answered) -> AlertRuleReply:
    """Supervisors and administrators; the same request again answers 200."""
    reply, new = service.create_rule(context, asking, body)
    answer.created(f"/inspection/quality/alert-rules/{reply.id}", new=new)
    return answer.of(reply)


@router.get("/{rule_id}", summary="One alert rule", dependencies=[Depends(require(Role.SUPERVISOR, Role.ADMIN))])
def get_rule(rule_id: NamedId, context: Context, answer: Read) -> AlertRuleReply:
    """The rule as it is now."""
    return answer.of(service.get_rule(context, rule_id))


@router.put("/{rule_id}", summary="Change an alert rule", responses={409: {}})
def update_rule(
    rule_id: NamedId, asking: Engineer, context: Context, body: AlertRuleUpdate, answer: Answered, expected: IfMatch
) -> AlertRuleReply:
    """Supervisors and administrators; what is left out stays."""
    return answer.of(service.change_rule(context, asking, rule_id, body, expected))


@router.post("/{rule_id}/silence", summary="Silence an alert rule")
def silence_rule(rule_id: NamedId, asking: Engineer, context: Context, body: Silence) -> AlertRuleReply:
    """Up to a time nothing is delivered and no line is stopped; alerts are recorded all the same."""
    return service.silence_rule(context, asking, rule_id, body)


@router.delete("/{rule_id}", summary="Delete an alert rule", status_code=204)
def delete_rule(rule_id: NamedId, asking: Engineer, context: Context, expected: IfMatch) -> None:
    """Its open alerts are cleared; those of the past stay."""
    service.delete_rule(context, asking, rule_id, expected)
