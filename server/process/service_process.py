"""One gRPC service as a process: listens, announces its address, stops cleanly."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from models.messages import LocalText
from server.core.logs import configure_logs
from server.core.settings import ServerSettings
from server.grpc.contract import CAMERA_STREAM, Service
from server.grpc.models import ModelShelf
from server.objects.store import ObjectStore
from server.process.own_process import set_up_process

if TYPE_CHECKING:
    from server.camera_stream.rpc import StreamCalls

_STANDARD_INPUT, _PIECE = 0, 1_024


def serve_service(
    settings: ServerSettings,
    service: Service,
    *,
    port: int | None,
    until_stdin_closes: bool,
    report: Callable[[LocalText], None],
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
    set_up_process()
    configure_logs(settings.log_level)
    asyncio.run(_serve(settings, service, port, until_stdin_closes=until_stdin_closes, report=report))


async def _serve(
    settings: ServerSettings,
    service: Service,
    port: int | None,
    *,
    until_stdin_closes: bool,
    report: Callable[[LocalText], None],
) -> None:
    from server.grpc.hosting import Parts, ServiceHost

    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    models = ModelShelf(settings.models, settings.images_at_once)
    async with AsyncExitStack() as opened:
        calls = await opened.enter_async_context(_streams(settings, models)) if service is CAMERA_STREAM else None
        parts = Parts(settings, ObjectStore(settings.objects), models, calls)
        host = ServiceHost([service], parts, port=port, of_command=True)
        addresses = await host.start()
        opened.push_async_callback(host.stop)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        if until_stdin_closes:
            threading.Thread(target=_wait_for_the_end, args=(loop, stopped), daemon=True, name="stdin").start()
        models.report_absent(report)
        report(LocalText.of("service-listens", {"service": service.name, "address": addresses[service.key]}))
        await stopped.wait()


@asynccontextmanager
async def _streams(settings: ServerSettings, models: ModelShelf) -> AsyncIterator[StreamCalls]:
    """Give what answers the calls of camera streams; a database for many processes has pipelines and an archive."""
    from server.camera_stream.rpc import StreamCalls
    from server.camera_stream.service import streams_of, streams_without_database

    with ExitStack() as opened:
        if settings.database_url is None:
            streams = streams_without_database(settings, models)
        else:
            from server.context import open_context
            from server.orchestration.pipeline_models import models_of

            context = open_context(settings)
            opened.callback(context.close)
            context.outbox.start()
            streams = streams_of(context, models_of(context, models.find).find)
        yield StreamCalls(streams)
        await streams.aclose()


def _wait_for_the_end(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    while os.read(_STANDARD_INPUT, _PIECE):
        pass
    if not loop.is_closed():
        loop.call_soon_threadsafe(stopped.set)
