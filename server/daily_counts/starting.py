"""Building of the daily counts beside a server that has begun to serve: after an upgrade, or for another time zone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

from models.database import Database
from models.errors import UserFacingError
from server.core.structlog_import import structlog
from server.daily_counts.rebuilding import build

_AGAIN_S = 30.0
_log = structlog.get_logger("imageflow.server")


@asynccontextmanager
async def building_counts(database: Database, zone: ZoneInfo) -> AsyncIterator[None]:
    """Build the daily counts on a thread where they are not complete; statistics read the facts until they are.

    What is left at the end is built at the next start.
    """
    stopping = threading.Event()
    thread = threading.Thread(target=_build, args=(database, zone, stopping), name="daily-counts", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        await asyncio.to_thread(thread.join)


def _build(database: Database, zone: ZoneInfo, stopping: threading.Event) -> None:
    while not stopping.is_set():
        try:
            build(database, zone, stopped=stopping.is_set)
        except UserFacingError as error:
            # The store is busy or away: what was counted stays counted.
            _log.warning("daily counts not built", error_code=error.code)
            stopping.wait(_AGAIN_S)
        else:
            return
