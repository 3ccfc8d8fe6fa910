"""How much work waits: executions that have not ended, and events for the bus."""

from __future__ import annotations

from math import nan

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.errors import Unavailable
from models.events import OutgoingEvent
from models.executions import Execution
from models.states import EXECUTION_ENDED, ExecutionStatus
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


def metrics_text(context: ServerContext) -> bytes:
    """Return the Prometheus exposition; what the database cannot tell now is not a number."""
    metrics = context.metrics
    try:
        with context.database.read() as session:
            executions = open_executions(session)
            events = float(session.scalar(select(func.count()).select_from(OutgoingEvent)) or 0)
            oldest = waiting_s(session)
        counts = {status.value: float(executions.get(status.value, 0)) for status in _OPEN}
    except Unavailable:
        counts, events, oldest = {status.value: nan for status in _OPEN}, nan, nan
    for status, count in counts.items():
        metrics.executions.labels(status).set(count)
    metrics.outbox_events.set(events)
    metrics.outbox_oldest.set(oldest)
    return metrics.text()
