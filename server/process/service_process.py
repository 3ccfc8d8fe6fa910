"""One gRPC service as a process: listens, announces its address, stops cleanly."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable

from server.core.logs import configure_logs
from server.core.settings import ServerSettings
from server.grpc.contract import Service
from server.grpc.models import ModelShelf
from server.objects.store import ObjectStore
from server.process.running import OWNER_ONLY

_STANDARD_INPUT, _PIECE = 0, 1_024


def serve_service(
    settings: ServerSettings,
    service: Service,
    *,
    port: int | None,
    until_stdin_closes: bool,
    report: Callable[[str], None],
) -> None:
    """Run a service until it is stopped (SIGTERM, SIGINT, or the end of standard input).

    Args:
        settings: as started.
        service: to run.
        port: to listen on; None takes that of the settings.
        until_stdin_closes: stop when standard input ends.
        report: shows a line to the person who started it.

    Raises:
        UserFacingError: when it cannot start, with what to do.
    """
    os.umask(OWNER_ONLY)
    configure_logs(settings.log_level)
    asyncio.run(_serve(settings, service, port, until_stdin_closes=until_stdin_closes, report=report))


async def _serve(
    settings: ServerSettings,
    service: Service,
    port: int | None,
    *,
    until_stdin_closes: bool,
    report: Callable[[str], None],
) -> None:
    from server.grpc.hosting import Parts, ServiceHost

    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    parts = Parts(settings, ObjectStore(settings.objects), ModelShelf(settings.models))
    host = ServiceHost([service], parts, port=port)
    addresses = await host.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if until_stdin_closes:
        threading.Thread(target=_wait_for_the_end, args=(loop, stopped), daemon=True, name="stdin").start()
    report(f"{service.name} listens on {addresses[service.key]}")
    await stopped.wait()
    await host.stop()


def _wait_for_the_end(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    while os.read(_STANDARD_INPUT, _PIECE):
        pass
    if not loop.is_closed():
        loop.call_soon_threadsafe(stopped.set)
