"""Services in the process that asks them: deadline, circuit and errors are those of a call over gRPC."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspection.components.registry import InspectionCancelled, component
from inspection.imaging.picture import Picture
from models.errors import DoesNotFit, Unavailable
from server.core.metrics import Metrics
from server.core.settings import ServerSettings
from server.grpc.contract import FILTER, RESIZE, SERVICES
from server.grpc.faults import AttemptFailed
from server.grpc.hosting import Parts, ServiceHost
from server.grpc.models import ModelShelf
from server.grpc.unary import UnaryCall
from server.objects.store import ObjectStore
from server.services.circuit import FAILURES, CircuitState
from server.services.clients import ServiceClients
from server.services.embedded import EmbeddedCall
from server.services.step_services import AttemptGivenUpError, AttemptUnansweredError
from tests.support.embedded_services import EmbeddedService, PlantedWork, embedded_service, failing, in_turn
from tests.support.log_lines import log_lines

BLUR = component("filter").parameters.model_validate({"filter_type": "blur", "radius": 3})


def picture() -> Picture:
    return Picture.original(np.random.default_rng(7).integers(0, 256, (60, 80, 3), np.uint8))


GIVEN = picture()


async def answered(call: EmbeddedCall) -> Any:
    """Return the answer to a call: the first attempt on a thread of the caller, then those that are left."""
    try:
        return await asyncio.to_thread(call.first_attempt)
    except AttemptUnansweredError:
        return await call.answer()


async def asked(service: EmbeddedService) -> Any:
    return await answered(service.call(BLUR, picture()))


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
            return await answered(clients.embedded_call("filter", BLUR, picture()))

    expected: Any = component("filter").run(BLUR, {"image": picture()}, None)  # type: ignore[arg-type]
    np.testing.assert_array_equal(asyncio.run(main()).pixels, expected.pixels)


def test_a_call_of_an_embedded_service_is_counted_as_any_other(tmp_path: Path) -> None:
    metrics = Metrics()

    async def main() -> None:
        async with embedded(tmp_path, metrics) as clients:
            await answered(clients.embedded_call("filter", BLUR, picture()))

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
        async with embedded_service(PlantedWork(hang)) as service:
            with pytest.raises(Unavailable) as caught:
                await service.call(BLUR, picture(), 0.2).answer()
            assert caught.value.code == "service-unavailable"

    asyncio.run(main())
    assert stopped.is_set()


def after_an_overdue_attempt() -> tuple[Any, bool]:
    """Return what a call gives whose first attempt hangs and is given up, and whether that was told to stop."""
    begun, stopped = threading.Event(), threading.Event()

    def hang(cancel: threading.Event) -> None:
        begun.set()
        if cancel.wait(30):
            stopped.set()

    async def main() -> Any:
        async with embedded_service(in_turn(hang, lambda _: GIVEN)) as service:
            call = service.call(BLUR, picture())
            first = asyncio.create_task(asyncio.to_thread(call.first_attempt))
            assert await asyncio.to_thread(begun.wait, 30)
            assert call.overdue()
            with pytest.raises(AttemptGivenUpError):
                await first
            return await call.answer()

    return asyncio.run(main()), stopped.is_set()


def test_a_first_attempt_that_is_overdue_is_told_to_stop() -> None:
    assert after_an_overdue_attempt()[1]


def test_a_first_attempt_that_is_overdue_is_followed_by_another_one() -> None:
    assert after_an_overdue_attempt()[0] is GIVEN


def test_a_first_attempt_is_given_up_by_one_alone() -> None:
    begun, release = threading.Event(), threading.Event()

    def hang(_: threading.Event) -> None:
        begun.set()
        assert release.wait(30)

    async def main() -> list[bool]:
        async with embedded_service(PlantedWork(hang)) as service:
            call = service.call(BLUR, picture())
            first = asyncio.create_task(asyncio.to_thread(call.first_attempt))
            assert await asyncio.to_thread(begun.wait, 30)
            given_up = [call.overdue(), call.overdue()]
            release.set()
            with pytest.raises(AttemptGivenUpError):
                await first
            return given_up

    assert asyncio.run(main()) == [True, False]


def test_a_first_attempt_that_panics_after_it_was_given_up_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = log_lines(monkeypatch, "server.services.embedded")
    begun, release = threading.Event(), threading.Event()

    class PanicError(BaseException):
        """What a library in Rust raises for a fault of its own."""

    def panic(_: threading.Event) -> Picture:
        begun.set()
        assert release.wait(30)
        raise PanicError

    async def main() -> None:
        async with embedded_service(PlantedWork(panic)) as service:
            call = service.call(BLUR, picture())
            first = asyncio.create_task(asyncio.to_thread(call.first_attempt))
            assert await asyncio.to_thread(begun.wait, 30)
            assert call.overdue()
            release.set()
            with pytest.raises(AttemptGivenUpError):
                await first

    asyncio.run(main())
    assert [line["error"] for line in lines] == ["PanicError()"]


def test_a_first_attempt_that_has_ended_is_not_overdue() -> None:
    async def main() -> bool:
        async with embedded_service(PlantedWork(lambda _: GIVEN)) as service:
            call = service.call(BLUR, picture())
            await asyncio.to_thread(call.first_attempt)
            return call.overdue()

    assert not asyncio.run(main())


@pytest.mark.parametrize(
    ("give_up", "code"),
    [(EmbeddedCall.overdue, "DEADLINE_EXCEEDED"), (EmbeddedCall.abandon, "CANCELLED")],
    ids=["overdue", "abandoned"],
)
def test_what_a_first_attempt_gives_after_it_was_given_up_counts_for_nothing(
    give_up: Callable[[EmbeddedCall], Any], code: str
) -> None:
    metrics = Metrics()
    begun, release = threading.Event(), threading.Event()

    def deaf(_: threading.Event) -> Picture:
        begun.set()
        assert release.wait(30)
        return GIVEN

    async def main() -> None:
        async with embedded_service(PlantedWork(deaf), metrics=metrics.grpc_called) as service:
            call = service.call(BLUR, picture())
            first = asyncio.create_task(asyncio.to_thread(call.first_attempt))
            assert await asyncio.to_thread(begun.wait, 30)
            give_up(call)
            release.set()
            with pytest.raises(AttemptGivenUpError):
                await first

    asyncio.run(main())
    counted = re.findall(r'imageflow_grpc_client_handled_total{code="(\w+)"', metrics.text().decode())
    assert counted == [code]


def test_a_first_attempt_that_is_given_up_counts_as_a_failure() -> None:
    assert circuit_after_another(EmbeddedCall.overdue) is CircuitState.OPEN


def test_a_first_attempt_that_is_abandoned_does_not_count_as_a_failure() -> None:
    assert circuit_after_another(EmbeddedCall.abandon) is CircuitState.CLOSED


def circuit_after_another(give_up: Callable[[EmbeddedCall], Any]) -> CircuitState:
    """Return the circuit that one more failure opens, after an attempt that was given up and then failed."""
    begun = threading.Event()

    def hang(cancel: threading.Event) -> None:
        begun.set()
        assert cancel.wait(30)
        raise ZeroDivisionError

    async def main() -> CircuitState:
        async with embedded_service(PlantedWork(hang)) as service:
            service.fail(FAILURES - 1)
            call = service.call(BLUR, picture())
            first = asyncio.create_task(asyncio.to_thread(call.first_attempt))
            assert await asyncio.to_thread(begun.wait, 30)
            give_up(call)
            with pytest.raises(AttemptGivenUpError):
                await first
            return service.replicas.circuit

    return asyncio.run(main())


def test_a_fault_of_an_embedded_service_ends_the_call_at_once() -> None:
    work = failing(ZeroDivisionError())

    async def main() -> None:
        async with embedded_service(work) as service:
            with pytest.raises(Unavailable) as caught:
                await asked(service)
            assert caught.value.code == "service-unavailable"

    asyncio.run(main())
    assert work.asked == 1


def test_faults_of_an_embedded_service_open_its_circuit() -> None:
    work = failing(ZeroDivisionError())

    async def main() -> None:
        async with embedded_service(work) as service:
            for _ in range(FAILURES):
                with pytest.raises(Unavailable):
                    await asked(service)
            assert service.replicas.circuit is CircuitState.OPEN
            with pytest.raises(Unavailable) as caught:
                await asked(service)
            assert caught.value.code == "service-circuit-open"

    asyncio.run(main())
    assert work.asked == FAILURES


def test_a_refusal_of_an_embedded_service_is_the_error_itself() -> None:
    refusal = DoesNotFit("crop-outside", step="s", width=1, height=1)

    async def main() -> CircuitState:
        async with embedded_service(failing(refusal)) as service:
            for _ in range(FAILURES):
                with pytest.raises(DoesNotFit) as caught:
                    await asked(service)
                assert caught.value is refusal
            return service.replicas.circuit

    assert asyncio.run(main()) is CircuitState.CLOSED


def test_a_refusal_of_an_embedded_service_is_not_its_own_cause() -> None:
    async def main() -> None:
        async with embedded_service(failing(DoesNotFit("crop-outside", step="s", width=1, height=1))) as service:
            with pytest.raises(DoesNotFit) as caught:
                await asked(service)
            assert (caught.value.__cause__, caught.value.__context__) == (None, None)

    asyncio.run(main())


def test_an_embedded_service_out_of_reach_is_asked_again() -> None:
    work = failing(Unavailable("disk-full"))

    async def main() -> None:
        async with embedded_service(work, retries=1) as service:
            with pytest.raises(Unavailable) as caught:
                await asked(service)
            assert caught.value.code == "service-unavailable"

    asyncio.run(main())
    assert work.asked == 2


def test_an_embedded_service_that_is_not_connected_takes_no_call(tmp_path: Path) -> None:
    async def main() -> list[str]:
        async with embedded(tmp_path, Metrics()) as clients:
            await clients.stop()
            codes = []
            for ask in (
                lambda: clients.embedded_call("filter", BLUR, picture()),
                lambda: clients.embedded_timeout_s("filter"),
            ):
                with pytest.raises(Unavailable) as caught:
                    ask()
                codes.append(caught.value.code)
            return codes

    assert asyncio.run(main()) == ["service-not-connected"] * 2


def test_an_attempt_of_an_embedded_service_may_take_as_long_as_the_contract_says(tmp_path: Path) -> None:
    async def main() -> list[float]:
        async with embedded(tmp_path, Metrics()) as clients:
            return [clients.embedded_timeout_s("filter"), clients.embedded_call("filter", BLUR, picture()).timeout_s]

    assert asyncio.run(main()) == [FILTER.timeout_s] * 2


def failed_call(work: PlantedWork, cancel: threading.Event) -> list[str]:
    """Let a call on the thread of its caller fail, and return the statuses that its service counts."""
    metrics = Metrics()
    with ThreadPoolExecutor(1) as threads:
        unary = UnaryCall(FILTER, lambda: work, threads, 2, metrics.grpc_handled)  # type: ignore[arg-type, return-value]
        with pytest.raises(AttemptFailed):
            unary.compute_here(BLUR, picture(), cancel)
    return re.findall(r'imageflow_grpc_server_handled_total{code="(\w+)"', metrics.text().decode())


@pytest.fixture
def stopped() -> threading.Event:
    """Return what tells a call to stop."""
    cancel = threading.Event()
    cancel.set()
    return cancel


def test_a_fault_of_a_call_is_counted_as_internal() -> None:
    assert failed_call(failing(ZeroDivisionError()), threading.Event()) == ["INTERNAL"]


def test_a_fault_of_a_call_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = log_lines(monkeypatch, "server.grpc.unary")
    failed_call(failing(ZeroDivisionError()), threading.Event())
    assert [line["event"] for line in lines] == ["call failed"]


def test_a_call_that_was_told_to_stop_is_counted_as_cancelled(stopped: threading.Event) -> None:
    assert failed_call(failing(InspectionCancelled()), stopped) == ["CANCELLED"]


def test_a_call_that_was_told_to_stop_is_not_logged(monkeypatch: pytest.MonkeyPatch, stopped: threading.Event) -> None:
    lines = log_lines(monkeypatch, "server.grpc.unary")
    failed_call(failing(InspectionCancelled()), stopped)
    assert lines == []
