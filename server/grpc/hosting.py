"""Services that listen in this process: each on a port of its own, with health and reflection."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio  # type: ignore[attr-defined]  # not in its stubs

from models.errors import UserFacingError
from server.core.hosts import reached_at
from server.core.metrics import CallMetrics
from server.core.settings import ServerSettings
from server.core.structlog_import import structlog
from server.grpc.contract import AI_DETECTION, CAMERA_STREAM, Service
from server.grpc.faults import status_of, trailers_of
from server.grpc.messages import parsed
from server.grpc.metering import metered
from server.grpc.models import ModelShelf
from server.grpc.ports import port_of, port_taken, require_free, target
from server.grpc.reflecting import reflection_handler
from server.grpc.security import SharedSecret, server_credentials
from server.grpc.stubs import common_pb2
from server.grpc.unary import UnaryCall
from server.objects.store import ObjectStore

if TYPE_CHECKING:
    from server.grpc.work import StepWork

HEALTH = "grpc.health.v1.Health"
_WAITING_PER_THREAD = 16
_METADATA_BYTES = 128 * 1024
STOP_S = 10.0
_log = structlog.get_logger("imageflow.grpc")


class StreamCalls(Protocol):
    """Answers the calls of ``ProcessVideoStream``."""

    async def process_video_stream(self, requests: AsyncIterator[bytes], context: Any) -> None:
        """Answer one call: reads messages' bytes, and writes them to the context."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What services are made of.

    Attributes:
        settings: addresses, limits, secrets.
        objects: where images are.
        models: that steps name.
        stream: handles the calls of the camera stream; None where it is not hosted.
        metrics: count the calls; None where nobody reads them.
    """

    settings: ServerSettings
    objects: ObjectStore
    models: ModelShelf
    stream: StreamCalls | None = None
    metrics: CallMetrics | None = None


@dataclass(frozen=True, slots=True)
class _Running:
    """A service that listens, what answers for its health, and the threads of its work."""

    service: Service
    server: Any
    health: Any
    threads: ThreadPoolExecutor


class ServiceHost:
    """The services of this process, in its event loop.

    Args:
        services: to host.
        parts: that they are made of.
        port: of the only service; None takes those of the settings.
        share_ports: whether several processes listen on the same ports.
        of_command: whether host and port are options of the command, as messages call them.
        also_at: addresses of this process, by key, where services listen beside another socket.

    Attributes:
        addresses: of the services that listen, by key.
        calls: what answers the processing call of a service that has one, by key.
    """

    def __init__(
        self,
        services: Iterable[Service],
        parts: Parts,
        *,
        port: int | None = None,
        share_ports: bool = False,
        of_command: bool = False,
        also_at: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._services = list(services)
        self._parts = parts
        self._port = port
        self._share_ports = share_ports
        self._of_command = of_command
        self._also_at = also_at
        self._running: list[_Running] = []
        self._made: StepWork | None = None
        self.addresses: dict[str, str] = {}
        self.calls: dict[str, UnaryCall] = {}

    async def start(self) -> Mapping[str, str]:
        """Listen with every service, or with none when one of them cannot, and return their addresses by key.

        Raises:
            InvalidInput: ``service-open-host``, ``service-insecure-host``, ``service-host-unknown`` or
                ``server-tls-files``.
            Unavailable: ``service-port-taken``.
        """
        self._parts.settings.require_safe_services()
        credentials = server_credentials(self._parts.settings)
        try:
            for service in self._services:
                # Started at once: a server that only holds its port does not give it back.
                await self._add(service, credentials).start()
            for running in self._running:
                await running.health.set(running.service.full_name, health_pb2.HealthCheckResponse.SERVING)
        except BaseException:
            await self.stop(0)
            raise
        return self.addresses

    async def stop(self, grace_s: float = STOP_S) -> None:
        """Take no further calls, let those under way end, and stop."""
        running, self._running = self._running, []
        for one in running:
            await one.health.enter_graceful_shutdown()
        await asyncio.gather(*(one.server.stop(grace_s) for one in running))
        for one in running:
            one.threads.shutdown(wait=False, cancel_futures=True)

    def _add(self, service: Service, credentials: grpc.ServerCredentials | None) -> Any:
        settings = self._parts.settings
        threads = settings.grpc_threads or os.cpu_count() or 1
        pool = ThreadPoolExecutor(threads, thread_name_prefix=f"ThreadPoolExecutor-{service.key}")
        secret = settings.grpc_secret
        server = grpc.aio.server(
            interceptors=[] if secret is None else [SharedSecret(secret.get_secret_value())],
            options=_options(settings, share_ports=self._share_ports or service.key in self._also_at),
            maximum_concurrent_rpcs=None if service is CAMERA_STREAM else threads * _WAITING_PER_THREAD,
        )
        well = health_aio.HealthServicer()
        self._running.append(_Running(service, server, well, pool))
        health_pb2_grpc.add_HealthServicer_to_server(well, server)
        reflection = reflection_handler([service.full_name, HEALTH])
        server.add_generic_rpc_handlers((self._handlers(service, pool, threads), reflection))
        host = settings.grpc_host
        wanted = port_of(service, settings) if self._port is None else self._port
        address = target(host, wanted)
        if not self._share_ports:
            require_free(service, host, wanted, of_command=self._of_command)
        try:
            port = _listening(server, address, credentials)
        except RuntimeError as error:
            raise port_taken(service, host, wanted, of_command=self._of_command) from error
        if service.key in self._also_at:
            self._listen_also(server, service, credentials)
        self.addresses[service.key] = target(reached_at(host), port)
        return server

    def _listen_also(self, server: Any, service: Service, credentials: grpc.ServerCredentials | None) -> None:
        try:
            _listening(server, self._also_at[service.key], credentials)
        except RuntimeError as error:
            _log.info("a service is reached through another socket alone", service=service.name, error=str(error))

    def _work(self) -> StepWork:
        # With the first request: a server that only keeps records never loads what processes images.
        if self._made is None:
            from inspection.imaging.files import ImageLimits
            from server.grpc.images import Images
            from server.grpc.work import StepWork

            # Not those of uploads: what another step made of an upload is not compressed.
            limits = ImageLimits(max_pixels=self._parts.settings.max_image_pixels)
            self._made = StepWork(Images(self._parts.objects, limits), self._parts.models)
        return self._made

    def _handlers(self, service: Service, pool: ThreadPoolExecutor, at_once: int) -> Any:
        metrics = self._parts.metrics
        if service is CAMERA_STREAM and self._parts.stream is not None:
            stream = metered(self._parts.stream.process_video_stream, service, service.method, metrics)
            call = grpc.stream_stream_rpc_method_handler(stream)
        else:
            unary = self.calls[service.key] = UnaryCall(service, self._work, pool, at_once, metrics)
            call = grpc.unary_unary_rpc_method_handler(metered(unary.answer, service, service.method, metrics))
        check = _HealthCall(service, self._parts.models).answer
        health = grpc.unary_unary_rpc_method_handler(metered(check, service, "HealthCheck", metrics))
        return grpc.method_handlers_generic_handler(service.full_name, {service.method: call, "HealthCheck": health})


class _HealthCall:
    """Answers ``HealthCheck``: what the service is, and which models it has."""

    def __init__(self, service: Service, models: ModelShelf) -> None:
        self._service = service
        self._models = models

    async def answer(self, data: bytes, context: Any) -> bytes:
        """Return the response's bytes."""
        try:
            asked = parsed(common_pb2.HealthCheckRequest, data).service
        except UserFacingError as error:
            await context.abort(status_of(error), str(error), trailers_of(error))
        known = asked in {"", self._service.name, self._service.full_name}
        message = self._service.name if known else f"this is {self._service.name}"
        if known and self._service.component == AI_DETECTION.component and self._models.names:
            absent = self._models.absent
            named = (f"{name} (its file is missing)" if name in absent else name for name in self._models.names)
            message = f"{message}; models: {', '.join(named)}"
        return common_pb2.HealthCheckResponse(healthy=known, message=message).SerializeToString()


def _listening(server: Any, address: str, credentials: grpc.ServerCredentials | None) -> int:
    """Return the port of a server that is to listen at an address.

    Raises:
        RuntimeError: when it cannot.
    """
    if credentials is None:
        return int(server.add_insecure_port(address))
    return int(server.add_secure_port(address, credentials))


def _options(settings: ServerSettings, *, share_ports: bool) -> list[tuple[str, Any]]:
    return [
        # A port that is taken is an error, not shared by chance.
        ("grpc.so_reuseport", int(share_ports)),
        ("grpc.max_receive_message_length", settings.grpc_max_message_bytes),
        ("grpc.max_send_message_length", settings.grpc_max_message_bytes),
        ("grpc.max_metadata_size", _METADATA_BYTES),
        # A connection whose other end is gone is found within half a minute.
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ]
