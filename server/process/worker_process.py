"""A worker as a process: runs executions beside the server, until it is stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable

from models.errors import InvalidInput
from models.messages import LocalText
from server.context import ServerContext, open_context
from server.core.data_folder import require_no_obstacle
from server.core.logs import configure_logs
from server.core.settings import ServerSettings, default_slots
from server.orchestration.starting import working
from server.process.own_process import set_up_process
from server.process.services import connected_services

_STANDARD_INPUT, _PIECE = 0, 1_024


def run_worker(settings: ServerSettings, *, until_stdin_closes: bool, report: Callable[[LocalText], None]) -> None:
    """Run executions until stopped (SIGTERM, SIGINT, or the end of standard input); what runs then is given back.

    Args:
        settings: as started; services without an address are hosted in this process, on ports that are free.
        until_stdin_closes: stop when standard input ends.
        report: shows a line to the person who started it.

    Raises:
        InvalidInput: ``worker-database-embedded``.
        Unavailable: ``server-data-dir``.
        UserFacingError: when it cannot start, with what to do.
    """
    require_no_obstacle(settings.data_dir)
    if not settings.database.startswith("postgresql"):
        raise InvalidInput("worker-database-embedded")
    slots = settings.execution_slots or default_slots(os.cpu_count() or 1)
    own = settings.model_copy(update={"execution_slots": slots, "grpc_port": 0})
    set_up_process()
    configure_logs(own.log_level)
    context = open_context(own)
    try:
        asyncio.run(_work(own, context, until_stdin_closes=until_stdin_closes, report=report))
    finally:
        context.close()


async def _work(
    settings: ServerSettings, context: ServerContext, *, until_stdin_closes: bool, report: Callable[[LocalText], None]
) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if until_stdin_closes:
        threading.Thread(target=_wait_for_the_end, args=(loop, stopped), daemon=True, name="stdin").start()
    context.models.report_absent(report)
    context.outbox.start()
    async with connected_services(settings, context), working(context, context.services, context.models.find):
        report(LocalText.of("worker-runs", {"slots": settings.slots}))
        await stopped.wait()


def _wait_for_the_end(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    while os.read(_STANDARD_INPUT, _PIECE):
        pass
    if not loop.is_closed():
        loop.call_soon_threadsafe(stopped.set)
