"""What a walk does not do after its end, and how long it waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from inspection.components.registry import component
from inspection.components.values import DetectionList
from inspection.imaging.picture import Picture
from inspection.pipeline.runner import StepProgress
from models.errors import InvalidInput, Unavailable
from server.grpc.contract import RESIZE
from server.orchestration.run_work import Work
from server.services.embedded import EmbeddedCall
from server.services.step_services import AttemptGivenUpError, StepAnswer, StoredImage
from tests.support.embedded_services import PlantedServices, PlantedWork, embedded_service, in_turn
from tests.support.log_lines import log_lines
from tests.support.walks import DEADLINE_S, coloured, pipeline, resizes, walked, works

GIVEN = coloured(3)
DEFAULTS = component("filter").parameters()
TWO = {"a": "input", "b": "input"}


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    with works(tmp_path) as made:
        yield made


class Deaf:
    """A step that goes on after its walk, and one that fails once it has begun."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun, self.release = threading.Event(), threading.Event()
        self._error = error

    def run(self, _inputs: Any, _context: Any) -> Picture:
        self.begun.set()
        assert self.release.wait(DEADLINE_S)
        if self._error is not None:
            raise self._error
        return GIVEN

    def fail(self, _inputs: Any, _context: Any) -> Picture:
        assert self.begun.wait(DEADLINE_S)
        raise InvalidInput("request-malformed")


def test_a_step_that_ends_after_its_walk_is_not_reported(work: Work) -> None:
    deaf, over = Deaf(), threading.Event()
    seen: list[str] = []

    def report(progress: StepProgress, _: float) -> None:
        if over.is_set():
            seen.append(f"{progress.step_id} {progress.status}")

    async def main() -> None:
        with pytest.raises(InvalidInput):
            await walked(work, resizes(TWO, a=deaf.fail, b=deaf.run), report=report)
        over.set()
        deaf.release.set()
        await asyncio.to_thread(work.threads.shutdown)

    asyncio.run(main())
    assert seen == []


def test_an_attempt_does_not_begin_after_its_walk_has_ended(work: Work) -> None:
    deaf, planted = Deaf(), PlantedWork(lambda _: GIVEN)

    class Slow(PlantedServices):
        def embedded_call(self, *given: Any, **named: Any) -> EmbeddedCall:
            deaf.run(None, None)  # As a picture that takes long to be read.
            return super().embedded_call(*given, **named)

    async def main() -> None:
        async with embedded_service(planted) as service:
            of = pipeline({"a": ("resize", "input"), "b": ("filter", "input")}, a=deaf.fail)
            with pytest.raises(InvalidInput):
                await walked(work, of, Slow(embedded={"filter": service}))
            deaf.release.set()
            await asyncio.to_thread(work.threads.shutdown)

    asyncio.run(main())
    assert planted.asked == 0


def test_an_abandoned_call_makes_no_first_attempt() -> None:
    planted = PlantedWork(lambda _: GIVEN)

    async def main() -> None:
        async with embedded_service(planted) as service:
            call = service.call(DEFAULTS, GIVEN)
            call.abandon()
            with pytest.raises(AttemptGivenUpError):
                await asyncio.to_thread(call.first_attempt)

    asyncio.run(main())
    assert planted.asked == 0


def test_a_step_does_not_begin_once_another_one_has_failed(work: Work) -> None:
    asked, failing, begun = threading.Event(), threading.Event(), threading.Event()

    async def slow_to_end(_: StoredImage) -> StepAnswer:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            failing.set()
            await asyncio.to_thread(begun.wait, 1)
        raise AssertionError

    def fail(_inputs: Any, _context: Any) -> Picture:
        assert asked.wait(DEADLINE_S)
        raise InvalidInput("request-malformed")

    def end(_inputs: Any, _context: Any) -> Picture:
        assert failing.wait(DEADLINE_S)
        return GIVEN

    def begin(_inputs: Any, _context: Any) -> Picture:
        begun.set()
        return GIVEN

    steps = {"s": ("filter", "input"), "a": ("resize", "input"), "b": ("resize", "input"), "c": ("resize", "b")}
    of = pipeline(steps, a=fail, b=end, c=begin)
    with pytest.raises(InvalidInput):
        asyncio.run(walked(work, of, PlantedServices(elsewhere={"filter": slow_to_end})))
    assert not begun.is_set()


def test_a_short_deadline_is_kept_beside_a_long_one(work: Work) -> None:
    told, looked = threading.Event(), threading.Event()

    def long(_: threading.Event) -> Picture:
        told.wait(5)
        return GIVEN

    def hang(cancel: threading.Event) -> Picture:
        if cancel.wait(5):
            told.set()
        return GIVEN

    def wait_for_a_look(_inputs: Any, _context: Any) -> Picture:
        looked.wait(1)  # Longer than the short deadline: the walk has looked, and seen the long attempt alone.
        return GIVEN

    async def main() -> None:
        async with (
            embedded_service(PlantedWork(long), RESIZE, timeout_s=20.0) as slow,
            embedded_service(in_turn(hang, lambda _: GIVEN), timeout_s=0.5) as quick,
        ):
            of = pipeline({"a": ("resize", "input"), "b": ("crop", "input"), "c": ("filter", "b")}, b=wait_for_a_look)
            await walked(work, of, PlantedServices(embedded={"resize": slow, "filter": quick}))

    asyncio.run(main())
    assert told.is_set()


def test_a_component_that_gives_no_picture_where_one_is_shown_ends_its_walk(work: Work) -> None:
    async def main() -> None:
        async with asyncio.timeout(3):
            await walked(work, resizes({"a": "input"}, a=lambda *_: DetectionList(())))

    asyncio.run(main())


def test_no_span_of_a_step_that_is_asked_again_has_failed(work: Work) -> None:
    spans: list[str] = []

    class Spans:
        @contextmanager
        def span(self, name: str, attributes: Any) -> Iterator[Any]:
            del attributes
            try:
                yield None
            except Exception as error:
                spans.append(f"{name}: {type(error).__name__}")
                raise
            spans.append(name)

    def full(_: threading.Event) -> Picture:
        raise Unavailable("disk-full")

    async def main() -> None:
        async with embedded_service(in_turn(full, lambda _: GIVEN)) as service:
            services = PlantedServices(embedded={"filter": service})
            spanned: Any = Spans()
            await walked(work, pipeline({"a": ("filter", "input")}), services, tracing=spanned)

    asyncio.run(main())
    assert spans == ["step filter", "step filter"]


def test_the_deadline_of_all_attempts_bounds_the_first_one() -> None:
    async def main() -> float:
        async with embedded_service(PlantedWork(lambda _: GIVEN), timeout_s=20.0) as service:
            return service.call(DEFAULTS, GIVEN, 0.2).timeout_s

    assert asyncio.run(main()) <= 0.2


def test_a_fault_of_a_deaf_step_is_logged_when_its_loop_has_ended(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [log_lines(monkeypatch, f"server.orchestration.{name}") for name in ("walking", "run_work")]
    deaf = Deaf(ZeroDivisionError())
    with pytest.raises(InvalidInput):
        asyncio.run(walked(work, resizes(TWO, a=deaf.fail, b=deaf.run)))
    deaf.release.set()
    work.threads.shutdown()
    assert [line["error"] for one in lines for line in one] == ["ZeroDivisionError()"]
