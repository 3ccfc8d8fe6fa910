"""Calls of planted replicas of the resize service, which answer what a test says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import grpc
import grpc.aio

from server.grpc.contract import RESIZE
from server.grpc.messages import parsed
from server.grpc.stubs import common_pb2, resize_pb2
from server.services.addresses import parse_addresses
from server.services.calling import call
from server.services.replicas import Replicas
from tests.support.grpc_services import PlantedReplica

SERVICE = replace(RESIZE, timeout_s=2.0)
GOOD = resize_pb2.ResizeResponse(
    result=common_pb2.ProcessingResult(status=common_pb2.PROCESSING_STATUS_COMPLETED)
).SerializeToString()
Answer = Callable[[bytes, Any], Awaitable[bytes]]


async def good(_data: bytes, _context: Any) -> bytes:
    return GOOD


async def garbage(_data: bytes, _context: Any) -> bytes:
    return b"\xff\xfe not a message"


async def hanging(_data: bytes, _context: Any) -> bytes:
    await asyncio.Event().wait()
    raise AssertionError


def failing(status: grpc.StatusCode, details: str = "planted", trailers: Any = ()) -> Answer:
    async def answer(_data: bytes, context: Any) -> bytes:
        await context.abort(status, details, trailers)
        raise AssertionError

    return answer


def read(data: bytes) -> resize_pb2.ResizeResponse:
    return parsed(resize_pb2.ResizeResponse, data)


async def connected(*replicas: PlantedReplica, clock: Callable[[], float] = time.monotonic, **changes: Any) -> Replicas:
    addresses = [parse_addresses(replica.address, "test")[0] for replica in replicas]
    found = Replicas(
        replace(SERVICE, **changes),
        addresses,
        lambda address, _: grpc.aio.insecure_channel(address.target, [("grpc.use_local_subchannel_pool", 1)]),
        clock,
    )
    await found.refresh()
    return found


async def asked(replicas: Replicas, deadline_s: float | None = None) -> resize_pb2.ResizeResponse:
    try:
        return await call(replicas, b"", read, (), deadline_s)
    finally:
        await replicas.close()
