"""Alerts as people see them: listed, read, acknowledged."""

from __future__ import annotations

from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.alerts import Alert, AlertDelivery
from models.clock import utc_now
from models.messages import Language, error_text
from models.states import AlertChannel, AlertEvent
from server.alerts.raising import announce
from server.alerts.repository import AlertFilter, alert_by_id, deliveries_of, holding_stops, listing
from server.alerts.schemas import AlertDetail, AlertReply, DeliveryReply
from server.audit import audited, differences
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.paging import PageQuery, in_order
from sync.shared.schemas import Page


def list_alerts(context: ServerContext, wanted: AlertFilter, paging: PageQuery, language: Language) -> Page[AlertReply]:
    """Return a page of alerts, newest first."""
    query = in_order(listing(wanted, paging.search), Alert, paging)
    with context.database.read() as session:
        total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
        found = session.scalars(query.limit(paging.page_size).offset(paging.skipped)).all()
    return Page[AlertReply](
        items=[_reply(alert, language) for alert in found],
        total_count=total,
        page=paging.page,
        page_size=paging.page_size,
        total_pages=-(-total // paging.page_size),
    )


def get_alert(context: ServerContext, alert_id: str, language: Language) -> AlertDetail:
    """Return an alert with its deliveries; ``NotFound`` ``alert-unknown``."""
    with context.database.read() as session:
        return _detail(session, alert_by_id(session, alert_id), language)


def acknowledge(context: ServerContext, who: Principal, alert_id: str, language: Language) -> AlertDetail:
    """Note who has seen an alert, and release the line that it has stopped; done twice, the first one counts.

    Raises:
        NotFound: ``alert-unknown``.
    """
    with context.database.transaction(who.user_id) as session:
        alert = alert_by_id(session, alert_id, locked=True)
        now = utc_now()
        stops = holding_stops(session, alert.id)
        for stop in stops:
            stop.released_at, stop.released_by = now, who.username
        if alert.acknowledged_at is None:
            alert.acknowledged_at, alert.acknowledged_by = now, who.username
            announce(session, alert, AlertEvent.ACKNOWLEDGED)
            changes = differences(
                {}, {"acknowledged_by": who.username, "line_stops_released": [stop.id for stop in stops] or None}
            )
            audited(session, who, "alert.acknowledged", "alert", alert.id, changes=changes)
        session.flush()
        reply = _detail(session, alert, language)
    context.outbox.wake()
    return reply


def message_of(code: str, details: dict[str, object], language: Language) -> str:
    """Return what an alert says, in one line."""
    return error_text(code, details, language).title


def _reply(alert: Alert, language: Language) -> AlertReply:
    columns = {name: getattr(alert, name) for name in AlertReply.model_fields if hasattr(alert, name)}
    message = message_of(alert.code, alert.details, language)
    return AlertReply(**columns, message=message, is_open=alert.open_key is not None)


def _detail(session: Session, alert: Alert, language: Language) -> AlertDetail:
    return AlertDetail(
        **_reply(alert, language).model_dump(),
        deliveries=[_delivery(delivery) for delivery in deliveries_of(session, alert.id)],
        line_stopped=bool(holding_stops(session, alert.id)),
    )


def _delivery(delivery: AlertDelivery) -> DeliveryReply:
    columns = {name: getattr(delivery, name) for name in DeliveryReply.model_fields}
    if delivery.channel is AlertChannel.WEBHOOK:
        # The rest of a URL may hold a secret of the other side.
        columns["destination"] = urlsplit(delivery.destination).hostname or ""
    return DeliveryReply(**columns)
