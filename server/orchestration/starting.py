"""Executions in a server process: what they need is loaded with the first one, since many servers never run any."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from models.errors import Unavailable
from server.context import ServerContext
from server.core.structlog_import import structlog
from server.executions.events import PIPELINE_PROGRESS, is_accepted
from server.executions.leases import has_waiting
from server.executions.retention import remove_ended

if TYPE_CHECKING:
    from inspection.model_files.step_models import ModelFinder
    from server.orchestration.worker import Worker
    from server.services.step_services import StepServices

_LOOK_S = 2.0
_SETTLED_S, _DAY_S = 60.0, 24 * 3600.0
_log = structlog.get_logger("imageflow.server")


@asynccontextmanager
async def working(
    context: ServerContext, services: StepServices | None, find_model: ModelFinder
) -> AsyncIterator[None]:
    """Run executions in this process until the block ends; none where the settings leave them to other processes.

    Args:
        context: the server's parts.
        services: where steps run elsewhere; None to run them all here.
        find_model: finds the models that are no records of the store.
    """
    if context.settings.slots == 0:
        yield
        return
    tasks = [
        asyncio.create_task(_work(context, services, find_model), name="executions"),
        asyncio.create_task(_clear_away(context), name="retention of executions"),
    ]
    for task in tasks:
        task.add_done_callback(_report)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _work(context: ServerContext, services: StepServices | None, find_model: ModelFinder) -> None:
    await _first(context)
    worker = await asyncio.to_thread(_loaded)
    await worker(context, context.settings.slots, services, find_model).run()


def _loaded() -> type[Worker]:
    from server.orchestration.worker import Worker

    return Worker


async def _first(context: ServerContext) -> None:
    """Wait until an execution waits; while the bus is away, it is found by looking alone."""
    try:
        await _announced(context)
    except Unavailable as error:
        _log.warning("events not read", error_code=error.code)
        while not await asyncio.to_thread(_waits, context):
            await asyncio.sleep(_LOOK_S)


async def _announced(context: ServerContext) -> None:
    async with context.events.subscribe(PIPELINE_PROGRESS, is_accepted) as events:
        while not await asyncio.to_thread(_waits, context):
            try:
                async with asyncio.timeout(_LOOK_S):
                    if await anext(events, None) is not None:
                        return
                    await asyncio.sleep(_LOOK_S)  # The bus is closed: there is nothing to wait for there.
            except TimeoutError:
                continue


def _waits(context: ServerContext) -> bool:
    try:
        with context.database.read() as session:
            return has_waiting(session)
    except Unavailable:
        return False


async def _clear_away(context: ServerContext) -> None:
    """Remove old executions once a day."""
    await asyncio.sleep(_SETTLED_S)
    while True:
        try:
            days = context.settings.execution_retention_days
            removed = await asyncio.to_thread(remove_ended, context.database, days)
        except Unavailable as error:
            _log.warning("old executions stay", code=error.code)
        else:
            _log.info("old executions removed", executions=removed, days=days)
        await asyncio.sleep(_DAY_S)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("executions stopped", error=type(error).__name__, exc_info=error)
