"""``/inspection/quality/alerts``."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Query

from models.messages import choose_language
from models.states import Role, Severity
from server.alerts import service
from server.alerts.repository import AlertFilter
from server.alerts.schemas import AlertDetail, AlertReply
from server.core.paging import PageQuery
from server.http.dependencies import ANY_PRINCIPAL, Context, Principal, require
from server.http.paging import paging_by
from server.http.revisions import Read
from server.http.routes import feature_router
from sync.shared.schemas import NamedId, Page, RecordId, Text

router = feature_router(prefix="/inspection/quality/alerts", tags=["quality"])
AlertPaging = Annotated[PageQuery, Depends(paging_by("raised_at", "code", "source"))]
Engineer = Annotated[Principal, Depends(require(Role.SUPERVISOR, Role.ADMIN))]
Language = Annotated[str | None, Header(alias="Accept-Language")]


async def alert_filter(
    is_open: Annotated[bool | None, Query(alias="open", description="Only open alerts, or only those over.")] = None,
    acknowledged: Annotated[bool | None, Query(description="Only acknowledged alerts, or only the others.")] = None,
    severity: Annotated[Severity | None, Query(description="Only this severity.")] = None,
    source: Annotated[Text | None, Query(max_length=32, description="Only of this feature, as `quality`.")] = None,
    rule_id: Annotated[RecordId | None, Query(description="Only of this rule.")] = None,
) -> AlertFilter:
    """Return which alerts a list shows."""
    return AlertFilter(is_open, acknowledged, severity, source, rule_id)


@router.get("", summary="List alerts", dependencies=ANY_PRINCIPAL)
def list_alerts(
    context: Context,
    paging: AlertPaging,
    wanted: Annotated[AlertFilter, Depends(alert_filter)],
    language: Language = None,
) -> Page[AlertReply]:
    """Newest first; the search looks at code and subject."""
    return service.list_alerts(context, wanted, paging, choose_language(language))


@router.get("/{alert_id}", summary="One alert with its deliveries", dependencies=ANY_PRINCIPAL)
def get_alert(alert_id: NamedId, context: Context, answer: Read, language: Language = None) -> AlertDetail:
    """How each mail and each call went is beside it."""
    return answer.of(service.get_alert(context, alert_id, choose_language(language)))


@router.post("/{alert_id}/acknowledge", summary="Acknowledge an alert")
def acknowledge(alert_id: NamedId, asking: Engineer, context: Context, language: Language = None) -> AlertDetail:
    """Stations that the alert has stopped go on. An alert that is acknowledged already stays as it is."""
    return service.acknowledge(context, asking, alert_id, choose_language(language))
