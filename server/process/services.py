"""The gRPC services of a server process: those without an address of their own run in it."""

from __future__ import annotations

import asyncio
import importlib
import ipaddress
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from server.camera_stream.service import CameraStreams
from server.context import ServerContext
from server.core.settings import ServerSettings
from server.grpc.contract import CAMERA_STREAM, SERVICES, Service
from server.grpc.ports import port_of
from server.grpc.proxy import ServiceProxy
from server.services.addresses import embedded_services


@asynccontextmanager
async def connected_services(
    settings: ServerSettings, context: ServerContext, streams: CameraStreams | None = None
) -> AsyncIterator[None]:
    """Host the services that have no address, and connect to all of them, until the block ends.

    What runs in this process itself is asked without gRPC; it listens for others all the same. Where only this computer
    can ask, services and gRPC are loaded with the first step or caller: they take 17 MB, and most servers only keep
    records.

    Args:
        settings: as started.
        context: the server's parts.
        streams: camera streams of this process, which its WebSocket has too; None hosts none.

    Raises:
        InvalidInput: ``service-open-host``, ``service-insecure-host``, ``service-address-invalid`` or
            ``server-tls-files``.
        Unavailable: ``service-port-taken``.
    """
    async with AsyncExitStack() as opened:
        if not starts_with_first_use(settings):
            await _start(opened, settings, context, streams)
        else:
            proxy = ServiceProxy(settings.grpc_host, context.services.ready)
            opened.push_async_callback(proxy.close)
            for service in _hosted(settings, streams):
                await proxy.listen(service, port_of(service, settings))
            opened.push_async_callback(context.services.stop)
            behind = settings.model_copy(update={"grpc_port": 0})
            context.services.wait(proxy.addresses, partial(_start, opened, behind, context, streams, proxy))
        yield


def starts_with_first_use(settings: ServerSettings) -> bool:
    """Return whether the services wait for their first use: all of them in this one process, for this computer alone.

    For others on the network they are started with the server, and listen themselves.
    """
    try:
        here = ipaddress.ip_address(settings.grpc_host).is_loopback and settings.workers == 1
    except ValueError:
        return False
    plain = settings.grpc_tls_cert is None and settings.grpc_tls_ca is None
    return here and plain and len(embedded_services(settings)) == len(SERVICES)


def _hosted(settings: ServerSettings, streams: CameraStreams | None) -> list[Service]:
    return [service for service in embedded_services(settings) if service is not CAMERA_STREAM or streams is not None]


async def _start(
    opened: AsyncExitStack,
    settings: ServerSettings,
    context: ServerContext,
    streams: CameraStreams | None,
    proxy: ServiceProxy | None = None,
) -> None:
    # Loaded on a thread: the server answers meanwhile.
    for module in ("server.grpc.hosting", "server.camera_stream.rpc"):
        await asyncio.to_thread(importlib.import_module, module)
    from server.camera_stream.rpc import StreamCalls
    from server.grpc.hosting import Parts, ServiceHost

    calls = None if streams is None else StreamCalls(streams)
    parts = Parts(settings, context.objects, context.models, calls, context.metrics.grpc_handled)
    also_at = {} if proxy is None else proxy.share()
    host = ServiceHost(_hosted(settings, streams), parts, share_ports=settings.workers > 1, also_at=also_at)
    async with AsyncExitStack() as started:  # A start that fails leaves nothing that the next one would have twice.
        addresses = await host.start()
        started.push_async_callback(host.stop)
        if proxy is not None:
            started.callback(proxy.forward_to, {})
            proxy.forward_to({key: int(address.rpartition(":")[2]) for key, address in addresses.items()})
            proxy.step_aside()
            addresses = proxy.addresses
        await context.services.start(addresses, host.calls)
        started.push_async_callback(context.services.disconnect)
        opened.push_async_callback(started.pop_all().aclose)
