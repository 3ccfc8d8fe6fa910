"""What the database tells ``/metrics``: what waits, open alerts and their deliveries, how far stations lag, scores."""

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
from models.statistics import DailyScore
from server.alerts.repository import open_by_severity, waiting_deliveries
from server.context import ServerContext
from server.core.site_time import day_of
from server.events.outbox import waiting_s

_THOUSANDTHS = 1_000
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
    seen = func.coalesce(DeviceStore.last_seen_at, Device.enrolled_at)
    own = (DeviceStore.device_id == Device.id) & (DeviceStore.state == StoreState.CURRENT)
    query = select(Device.id, type_coerce(seen, UtcDateTime())).outerjoin(DeviceStore, own)
    now = utc_now()
    active = session.execute(query.where(Device.status == DeviceStatus.ACTIVE))
    return {device_id: max(0.0, (now - last).total_seconds()) for device_id, last in active}


def item_scores(session: Session, today: str) -> dict[str, tuple[int, float]]:
    """Return of each item with an anomaly score of today how many there are, and their mean in thresholds."""
    count, total = func.sum(DailyScore.total), func.sum(DailyScore.score_sum)
    query = select(DailyScore.item_id, count, total).where(DailyScore.day == today).group_by(DailyScore.item_id)
    found = [(item_id, int(number), int(score)) for item_id, number, score in session.execute(query)]
    return {item_id: (number, score / number / _THOUSANDTHS) for item_id, number, score in found if number}


def metrics_text(context: ServerContext) -> bytes:
    """Return the Prometheus exposition; what the database cannot tell now is not a number."""
    metrics = context.metrics
    try:
        with context.database.read() as session:
            executions = open_executions(session)
            events = float(session.scalar(select(func.count()).select_from(OutgoingEvent)) or 0)
            oldest = waiting_s(session)
            lags = station_lags(session)
            scores = item_scores(session, day_of(utc_now(), context.settings.zone).isoformat())
            alerts = open_by_severity(session)
            deliveries = float(waiting_deliveries(session))
        opened = {severity.value: float(alerts.get(severity, 0)) for severity in Severity}
        counts = {status.value: float(executions.get(status.value, 0)) for status in _OPEN}
    except Unavailable:
        counts, events, oldest, lags = {status.value: nan for status in _OPEN}, nan, nan, {}
        scores = {}
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
    # An item without a score today has none.
    metrics.item_results.clear()
    metrics.item_score.clear()
    for item_id, (number, mean) in scores.items():
        metrics.item_results.labels(item_id).set(number)
        metrics.item_score.labels(item_id).set(mean)
    metrics.outbox_events.set(events)
    metrics.outbox_oldest.set(oldest)
    return metrics.text()
