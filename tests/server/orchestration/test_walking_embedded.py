"""A walk makes the first attempt of a service of this process on the thread that has the picture, others elsewhere."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inspection.imaging.picture import Picture
from inspection.pipeline import ValidatedPipeline
from inspection.pipeline.runner import StepProgress
from models.errors import DoesNotFit, ImageFlowError, InvalidInput, NotFound, Unavailable
from server.orchestration.run_work import Work
from server.services.circuit import FAILURES, CircuitState
from tests.support.embedded_services import (
    EmbeddedService,
    PlantedServices,
    PlantedWork,
    embedded_service,
    failing,
    in_turn,
)
from tests.support.long_work import LongWork
from tests.support.walks import DEADLINE_S, a_picture, coloured, picture_of, pipeline, resizes, walked, works

GIVEN, LATE = coloured(3), coloured(4)
SHORT_S = 0.5
FILTERED = {"a": ("filter", "input")}


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    with works(tmp_path) as made:
        yield made


def give(_: threading.Event) -> Picture:
    return GIVEN


def full(_: threading.Event) -> Picture:
    raise Unavailable("disk-full")


def unknown_model(_: threading.Event) -> Picture:
    raise NotFound("service-model-unknown", name="m", known="-")


def services_of(service: EmbeddedService) -> PlantedServices:
    return PlantedServices(embedded={"filter": service})


def error_of(work: Work, planted: PlantedWork, **changes: Any) -> ImageFlowError:
    """Return by which a walk over one step in a planted service fails."""

    async def main() -> ImageFlowError:
        async with embedded_service(planted, **changes) as service:
            with pytest.raises(ImageFlowError) as caught:
                await walked(work, pipeline(FILTERED), services_of(service))
            return caught.value

    return asyncio.run(main())


def given(work: Work, planted: PlantedWork, of: ValidatedPipeline | None = None, **changes: Any) -> Picture:
    """Return what a planted service gives for one step of a walk."""

    async def main() -> Picture:
        async with embedded_service(planted, **changes) as service:
            walk = await walked(work, of or pipeline(FILTERED), services_of(service))
            return picture_of(walk, "a")

    return asyncio.run(main())


def test_a_step_gives_what_its_embedded_service_gives(work: Work) -> None:
    planted = PlantedWork(give)
    assert given(work, planted) is GIVEN
    assert planted.asked == 1


def test_a_step_after_an_embedded_one_takes_what_it_gave(work: Work) -> None:
    taken: list[Any] = []

    def take(inputs: Any, _context: Any) -> Picture:
        taken.append(inputs["image"])
        return LATE

    given(work, PlantedWork(give), pipeline({**FILTERED, "b": ("resize", "a")}, b=take))
    assert taken == [GIVEN]


def test_an_embedded_service_whose_first_attempt_fails_for_now_is_asked_again(work: Work) -> None:
    planted = in_turn(full, give)
    assert given(work, planted) is GIVEN
    assert planted.asked == 2


def test_an_embedded_service_is_asked_as_often_as_the_contract_says(work: Work) -> None:
    planted = PlantedWork(full)
    error = error_of(work, planted, retries=2)
    assert isinstance(error, Unavailable)
    assert (error.code, planted.asked) == ("service-unavailable", 1 + 2)


def test_an_attempt_past_its_deadline_is_followed_by_another_one(work: Work) -> None:
    long = LongWork(ZeroDivisionError())
    planted = in_turn(long.until, give)
    assert given(work, planted, timeout_s=SHORT_S) is GIVEN
    assert long.stopped.wait(DEADLINE_S)
    assert planted.asked == 2


def test_an_embedded_service_that_hangs_in_every_attempt_is_unavailable(work: Work) -> None:
    told: list[bool] = []

    def hang(cancel: threading.Event) -> Picture:
        told.append(cancel.wait(DEADLINE_S))
        raise AssertionError

    error = error_of(work, PlantedWork(hang), timeout_s=SHORT_S, retries=1)
    assert isinstance(error, Unavailable)
    assert (error.code, told) == ("service-unavailable", [True, True])


def test_what_a_given_up_attempt_gives_changes_nothing(work: Work) -> None:
    over, ended = threading.Event(), threading.Event()
    seen: list[tuple[str, str, int]] = []

    def deaf(_: threading.Event) -> Picture:
        assert over.wait(3 * DEADLINE_S)
        ended.set()
        return LATE

    def report(progress: StepProgress, _: float) -> None:
        seen.append((progress.step_id, progress.status, progress.done))

    async def main() -> Picture:
        async with embedded_service(in_turn(deaf, give), timeout_s=SHORT_S) as service:
            walk = await walked(work, pipeline(FILTERED), services_of(service), report)
            over.set()
            assert await asyncio.to_thread(ended.wait, DEADLINE_S)
            # After every thread of the run has ended.
            await asyncio.to_thread(work.threads.shutdown)
            return picture_of(walk, "a")

    assert asyncio.run(main()) is GIVEN
    assert seen == [("a", "running", 0), ("a", "completed", 1)]


def test_a_refusal_of_an_embedded_service_is_the_error_itself(work: Work) -> None:
    refusal = DoesNotFit("crop-outside", step="s", width=1, height=1)
    error = error_of(work, failing(refusal))
    assert error is refusal
    assert (error.__cause__, error.__context__) == (None, None)


def test_a_refusal_in_a_further_attempt_is_the_error_itself(work: Work) -> None:
    refusal = DoesNotFit("crop-outside", step="s", width=1, height=1)

    def refuse(_: threading.Event) -> Picture:
        raise refusal

    error = error_of(work, in_turn(full, refuse))
    assert error is refusal
    assert (error.__cause__, error.__context__) == (None, None)


def test_faults_of_an_embedded_service_open_its_circuit(work: Work) -> None:
    planted = failing(ZeroDivisionError())

    async def main() -> list[str]:
        codes: list[str] = []
        async with embedded_service(planted) as service:
            for _ in range(FAILURES + 1):
                with pytest.raises(Unavailable) as caught:
                    await walked(work, pipeline(FILTERED), services_of(service))
                codes.append(caught.value.code)
            assert service.replicas.circuit is CircuitState.OPEN
        return codes

    assert asyncio.run(main()) == [*FAILURES * ["service-unavailable"], "service-circuit-open"]
    assert planted.asked == FAILURES


def test_a_step_whose_model_its_embedded_service_does_not_know_runs_here(work: Work) -> None:
    assert given(work, PlantedWork(unknown_model), pipeline(FILTERED, a=lambda *_: LATE)) is LATE


def test_a_step_whose_model_a_further_attempt_does_not_know_runs_here(work: Work) -> None:
    assert given(work, in_turn(full, unknown_model), pipeline(FILTERED, a=lambda *_: LATE)) is LATE


@pytest.mark.usefixtures("no_haste")
def test_an_embedded_attempt_is_told_to_stop_when_the_caller_is_cancelled(work: Work) -> None:
    async def main() -> CircuitState:
        long = LongWork(InvalidInput("request-malformed"))
        async with embedded_service(PlantedWork(long.until)) as service:
            service.fail(FAILURES - 1)
            await long.cancel_once_begun(walked(work, pipeline(FILTERED), services_of(service)))
            assert long.stopped.is_set()
            return service.replicas.circuit

    # One more failure would have opened it.
    assert asyncio.run(main()) is CircuitState.CLOSED


def test_a_further_attempt_is_told_to_stop_when_the_caller_is_cancelled(work: Work) -> None:
    async def main() -> CircuitState:
        long = LongWork()
        async with embedded_service(in_turn(full, long.until)) as service:
            service.fail(FAILURES - 2)
            await long.cancel_once_begun(walked(work, pipeline(FILTERED), services_of(service)))
            assert await asyncio.to_thread(long.stopped.wait, DEADLINE_S)
            return service.replicas.circuit

    assert asyncio.run(main()) is CircuitState.CLOSED


@pytest.mark.usefixtures("no_haste")
def test_an_embedded_attempt_is_told_to_stop_when_another_step_fails(work: Work) -> None:
    long = LongWork()
    of = pipeline({**FILTERED, "b": ("resize", "input")}, b=long.failing_beside)

    async def main() -> None:
        async with embedded_service(PlantedWork(long.until)) as service:
            with pytest.raises(InvalidInput):
                await walked(work, of, services_of(service))

    asyncio.run(main())
    assert long.stopped.is_set()


def test_a_step_here_waits_for_no_service(work: Work) -> None:
    class NotReady(PlantedServices):
        async def ready(self) -> None:
            raise AssertionError

    async def main() -> None:
        async with embedded_service(PlantedWork(give)) as service:
            services = NotReady(embedded={"filter": service})
            await walked(work, resizes({"a": "input"}, a=a_picture), services)

    asyncio.run(main())


def test_services_that_cannot_be_started_end_the_walk(work: Work) -> None:
    class NotReady(PlantedServices):
        async def ready(self) -> None:
            raise Unavailable("service-port-taken", service="filter", port=1)

    async def main() -> str:
        async with embedded_service(PlantedWork(give)) as service:
            with pytest.raises(Unavailable) as caught:
                await walked(work, pipeline(FILTERED), NotReady(embedded={"filter": service}))
        return caught.value.code

    assert asyncio.run(main()) == "service-port-taken"
