"""The gRPC services of a server process: those without an address of their own run in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.camera_stream.service import CameraStreams
from server.context import ServerContext
from server.core.settings import ServerSettings
from server.grpc.contract import CAMERA_STREAM
from server.services.addresses import embedded_services


@asynccontextmanager
async def connected_services(
    settings: ServerSettings, context: ServerContext, streams: CameraStreams | None = None
) -> AsyncIterator[None]:
    """Host the services that have no address, and connect to all of them, until the block ends.

    What runs in this process itself is asked without gRPC; it listens for others all the same.

    Args:
        settings: as started.
        context: the server's parts.
        streams: camera streams of this process, which its WebSocket has too; None hosts none.

    Raises:
        InvalidInput: ``service-open-host``, ``service-insecure-host``, ``service-address-invalid`` or
            ``server-tls-files``.
        Unavailable: ``service-port-taken``.
    """
    from server.camera_stream.rpc import StreamCalls
    from server.grpc.hosting import Parts, ServiceHost

    hosted = [service for service in embedded_services(settings) if service is not CAMERA_STREAM or streams is not None]
    calls = None if streams is None else StreamCalls(streams)
    parts = Parts(settings, context.objects, context.models, calls, context.metrics.grpc_handled)
    host = ServiceHost(hosted, parts, share_ports=settings.workers > 1)
    addresses = await host.start()
    try:
        await context.services.start(addresses, host.calls)
        yield
    finally:
        await context.services.stop()
        await host.stop()
