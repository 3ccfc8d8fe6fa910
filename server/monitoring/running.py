"""Watching while the server runs: rules are evaluated, alerts delivered, each on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from models.clock import utc_now
from models.errors import UserFacingError
from server.alerts.delivering import AlertDelivering
from server.context import ServerContext
from server.core.structlog_import import structlog
from server.monitoring.defaults import make_default_rules
from server.monitoring.evaluation import evaluate, take_turn

_LOOKS = 3
"""How often in a period a process asks for its turn, so that one that takes over is late by a third at most."""
_log = structlog.get_logger("imageflow.server")


@asynccontextmanager
async def watching(context: ServerContext) -> AsyncIterator[None]:
    """Evaluate rules and deliver alerts until the block ends.

    Raises:
        InvalidInput: ``mail-insecure``.
    """
    context.settings.require_safe_mail()
    stopping = threading.Event()
    thread = threading.Thread(target=_evaluate, args=(context, stopping), name="alert-rules", daemon=True)
    delivering = AlertDelivering(context.database, context.settings, context.metrics, utc_now)
    thread.start()
    delivering.start()
    try:
        yield
    finally:
        stopping.set()
        await asyncio.to_thread(thread.join)
        await asyncio.to_thread(delivering.stop)


def _evaluate(context: ServerContext, stopping: threading.Event) -> None:
    period_s = context.settings.alert_period_s
    made = False
    while not stopping.is_set():
        try:
            if not made:
                with context.database.local_transaction() as session:
                    make_default_rules(session)
                made = True
            if take_turn(context.database, period_s):
                evaluate(context, utc_now())
        except UserFacingError as error:
            _log.warning("alert rules not evaluated", error_code=error.code)
        stopping.wait(period_s / _LOOKS)
