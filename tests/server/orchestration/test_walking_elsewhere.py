"""A step in a service that is reached over gRPC takes what steps here gave, and steps here take what it gave."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspection.components.registry import component
from inspection.imaging.picture import Picture
from models.errors import NotFound, Unavailable
from server.core.settings import ServerSettings
from server.orchestration.images import StepImage, name_of
from server.orchestration.run_work import RunWork, Work
from server.services.clients import ServiceClients
from server.services.step_services import StepAnswer, StoredImage
from tests.support.embedded_services import PlantedServices
from tests.support.grpc_services import hosting
from tests.support.walks import DEADLINE_S, coloured, picture_of, pipeline, resizes, walked, works

BETWEEN = {"a": ("crop", "input"), "b": ("filter", "a"), "c": ("crop", "b")}
FIRST, LAST = coloured(3), coloured(4)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    with works(tmp_path / "objects") as made:
        yield made


def elsewhere(answer: Callable[[StoredImage], Any]) -> PlantedServices:
    """Return a filter service elsewhere whose answers a function gives."""

    async def answered(image: StoredImage) -> Any:
        return answer(image)

    return PlantedServices(elsewhere={"filter": answered})


def test_a_service_over_grpc_runs_a_step_between_two_that_run_here(tmp_path: Path) -> None:
    taken: list[Picture] = []

    def take(inputs: Any, _context: Any) -> Picture:
        taken.append(inputs["image"])
        return LAST

    of = pipeline(BETWEEN, a=lambda *_: FIRST, c=take)

    async def main(address: str, work: Work) -> Any:
        clients = ServiceClients(ServerSettings(data_dir=tmp_path, grpc_filter=address))
        await clients.start({})
        try:
            return await walked(work, of, clients)
        finally:
            await clients.stop()

    with hosting(tmp_path, ("filter",)) as hosted, works(hosted.objects) as work:
        walk = asyncio.run(main(hosted.addresses["filter"], work))
    filtered = component("filter")
    expected: Any = filtered.run(filtered.parameters(), {"image": FIRST}, None)  # type: ignore[arg-type]
    np.testing.assert_array_equal(taken[0].pixels, expected.pixels)
    assert picture_of(walk, "c") is LAST


def test_what_a_step_here_gave_is_stored_for_a_service_elsewhere(work: Work) -> None:
    asked: list[np.ndarray] = []

    async def main() -> None:
        run = RunWork(work)

        def answer(image: StoredImage) -> StepAnswer:
            asked.append(StepImage(run, stored=image).picture().pixels)
            return StepAnswer(StepImage(run, picture=LAST).stored())

        await walked(work, pipeline(BETWEEN, a=lambda *_: FIRST, c=lambda *_: LAST), elsewhere(answer))

    asyncio.run(main())
    assert [np.array_equal(pixels, FIRST.pixels) for pixels in asked] == [True]


def test_nothing_is_stored_where_every_step_runs_here(work: Work) -> None:
    of = resizes({"a": "input", "b": "a"}, a=lambda *_: FIRST, b=lambda *_: LAST)
    asyncio.run(walked(work, of))
    assert list(work.objects.listed()) == []


def test_a_service_elsewhere_is_asked_in_the_event_loop(work: Work) -> None:
    threads: set[int] = set()

    def answer(_: StoredImage) -> StepAnswer:
        threads.add(threading.get_ident())
        return StepAnswer(StepImage(RunWork(work), picture=LAST).stored())

    asyncio.run(walked(work, pipeline({"a": ("filter", "input")}), elsewhere(answer)))
    assert threads == {threading.get_ident()}


def test_a_step_whose_model_a_service_elsewhere_does_not_know_runs_here(work: Work) -> None:
    def answer(_: StoredImage) -> StepAnswer:
        raise NotFound("service-model-unknown", name="m", known="-")

    of = pipeline({"a": ("filter", "input")}, a=lambda *_: LAST)
    assert picture_of(asyncio.run(walked(work, of, elsewhere(answer))), "a") is LAST


def test_the_image_of_a_service_elsewhere_that_is_lost_is_its_failure(work: Work) -> None:
    def answer(image: StoredImage) -> StepAnswer:
        del image
        stored = StepImage(RunWork(work), picture=LAST).stored()
        work.objects.delete(name_of(stored))
        return StepAnswer(stored)

    of = pipeline({"a": ("filter", "input"), "b": ("resize", "a")})
    with pytest.raises(Unavailable) as caught:
        asyncio.run(walked(work, of, elsewhere(answer)))
    assert caught.value.code == "service-output-unusable"


def test_steps_beside_a_service_elsewhere_run_meanwhile(work: Work) -> None:
    beside = threading.Event()

    async def answer(_: StoredImage) -> StepAnswer:
        assert await asyncio.to_thread(beside.wait, DEADLINE_S)
        return StepAnswer(StepImage(RunWork(work), picture=LAST).stored())

    def run(_inputs: Any, _context: Any) -> Picture:
        beside.set()
        return FIRST

    of = pipeline({"a": ("filter", "input"), "b": ("resize", "input")}, b=run)
    walk = asyncio.run(walked(work, of, PlantedServices(elsewhere={"filter": answer})))
    np.testing.assert_array_equal(picture_of(walk, "a").pixels, LAST.pixels)
