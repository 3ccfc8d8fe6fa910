"""gRPC services that listen on loopback, and their peers: certificates, planted services, messages."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import numpy as np
from grpc_health.v1 import health_pb2

from inspection.imaging.files import decode_image, encode_png
from server.core.settings import ServerSettings
from server.grpc.contract import SERVICES, Service
from server.grpc.hosting import Parts, ServiceHost
from server.grpc.models import ModelShelf
from server.grpc.stubs import common_pb2
from server.objects.store import ObjectStore

UNARY = ("resize", "ai-detection", "filter")


@dataclass(eq=False)
class Hosted:
    """Services that listen, and the store they work on."""

    addresses: Mapping[str, str]
    objects: ObjectStore
    settings: ServerSettings

    def put(self, data: bytes, content_type: str = "image/png") -> common_pb2.ImageData:
        """Store bytes and return a message that names them."""
        sha256 = hashlib.sha256(data).hexdigest()
        self.objects.put(sha256, data)
        key = self.objects.object_key(sha256)
        return common_pb2.ImageData(bucket=self.objects.bucket, object_key=key, content_type=content_type)

    def put_image(self, pixels: np.ndarray) -> common_pb2.ImageData:
        return self.put(encode_png(pixels))

    def pixels(self, image: common_pb2.ImageData) -> np.ndarray:
        return decode_image(self.objects.read(self.objects.require_allowed(image.bucket, image.object_key)))

    def ask(self, key: str, message: Any, *, timeout: float = 30.0, metadata: Any = (), method: str = "") -> bytes:
        """Send a message, or bytes, to a service and return the bytes it answers."""
        data = message if isinstance(message, bytes) else message.SerializeToString()
        with grpc.insecure_channel(self.addresses[key]) as channel:
            call = channel.unary_unary(SERVICES[key].path(method), None, None)
            return bytes(call(data, timeout=timeout, metadata=metadata))


@contextmanager
def hosting(folder: Path, keys: tuple[str, ...] = UNARY, **given: Any) -> Iterator[Hosted]:
    """Host services in an event loop of their own until the block ends."""
    settings = ServerSettings(data_dir=folder, **{"grpc_port": 0, **given})
    objects = ObjectStore(settings.objects)
    host = ServiceHost([SERVICES[key] for key in keys], Parts(settings, objects, ModelShelf(settings.models)))
    with running_loop() as run:
        addresses = run(host.start())
        try:
            yield Hosted(addresses, objects, settings)
        finally:
            run(host.stop(0))


@contextmanager
def running_loop() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Run an event loop in a thread and give what runs a coroutine in it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="services")
    thread.start()
    try:
        yield lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


class PlantedReplica:
    """A service that answers what a test says, over real gRPC; to be used in one event loop.

    Args:
        service: it passes itself off as.
        answer: takes the request's bytes and the context, returns the response's bytes.
        healthy: what it says of its health; None never answers that; may be changed.
    """

    def __init__(
        self, service: Service, answer: Callable[[bytes, Any], Awaitable[bytes]], *, healthy: bool | None = True
    ) -> None:
        self._answer = answer
        self.healthy = healthy
        self.calls = 0
        self._server = grpc.aio.server()
        calls = {service.method: grpc.unary_unary_rpc_method_handler(self._call)}
        health = {"Check": grpc.unary_unary_rpc_method_handler(self._check)}
        self._server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler(service.full_name, calls),
                grpc.method_handlers_generic_handler("grpc.health.v1.Health", health),
            )
        )
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    async def __aenter__(self) -> PlantedReplica:
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop(0)

    async def stop(self) -> None:
        await self._server.stop(0)

    async def _call(self, data: bytes, context: Any) -> bytes:
        self.calls += 1
        return await self._answer(data, context)

    async def _check(self, data: bytes, context: Any) -> bytes:
        if self.healthy is None:
            await asyncio.Event().wait()
        states = health_pb2.HealthCheckResponse.ServingStatus
        status = states.SERVING if self.healthy else states.NOT_SERVING
        return health_pb2.HealthCheckResponse(status=status).SerializeToString()
