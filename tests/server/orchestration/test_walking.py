"""Steps begin when what they take is there, independent ones at the same time, each on a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from inspection.components.registry import StepContext
from inspection.components.values import CodeList, StepValue
from inspection.imaging.files import decode_image
from inspection.imaging.picture import Picture
from inspection.pipeline.runner import StepProgress
from models.errors import InvalidInput
from server.orchestration.run_work import Work
from server.orchestration.walking import Walked
from server.services.step_services import StepAnswer, StoredImage
from tests.support.embedded_services import PlantedServices
from tests.support.log_lines import log_lines
from tests.support.long_work import LongWork
from tests.support.walks import (
    DEADLINE_S,
    ORIGINAL,
    Run,
    a_picture,
    coloured,
    picture_of,
    pipeline,
    resizes,
    walked,
    works,
)

Inputs = Mapping[str, StepValue]
TWO = {"a": "input", "b": "input"}


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    with works(tmp_path) as made:
        yield made


def meeting(count: int) -> Run:
    """Return what that many steps do which run at the same time."""
    together = threading.Barrier(count)

    def meet(_inputs: Inputs, _context: StepContext) -> Picture:
        together.wait(DEADLINE_S)
        return ORIGINAL

    return meet


def test_independent_steps_run_at_the_same_time(work: Work) -> None:
    meet = meeting(2)
    assert list(asyncio.run(walked(work, resizes(TWO, a=meet, b=meet))).values) == ["a", "b"]


def test_steps_of_one_source_run_at_the_same_time(work: Work) -> None:
    meet = meeting(2)
    of = resizes({"a": "input", "b": "a", "c": "a"}, a=a_picture, b=meet, c=meet)
    assert list(asyncio.run(walked(work, of)).values) == ["a", "b", "c"]


def test_a_step_gets_what_its_source_gave(work: Work) -> None:
    given: dict[str, StepValue] = {}

    def run(inputs: Inputs, context: StepContext) -> Picture:
        given[context.step_id] = inputs["image"]
        return coloured(len(given))

    walk = asyncio.run(walked(work, resizes({"b": "a", "a": "input"}, a=run, b=run)))
    assert given["a"] is ORIGINAL
    assert given["b"] is picture_of(walk, "a")


def test_what_a_walk_gave_is_in_the_order_of_the_pipeline(work: Work) -> None:
    second = threading.Event()

    def late(_inputs: Inputs, _context: StepContext) -> Picture:
        assert second.wait(DEADLINE_S)
        return ORIGINAL

    def early(_inputs: Inputs, _context: StepContext) -> Picture:
        second.set()
        return ORIGINAL

    walk = asyncio.run(walked(work, resizes(TWO, a=late, b=early)))
    assert (list(walk.values), [timing.step_id for timing in walk.timings]) == (["a", "b"], ["a", "b"])


def test_progress_is_reported_before_a_step_begins(work: Work) -> None:
    seen: list[tuple[str, str, int]] = []

    def run(_inputs: Inputs, context: StepContext) -> Picture:
        seen.append((context.step_id, "begins", -1))
        return ORIGINAL

    def report(progress: StepProgress, milliseconds: float) -> None:
        assert milliseconds >= 0
        seen.append((progress.step_id, progress.status, progress.done))

    asyncio.run(walked(work, resizes({"a": "input", "b": "a"}, a=run, b=run), report=report))
    assert seen == [
        ("a", "running", 0),
        ("a", "begins", -1),
        ("a", "completed", 1),
        ("b", "running", 1),
        ("b", "begins", -1),
        ("b", "completed", 2),
    ]


def test_progress_of_several_threads_is_reported_in_order(work: Work) -> None:
    meet, reporting = meeting(4), threading.Lock()
    others = {"running": threading.Event(), "completed": threading.Event()}
    seen: list[StepProgress] = []

    def report(progress: StepProgress, _: float) -> None:
        if not reporting.acquire(blocking=False):
            others[progress.status].set()
            raise AssertionError("another thread reports")
        if all(one.status != progress.status for one in seen):
            # The first waits a moment for another one, whose turn must not come.
            assert not others[progress.status].wait(0.2)
        seen.append(progress)
        reporting.release()

    names = "abcdefgh"
    of = resizes(dict.fromkeys(names, "input"), **dict.fromkeys(names, meet))
    asyncio.run(walked(work, of, report=report))
    done = [one.done for one in seen]
    assert done == sorted(done)
    assert [one.done for one in seen if one.status == "completed"] == list(range(1, 9))
    assert [[one.status for one in seen if one.step_id == name] for name in names] == 8 * [["running", "completed"]]


@pytest.mark.usefixtures("no_haste")
def test_the_error_of_a_step_ends_the_others(work: Work) -> None:
    long = LongWork()
    with pytest.raises(InvalidInput):
        asyncio.run(walked(work, resizes(TWO, a=long.failing_beside, b=long.step)))
    assert long.stopped.is_set()


def test_the_error_of_a_step_ends_the_call_of_a_service_elsewhere(work: Work) -> None:
    begun = threading.Event()
    cancelled: list[str] = []

    def fail(_inputs: Inputs, _context: StepContext) -> Picture:
        assert begun.wait(DEADLINE_S)
        raise InvalidInput("request-malformed")

    async def hang(image: StoredImage) -> StepAnswer:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(image.object_key)
            raise
        raise AssertionError

    of = pipeline({"a": ("resize", "input"), "b": ("filter", "input")}, a=fail)
    with pytest.raises(InvalidInput):
        asyncio.run(walked(work, of, PlantedServices(elsewhere={"filter": hang})))
    assert len(cancelled) == 1


def test_a_step_after_one_that_failed_does_not_begin(work: Work) -> None:
    begun: list[str] = []

    def fail(_inputs: Inputs, _context: StepContext) -> Picture:
        raise InvalidInput("request-malformed")

    def after(_inputs: Inputs, context: StepContext) -> Picture:
        begun.append(context.step_id)
        return ORIGINAL

    with pytest.raises(InvalidInput):
        asyncio.run(walked(work, resizes({"a": "input", "b": "a"}, a=fail, b=after)))
    assert begun == []


def test_a_fault_of_what_takes_the_outcome_is_raised(work: Work) -> None:
    def take(_: Walked) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(walked(work, resizes({"a": "input"}, a=a_picture), take=take))


def logged_of_a_second_failure(work: Work, monkeypatch: pytest.MonkeyPatch, error: Exception) -> list[str]:
    """Return the errors that are logged when a step fails after its walk has failed by another one."""
    lines, second = log_lines(monkeypatch, "server.orchestration.walking"), LongWork(error)
    with pytest.raises(InvalidInput):
        asyncio.run(walked(work, resizes(TWO, a=second.failing_beside, b=second.step)))
    assert second.stopped.is_set()
    work.threads.shutdown()  # What is logged is logged by then.
    return [str(line["error"]) for line in lines if line["log_level"] == "error"]


@pytest.mark.usefixtures("no_haste")
def test_a_fault_after_the_walk_has_failed_is_logged(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    logged = logged_of_a_second_failure(work, monkeypatch, ZeroDivisionError("in the second branch"))
    assert logged == ["ZeroDivisionError('in the second branch')"]


@pytest.mark.usefixtures("no_haste")
def test_an_error_for_users_after_the_walk_has_failed_is_not_logged(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert logged_of_a_second_failure(work, monkeypatch, InvalidInput("request-malformed")) == []


@pytest.mark.usefixtures("no_haste")
def test_a_walk_whose_caller_is_cancelled_stops_its_steps(work: Work) -> None:
    async def main() -> None:
        long = LongWork()
        await long.cancel_once_begun(walked(work, resizes({"a": "input"}, a=long.step)))
        assert long.stopped.is_set()

    asyncio.run(main())


def test_a_step_that_ends_after_its_caller_was_cancelled_is_not_reported(work: Work) -> None:
    deaf, release = LongWork(), threading.Event()
    seen: list[str] = []

    def report(progress: StepProgress, _: float) -> None:
        seen.append(progress.status)

    async def main() -> None:
        of = resizes({"a": "input"}, a=lambda *_: deaf.until(release))
        await deaf.cancel_once_begun(walked(work, of, report=report))
        release.set()
        await asyncio.to_thread(work.threads.shutdown)

    asyncio.run(main())
    assert seen == ["running"]


def test_a_walk_whose_caller_is_cancelled_leaves_no_task(work: Work) -> None:
    async def main() -> set[str]:
        begun = asyncio.Event()

        async def hang(_: StoredImage) -> StepAnswer:
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError

        services = PlantedServices(elsewhere={"filter": hang})
        walking = asyncio.create_task(walked(work, pipeline({"a": ("filter", "input")}), services))
        await asyncio.wait_for(begun.wait(), DEADLINE_S)
        walking.cancel()
        await asyncio.gather(walking, return_exceptions=True)
        return {task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()}}

    assert asyncio.run(main()) == set()


def test_the_picture_shown_is_given_with_what_the_walk_gave(work: Work) -> None:
    last = coloured(7)
    of = resizes({"a": "input", "b": "a"}, a=a_picture, b=lambda *_: last)
    shown = asyncio.run(walked(work, of)).picture
    assert shown is not None
    assert (shown.width, shown.height) == (8, 6)
    assert np.array_equal(decode_image(shown.data), last.pixels)


def test_a_grey_picture_is_shown_in_colour(work: Work) -> None:
    grey = Picture.original(coloured(7).pixels[..., 0])
    shown = asyncio.run(walked(work, resizes({"a": "input"}, a=lambda *_: grey))).picture
    assert shown is not None
    assert np.array_equal(decode_image(shown.data, mode="as-stored")[..., 1], grey.pixels)


def test_no_picture_is_given_where_the_pipeline_shows_none(work: Work) -> None:
    of = pipeline({"a": ("resize", "input"), "b": ("barcode", "a")}, a=a_picture, b=lambda *_: CodeList(()))
    assert asyncio.run(walked(work, of)).picture is None
