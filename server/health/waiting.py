"""How much waits: executions that have not ended, events for the bus, open alerts and their deliveries."""

from __future__ import annotations

from math import nan

from sqlalchemy import func, select, type_coerce
from sqlalchemy.orm import Session

from models.base import UtcDateTime
from models.clock import utc_now
from models.devices import Device, DeviceStore
from models.errors import Unavailable
from models.events import OutgoingEvent
from models.executions import Execution
from models.states import EXECUTION_ENDED, DeviceStatus, ExecutionStatus, Severity, StoreState
from server.alerts.repository import open_by_severity, waiting_deliveries
from server.context import ServerContext
from server.events.outbox import waiting_s

_OPEN = tuple(status for status in ExecutionStatus if status not in EXECUTION_ENDED)


def open_executions(session: Session) -> dict[str, int]:
    """Return how many executions have each status that is no end, where there is any."""
    query = (
        select(Execution.status, func.count())
        .where(Execution.status.not_in(EXECUTION_ENDED))
        .group_by(Execution.status)
    )
    return {status.value: count for status, count in session.execute(query)}


def station_lags(session: Session) -> dict[str, float]:
    """Return for how many seconds each active station has not synchronised, at most since it was enrolled."""
    seen = func.coalesce(DeviceStore.last_seen_at, Device.last_seen_at, Device.enrolled_at)
    own = (DeviceStore.device_id == Device.id) & (DeviceStore.state == StoreState.CURRENT)
    query = select(Device.id, type_coerce(seen, UtcDateTime())).outerjoin(DeviceStore, own)
    now = utc_now()
    active = session.execute(query.where(Device.status == DeviceStatus.ACTIVE))
    return {device_id: max(0.0, (now - last).total_seconds()) for device_id, last in active}


def metrics_text(context: ServerContext) -> bytes:
    """Return the Prometheus exposition; what the database cannot tell now is not a number."""
    metrics = context.metrics
    try:
        with context.database.read() as session:
            executions = open_executions(session)
            events = float(session.scalar(select(func.count()).select_from(OutgoingEvent)) or 0)
            oldest = waiting_s(session)
            lags = station_lags(session)
            alerts = open_by_severity(session)
            deliveries = float(waiting_deliveries(session))
        opened = {severity.value: float(alerts.get(severity, 0)) for severity in Severity}
        counts = {status.value: float(executions.get(status.value, 0)) for status in _OPEN}
    except Unavailable:
        counts, events, oldest, lags = {status.value: nan for status in _OPEN}, nan, nan, {}
        opened, deliveries = {severity.value: nan for severity in Severity}, nan
    for status, count in counts.items():
        metrics.executions.labels(status).set(count)
    for severity, count in opened.items():
        metrics.open_alerts.labels(severity).set(count)
    metrics.waiting_deliveries.set(deliveries)
    # A station that was revoked has none any more.
    metrics.station_lag.clear()
    for device_id, lag in lags.items():
        metrics.station_lag.labels(device_id).set(lag)
    metrics.outbox_events.set(events)
    metrics.outbox_oldest.set(oldest)
    return metrics.text()
