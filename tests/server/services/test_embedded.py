"""Services in the process that asks them: deadline, circuit and errors are those of a call over gRPC."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc.aio
import numpy as np
import pytest

from inspection.components.registry import component
from inspection.imaging.picture import Picture
from models.errors import DoesNotFit, Unavailable
from server.core.metrics import Metrics
from server.core.settings import ServerSettings
from server.grpc.contract import FILTER, RESIZE, SERVICES
from server.grpc.hosting import Parts, ServiceHost
from server.grpc.models import ModelShelf
from server.grpc.unary import UnaryCall
from server.objects.store import ObjectStore
from server.services.addresses import parse_addresses
from server.services.circuit import FAILURES, CircuitState
from server.services.clients import ServiceClients
from server.services.embedded import answer_of_embedded
from server.services.replicas import Replicas

BLUR = component("filter").parameters.model_validate({"filter_type": "blur", "radius": 3})


def picture() -> Picture:
    return Picture.original(np.random.default_rng(7).integers(0, 256, (60, 80, 3), np.uint8))


class Planted:
    """The work of a service; what it computes is a function of the event that stops it."""

    def __init__(self, compute: Callable[[threading.Event], Any]) -> None:
        self._compute = compute
        self.asked = 0

    def compute(self, found: Any, parameters: Any, given: Picture, cancel: threading.Event) -> Any:
        del found, parameters, given
        self.asked += 1
        return self._compute(cancel)


async def replicas_of(**changes: Any) -> Replicas:
    found = Replicas(
        replace(FILTER, **changes),
        parse_addresses("127.0.0.1:9", "test"),
        lambda address, _: grpc.aio.insecure_channel(address.target),
    )
    await found.refresh()
    return found


@asynccontextmanager
async def planted(work: Planted, **changes: Any) -> AsyncIterator[tuple[Callable[..., Any], Replicas]]:
    """What asks a planted service of this process, and its replicas."""
    replicas = await replicas_of(**changes)
    with ThreadPoolExecutor(2) as threads:
        unary: Any = UnaryCall(FILTER, lambda: work, threads)  # type: ignore[arg-type, return-value]
        try:
            yield lambda deadline_s=None: answer_of_embedded(replicas, unary, BLUR, picture(), deadline_s), replicas
        finally:
            await replicas.close()


def failing(error: Exception) -> Planted:
    def compute(_: threading.Event) -> Any:
        raise error

    return Planted(compute)


@asynccontextmanager
async def embedded(folder: Path, metrics: Metrics) -> AsyncIterator[ServiceClients]:
    settings = ServerSettings(data_dir=folder, grpc_port=0)
    parts = Parts(settings, ObjectStore(settings.objects), ModelShelf({}), metrics=metrics.grpc_handled)
    host = ServiceHost([SERVICES["resize"], SERVICES["filter"]], parts)
    clients = ServiceClients(settings, metrics.grpc_called)
    await clients.start(await host.start(), host.calls)
    try:
        yield clients
    finally:
        await clients.stop()
        await host.stop(0)


def test_an_embedded_service_gives_what_its_component_gives(tmp_path: Path) -> None:
    async def main() -> Any:
        async with embedded(tmp_path, Metrics()) as clients:
            return await clients.run_embedded("filter", BLUR, picture())

    expected: Any = component("filter").run(BLUR, {"image": picture()}, None)  # type: ignore[arg-type]
    np.testing.assert_array_equal(asyncio.run(main()).pixels, expected.pixels)


def test_a_call_of_an_embedded_service_is_counted_as_any_other(tmp_path: Path) -> None:
    metrics = Metrics()

    async def main() -> None:
        async with embedded(tmp_path, metrics) as clients:
            await clients.run_embedded("filter", BLUR, picture())

    asyncio.run(main())
    shown = metrics.text().decode()
    labels = f'{{code="OK",method="{FILTER.method}",service="{FILTER.full_name}"}} 1.0'
    assert f"imageflow_grpc_client_handled_total{labels}" in shown
    assert f"imageflow_grpc_server_handled_total{labels}" in shown


def test_only_services_of_the_process_are_embedded(tmp_path: Path) -> None:
    async def main() -> list[bool]:
        async with embedded(tmp_path, Metrics()) as clients:
            return [clients.embeds(name) for name in (RESIZE.component, "ai_detection", "barcode")]

    assert asyncio.run(main()) == [True, False, False]


def test_an_embedded_service_that_hangs_is_stopped_at_its_deadline() -> None:
    stopped = threading.Event()

    def hang(cancel: threading.Event) -> None:
        if cancel.wait(30):
            stopped.set()

    async def main() -> None:
        async with planted(Planted(hang)) as (ask, _):
            with pytest.raises(Unavailable) as caught:
                await ask(0.2)
            assert caught.value.code == "service-unavailable"

    asyncio.run(main())
    assert stopped.is_set()


def test_a_fault_of_an_embedded_service_ends_the_call_at_once() -> None:
    work = failing(ZeroDivisionError())

    async def main() -> None:
        async with planted(work) as (ask, _):
            with pytest.raises(Unavailable) as caught:
                await ask()
            assert caught.value.code == "service-unavailable"

    asyncio.run(main())
    assert work.asked == 1


def test_faults_of_an_embedded_service_open_its_circuit() -> None:
    work = failing(ZeroDivisionError())

    async def main() -> None:
        async with planted(work) as (ask, replicas):
            for _ in range(FAILURES):
                with pytest.raises(Unavailable):
                    await ask()
            assert replicas.circuit is CircuitState.OPEN
            with pytest.raises(Unavailable) as caught:
                await ask()
            assert caught.value.code == "service-circuit-open"

    asyncio.run(main())
    assert work.asked == FAILURES


def test_a_refusal_of_an_embedded_service_is_the_error_itself() -> None:
    refusal = DoesNotFit("crop-outside", step="s", width=1, height=1)

    async def main() -> CircuitState:
        async with planted(failing(refusal)) as (ask, replicas):
            for _ in range(FAILURES):
                with pytest.raises(DoesNotFit) as caught:
                    await ask()
                assert caught.value is refusal
            return replicas.circuit

    assert asyncio.run(main()) is CircuitState.CLOSED


def test_a_refusal_of_an_embedded_service_is_not_its_own_cause() -> None:
    async def main() -> None:
        async with planted(failing(DoesNotFit("crop-outside", step="s", width=1, height=1))) as (ask, _):
            with pytest.raises(DoesNotFit) as caught:
                await ask()
            assert (caught.value.__cause__, caught.value.__context__) == (None, None)

    asyncio.run(main())


def test_an_embedded_service_out_of_reach_is_asked_again() -> None:
    work = failing(Unavailable("disk-full"))

    async def main() -> None:
        async with planted(work, retries=1) as (ask, _):
            with pytest.raises(Unavailable) as caught:
                await ask()
            assert caught.value.code == "service-unavailable"

    asyncio.run(main())
    assert work.asked == 2
