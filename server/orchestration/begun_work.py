"""Work on the database that goes on when nobody waits for it any more."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from models.errors import Unavailable
from server.core.structlog_import import structlog
from server.executions.leases import LeaseLostError

_T = TypeVar("_T")
_log = structlog.get_logger("imageflow.server")


async def outlasting(unit: asyncio.Future[_T]) -> _T:
    """Return what a unit of work gives; a caller that is cancelled leaves it to its end."""
    try:
        return await asyncio.shield(unit)
    except asyncio.CancelledError:
        unit.add_done_callback(_report)
        raise


def _report(unit: asyncio.Future[_T]) -> None:
    """Log a fault of a unit that nobody waits for; that it came too late, or found no database, concerns nobody."""
    error = None if unit.cancelled() else unit.exception()
    if error is not None and not isinstance(error, (LeaseLostError, Unavailable)):
        _log.error("work on the database failed", exc_info=error)
