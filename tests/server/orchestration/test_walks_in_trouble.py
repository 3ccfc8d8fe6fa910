"""Services that hang, panic or are cut off end no walk but their own, and every walk ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspection.imaging.picture import Picture
from models.errors import Unavailable
from server.orchestration.run_work import Work
from server.services.circuit import FAILURES
from tests.support.embedded_services import PlantedServices, PlantedWork, embedded_service
from tests.support.log_lines import log_lines
from tests.support.walks import DEADLINE_S, a_picture, coloured, pipeline, resizes, walked, works

GIVEN = coloured(3)
FILTERED = pipeline({"a": ("filter", "input")})


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    with works(tmp_path, threads=4) as made:
        yield made


class Hanging:
    """What a service computes that hangs, whoever asks it to stop."""

    def __init__(self, error: Exception | None = None) -> None:
        self.release = threading.Event()
        self._error = error

    def compute(self, _: threading.Event) -> Picture:
        assert self.release.wait(3 * DEADLINE_S)
        if self._error is not None:
            raise self._error
        return GIVEN


def test_steps_of_a_service_that_hangs_leave_threads_for_others(work: Work) -> None:
    hanging = Hanging()

    async def main() -> None:
        async with embedded_service(PlantedWork(hanging.compute), timeout_s=0.1, retries=0) as service:
            services = PlantedServices(embedded={"filter": service})
            try:
                for _ in range(FAILURES):
                    with pytest.raises(Unavailable) as caught:
                        await walked(work, FILTERED, services)
                    assert caught.value.code == "service-unavailable"
                with pytest.raises(Unavailable) as caught:
                    await walked(work, FILTERED, services)
                assert caught.value.code == "service-circuit-open"
                await walked(work, resizes({"a": "input"}, a=a_picture), services)
            finally:
                hanging.release.set()

    asyncio.run(main())


def test_a_step_that_is_cancelled_from_outside_ends_its_walk(work: Work) -> None:
    async def cut_off(_: object) -> object:
        raise asyncio.CancelledError

    async def main() -> None:
        services = PlantedServices(elsewhere={"filter": cut_off})
        with pytest.raises(RuntimeError, match="cancelled"):
            await walked(work, FILTERED, services)

    asyncio.run(main())


def test_a_panic_of_a_service_does_not_keep_its_circuit_from_closing(work: Work) -> None:
    class PanicError(BaseException):
        """As a library in Rust raises."""

    def panic(_: threading.Event) -> Picture:
        raise PanicError

    async def main() -> bool:
        async with embedded_service(PlantedWork(panic)) as service:
            (replica,) = service.replicas.all
            service.fail(FAILURES)
            replica.circuit._open_s = 0.0
            with pytest.raises(RuntimeError, match="PanicError"):
                await walked(work, FILTERED, PlantedServices(embedded={"filter": service}))
            return replica.circuit.allows

    assert asyncio.run(main())


def test_a_service_works_on_no_more_images_at_once_than_it_has_places(work: Work) -> None:
    lock, now, most = threading.Lock(), 0, 0
    both = threading.Barrier(2, timeout=DEADLINE_S)

    def compute(_: threading.Event) -> Picture:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        both.wait()
        with lock:
            now -= 1
        return GIVEN

    async def main() -> None:
        async with embedded_service(PlantedWork(compute)) as service:
            services = PlantedServices(embedded={"filter": service})
            await asyncio.gather(*(walked(work, FILTERED, services) for _ in range(4)))

    asyncio.run(main())
    assert most == 2


def test_a_fault_of_a_service_after_its_deadline_is_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging, lines = Hanging(ZeroDivisionError()), log_lines(monkeypatch, "server.grpc.unary")

    async def main(work: Work) -> None:
        async with embedded_service(PlantedWork(hanging.compute), timeout_s=0.1, retries=0) as service:
            try:
                with pytest.raises(Unavailable):
                    await walked(work, FILTERED, PlantedServices(embedded={"filter": service}))
            finally:
                hanging.release.set()

    with works(tmp_path) as work:  # The block ends with its threads.
        asyncio.run(main(work))
    assert [line["event"] for line in lines] == ["call failed"]
