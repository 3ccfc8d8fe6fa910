"""Ports whose services are started for the first caller."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2

from models.errors import Unavailable
from server.core.settings import ServerSettings
from server.grpc.contract import FILTER, RESIZE
from server.grpc.hosting import Parts, ServiceHost
from server.grpc.models import ModelShelf
from server.grpc.ports import port_taken
from server.grpc.proxy import ServiceProxy
from server.objects.store import ObjectStore
from server.services.first_use import FirstUse

CHECK = "/grpc.health.v1.Health/Check"
SERVING = health_pb2.HealthCheckResponse.SERVING


class Waiting:
    """Two services behind a proxy, which are started for the first caller."""

    def __init__(self, folder: Path) -> None:
        settings = ServerSettings(data_dir=folder, grpc_port=0)
        parts = Parts(settings, ObjectStore(settings.objects), ModelShelf({}))
        self.starts = 0
        self.proxy = ServiceProxy(settings.grpc_host, FirstUse(self._start))
        self.host = ServiceHost([RESIZE, FILTER], parts)

    @property
    def addresses(self) -> dict[str, str]:
        return self.proxy.addresses

    async def _start(self) -> None:
        self.starts += 1
        self.proxy.forward_to({key: port_of(address) for key, address in (await self.host.start()).items()})


@asynccontextmanager
async def waiting(folder: Path) -> AsyncIterator[Waiting]:
    made = Waiting(folder)
    for service in (RESIZE, FILTER):
        await made.proxy.listen(service, 0)
    try:
        yield made
    finally:
        await made.host.stop(0)
        await made.proxy.close()


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


async def health_at(address: str) -> int:
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        answer = await channel.unary_unary(CHECK, bytes, bytes)(b"", timeout=20)
    return health_pb2.HealthCheckResponse.FromString(answer).status


def test_the_first_caller_is_answered_by_the_service_that_it_has_started(tmp_path: Path) -> None:
    async def main() -> None:
        async with waiting(tmp_path) as made:
            assert made.starts == 0
            assert await health_at(made.addresses["filter"]) == SERVING
            assert made.starts == 1

    asyncio.run(main())


def test_callers_that_come_together_are_all_answered(tmp_path: Path) -> None:
    async def main() -> None:
        async with waiting(tmp_path) as made:
            callers = [health_at(made.addresses[key]) for key in ("resize", "filter") * 10]
            assert await asyncio.gather(*callers) == [SERVING] * 20
            assert made.starts == 1

    asyncio.run(main())


def test_a_connection_that_was_passed_on_takes_one_call_after_another(tmp_path: Path) -> None:
    async def main() -> list[int]:
        async with waiting(tmp_path) as made, grpc.aio.insecure_channel(made.addresses["resize"]) as channel:
            call = channel.unary_unary(CHECK, bytes, bytes)
            answers = [await call(b"", timeout=20) for _ in range(3)]
        return [health_pb2.HealthCheckResponse.FromString(answer).status for answer in answers]

    assert asyncio.run(main()) == [SERVING] * 3


def test_a_port_of_a_service_that_waits_is_taken_for_others(tmp_path: Path) -> None:
    async def main() -> None:
        async with waiting(tmp_path) as made:
            with pytest.raises(Unavailable) as caught:
                await ServiceProxy("127.0.0.1", made.proxy._start).listen(RESIZE, port_of(made.addresses["resize"]))
            assert caught.value.code == "service-port-taken"

    asyncio.run(main())


def test_a_caller_of_services_that_cannot_start_is_hung_up_on() -> None:
    async def start() -> None:
        raise port_taken(RESIZE, "127.0.0.1", 1, of_command=False)

    async def main() -> bytes:
        proxy = ServiceProxy("127.0.0.1", FirstUse(start))
        await proxy.listen(RESIZE, 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(proxy.addresses["resize"]))
        heard = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        await proxy.close()
        return heard

    assert asyncio.run(main()) == b""


def test_a_caller_of_a_proxy_that_ends_is_hung_up_on() -> None:
    async def start() -> None:
        await asyncio.Event().wait()

    async def main() -> bytes:
        proxy = ServiceProxy("127.0.0.1", FirstUse(start))
        await proxy.listen(RESIZE, 0)
        port = port_of(proxy.addresses["resize"])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0)
        await proxy.close()
        with socket.socket() as other:
            assert other.connect_ex(("127.0.0.1", port)) != 0
        heard = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        return heard

    assert asyncio.run(main()) == b""
