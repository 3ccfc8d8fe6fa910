"""One stream: the newest frame wins, none is old, order is kept, trouble ends nothing."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator

import pytest

from inspection.imaging.frames import Frame
from inspection.pipeline.outcome import InspectionOutcome
from models.errors import InvalidInput, NotFound, TooLarge, TooManyRequests, UnreadableImage
from server.camera_stream.frames import Output, ProcessedFrame, StreamState, StreamStatus, StreamTrouble
from server.camera_stream.pace import MOST_FPS
from server.camera_stream.statistics import StreamStats
from server.camera_stream.stream import CameraStream
from tests.support.images import png_of_claimed_size
from tests.support.streams import Clock, HeldPipelines, HeldRunner, following, jpeg, opened, run, shared_work, through


async def started(stream: CameraStream, pipeline: str = "p", fps: float | None = 0.1) -> AsyncIterator[Output]:
    """The outputs of a stream whose pipeline is ready; by its rate a frame may be twenty seconds old."""
    stream.start("line-1", pipeline, fps)
    outputs = stream.outputs()
    while (await following(outputs, StreamState)).pipeline_id != pipeline:
        pass
    return outputs


def test_a_frame_comes_back_with_its_number_source_pipeline() -> None:
    async def scenario() -> None:
        async with shared_work(HeldPipelines(p=HeldRunner())) as work, opened(work) as stream:
            outputs = await started(stream)
            found = await through(stream, outputs, jpeg(50), timestamp_ms=77)
            assert (found.frame.number, found.frame.timestamp_ms) == (1, 77)
            assert (found.source_id, found.pipeline.id) == ("line-1", "p")
            assert found.image.jpeg == jpeg(50)
            assert found.image.result.detections[0].class_name == "grey-50"

    run(scenario())


def test_of_frames_that_wait_only_the_newest_is_processed() -> None:
    async def scenario() -> None:
        runner = HeldRunner()
        async with shared_work(HeldPipelines(p=runner)) as work, opened(work) as stream:
            outputs = await started(stream)
            for brightness in (10, 20, 30, 40):
                stream.offer(jpeg(brightness))
            found = await following(outputs, ProcessedFrame)
            assert (found.frame.number, runner.seen) == (4, [40])

    run(scenario())


def test_a_frame_that_comes_during_another_waits_for_it() -> None:
    async def scenario() -> None:
        runner = HeldRunner()
        async with shared_work(HeldPipelines(p=runner)) as work, opened(work) as stream:
            outputs = await started(stream)
            runner.goes_on.clear()
            stream.offer(jpeg(10))
            first = asyncio.ensure_future(following(outputs, ProcessedFrame))
            await asyncio.to_thread(runner.at_work.wait)
            for brightness in (20, 30):
                stream.offer(jpeg(brightness))
            runner.goes_on.set()
            numbers = [(await first).frame.number, (await following(outputs, ProcessedFrame)).frame.number]
            assert (numbers, runner.seen) == ([1, 3], [10, 30])

    run(scenario())


def test_frames_leave_in_the_order_they_came() -> None:
    async def scenario() -> None:
        async with shared_work(HeldPipelines(p=HeldRunner()), stream_threads=4) as work, opened(work) as stream:
            outputs = await started(stream)
            feeding = asyncio.ensure_future(feed(stream, 60))
            numbers = []
            while not numbers or numbers[-1] < 60:
                numbers.append((await following(outputs, ProcessedFrame)).frame.number)
            await feeding
            assert numbers == sorted(set(numbers))

    async def feed(stream: CameraStream, count: int) -> None:
        for _ in range(count):
            stream.offer(jpeg())
            await asyncio.sleep(0)

    run(scenario())


def test_a_frame_older_than_two_periods_is_not_processed() -> None:
    async def scenario() -> None:
        clock, runner = Clock(), HeldRunner()
        async with shared_work(HeldPipelines(p=runner), clock=clock) as work, opened(work) as stream:
            outputs = await started(stream, fps=10)
            for brightness in (10, 20):
                await through(stream, outputs, jpeg(brightness))
                clock.now += 0.1
            stream.offer(jpeg(30))
            clock.now += 0.21
            assert (await through(stream, outputs, jpeg(40))).frame.number == 4
            assert runner.seen == [10, 20, 40]

    run(scenario())


def test_a_frame_that_gets_old_in_the_pipeline_is_not_sent() -> None:
    async def scenario() -> None:
        clock, runner = Clock(), HeldRunner()
        async with shared_work(HeldPipelines(p=runner), clock=clock) as work, opened(work) as stream:
            outputs = await started(stream, fps=10)
            for _ in range(3):
                await through(stream, outputs, jpeg(10))
                clock.now += 0.1
            runner.at_work.clear()
            stream.offer(jpeg(20))
            runner.goes_on.clear()
            late = asyncio.ensure_future(following(outputs, (ProcessedFrame, StreamStats)))
            await asyncio.to_thread(runner.at_work.wait)
            clock.now += 1
            runner.goes_on.set()
            found = await late
            assert isinstance(found, StreamStats)
            assert (found.frames_out, found.dropped) == (3, 1)

    run(scenario())


class UnevenRunner(HeldRunner):
    """A pipeline that now and then takes longer than three periods, by the clock of the test."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def run(self, frame: Frame, *, cancel: threading.Event) -> InspectionOutcome:
        outcome = super().run(frame, cancel=cancel)
        self._clock.now += 0.35 if len(self.seen) % 4 == 0 else 0.03
        return outcome


@pytest.mark.parametrize("seed", range(4))
def test_no_frame_is_sent_two_periods_after_its_own_stamp(seed: int) -> None:
    uneven = random.Random(seed)  # noqa: S311 - a schedule, no secret
    captured: list[float] = []
    ages: list[float] = []

    async def take(outputs: AsyncIterator[Output], clock: Clock) -> None:
        async for output in outputs:
            if isinstance(output, ProcessedFrame):
                ages.append(clock.now - captured[output.frame.number - 1])
                # The client takes its time with some.
                clock.now += uneven.choice([0.0, 0.0, 0.15, 0.4])

    async def scenario() -> None:
        clock = Clock()
        pipelines = HeldPipelines(p=UnevenRunner(clock))
        async with shared_work(pipelines, clock=clock, stream_threads=1) as work, opened(work) as stream:
            outputs = await started(stream, fps=10)
            taking = asyncio.ensure_future(take(outputs, clock))
            for number in range(100):
                # Every other frame comes at once, the others were on their way for a while.
                way = 0.0 if number % 2 == 0 else uneven.uniform(0, 0.3)
                # Between two turns, so that the camera's time is not taken for the pipeline's.
                async with work.turn():
                    clock.now += 0.1
                    captured.append(clock.now - way)
                    stream.offer(jpeg(), timestamp_ms=round(captured[-1] * 1000))
                await asyncio.sleep(0.001)
            stream.finish()
            await taking

    run(scenario())
    assert len(ages) > 20
    assert max(ages) <= 0.2 + 0.001


def test_an_unknown_pipeline_leaves_the_old_one_running() -> None:
    async def scenario() -> None:
        async with shared_work(HeldPipelines(p=HeldRunner())) as work, opened(work) as stream:
            outputs = await started(stream)
            stream.set_pipeline("missing")
            trouble = await following(outputs, StreamTrouble)
            assert isinstance(trouble.error, NotFound)
            assert trouble.error.code == "pipeline-not-found"
            assert (await through(stream, outputs, jpeg())).pipeline.id == "p"

    run(scenario())


def test_the_old_pipeline_goes_on_until_the_new_one_is_ready() -> None:
    async def scenario() -> None:
        old, new = HeldRunner(), HeldRunner()
        async with shared_work(HeldPipelines(p=old, q=new)) as work, opened(work) as stream:
            outputs = await started(stream)
            stream.set_pipeline("q")
            assert (await through(stream, outputs, jpeg(10))).pipeline.id == "p"
            while (await following(outputs, StreamState)).pipeline_id != "q":
                pass
            assert (await through(stream, outputs, jpeg(20))).pipeline.id == "q"
            assert (old.seen, new.seen) == ([10], [20])

    run(scenario())


def test_of_pipelines_asked_for_at_once_the_last_one_counts() -> None:
    async def scenario() -> None:
        pipelines = HeldPipelines(p=HeldRunner(), q=HeldRunner(), r=HeldRunner())
        async with shared_work(pipelines) as work, opened(work) as stream:
            outputs = await started(stream)
            for name in ("q", "missing", "r"):
                stream.set_pipeline(name)
            while (await following(outputs, StreamState)).loading is not None:
                pass
            assert (await through(stream, outputs, jpeg())).pipeline.id == "r"
            assert "missing" not in pipelines.prepared

    run(scenario())


def test_a_paused_stream_processes_nothing() -> None:
    async def scenario() -> None:
        runner = HeldRunner()
        async with shared_work(HeldPipelines(p=runner)) as work, opened(work) as stream:
            outputs = await started(stream)
            stream.pause()
            stream.offer(jpeg(10))
            assert (await following(outputs, StreamState)).status is StreamStatus.PAUSED
            stream.start()
            await through(stream, outputs, jpeg(20))
            assert runner.seen == [20]

    run(scenario())


def test_a_stopped_stream_forgets_its_pipeline() -> None:
    async def scenario() -> None:
        async with shared_work(HeldPipelines(p=HeldRunner())) as work, opened(work) as stream:
            await started(stream)
            stream.stop()
            assert stream.state == StreamState(StreamStatus.STOPPED, "line-1", None)
            with pytest.raises(InvalidInput) as refused:
                stream.start()
            assert refused.value.code == "stream-no-pipeline"

    run(scenario())


def test_statistics_come_each_second_without_a_frame() -> None:
    async def scenario() -> None:
        clock = Clock()
        async with shared_work(HeldPipelines(p=HeldRunner()), clock=clock) as work, opened(work) as stream:
            outputs = await started(stream)
            for second in range(3):
                clock.now += 1
                stats = await following(outputs, StreamStats)
                assert (second, stats.frames_in, stats.fps_out) == (second, 0, 0.0)

    run(scenario())


def test_frames_that_were_passed_over_are_counted() -> None:
    async def scenario() -> None:
        clock = Clock()
        async with shared_work(HeldPipelines(p=HeldRunner()), clock=clock) as work, opened(work) as stream:
            outputs = await started(stream)
            for _ in range(5):
                stream.offer(jpeg())
            await following(outputs, ProcessedFrame)
            clock.now += 1
            stats = await following(outputs, StreamStats)
            assert (stats.frames_in, stats.frames_out, stats.dropped) == (5, 1, 4)

    run(scenario())


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "image-empty"),
        (b"no picture at all", "image-unknown-format"),
        (jpeg()[:200], "image-truncated"),
        (png_of_claimed_size(100_000, 100_000), "image-too-many-pixels"),
    ],
    ids=["empty", "garbage", "cut", "bomb"],
)
def test_a_frame_that_is_no_image_ends_nothing(data: bytes, code: str) -> None:
    async def scenario() -> None:
        async with shared_work(HeldPipelines(p=HeldRunner())) as work, opened(work) as stream:
            outputs = await started(stream)
            stream.offer(data)
            trouble = await following(outputs, StreamTrouble)
            assert isinstance(trouble.error, UnreadableImage)
            assert (trouble.error.code, trouble.frame) == (code, 1)
            assert (await through(stream, outputs, jpeg())).frame.number == 2

    run(scenario())


def test_a_frame_of_too_many_bytes_is_refused() -> None:
    async def scenario() -> None:
        async with (
            shared_work(HeldPipelines(p=HeldRunner()), stream_max_frame_bytes=2_000) as work,
            opened(work) as stream,
        ):
            with pytest.raises(TooLarge) as refused:
                stream.offer(bytes(2_001))
            assert refused.value.code == "stream-frame-too-large"

    run(scenario())


def offer_often(stream: CameraStream, times: int) -> None:
    frame = jpeg()
    for _ in range(times):
        stream.offer(frame)


def control_often(stream: CameraStream, times: int) -> None:
    for _ in range(times):
        stream.count_control()


def test_a_flood_of_frames_is_refused() -> None:
    async def scenario() -> None:
        async with (
            shared_work(HeldPipelines(p=HeldRunner()), clock=Clock()) as work,
            opened(work) as stream,
        ):
            with pytest.raises(TooManyRequests) as refused:
                offer_often(stream, 3 * MOST_FPS)
            assert refused.value.code == "stream-flood"

    run(scenario())


def test_a_flood_of_control_is_refused() -> None:
    async def scenario() -> None:
        async with (
            shared_work(HeldPipelines(p=HeldRunner()), clock=Clock()) as work,
            opened(work) as stream,
        ):
            with pytest.raises(TooManyRequests) as refused:
                control_often(stream, 100)
            assert refused.value.code == "stream-flood-of-control"

    run(scenario())


def test_a_client_that_does_not_read_has_one_frame_processed() -> None:
    async def scenario() -> None:
        idle, busy = HeldRunner(), HeldRunner()
        async with (
            shared_work(HeldPipelines(p=idle, q=busy), stream_threads=1) as work,
            opened(work) as slow,
            opened(work) as fast,
        ):
            slow_outputs, fast_outputs = await started(slow), await started(fast, "q")
            await through(slow, slow_outputs, jpeg(10))
            for brightness in range(20, 70):
                slow.offer(jpeg(brightness))
                assert (await through(fast, fast_outputs, jpeg(brightness))).source_id == "line-1"
            assert (idle.seen, len(busy.seen)) == ([10], 50)

    run(scenario())


def test_a_stream_that_is_closed_stops_its_pipeline() -> None:
    async def scenario() -> None:
        runner = HeldRunner()
        runner.goes_on.clear()
        async with shared_work(HeldPipelines(p=runner)) as work:
            async with opened(work) as stream:
                outputs = await started(stream)
                stream.offer(jpeg())
                reading = asyncio.ensure_future(following(outputs, ProcessedFrame))
                await asyncio.to_thread(runner.at_work.wait)
                reading.cancel()
            runner.goes_on.set()
            async with opened(work) as other:
                assert (await through(other, await started(other), jpeg())).frame.number == 1

    run(scenario())


def test_a_finished_stream_ends_after_the_frame_that_waits() -> None:
    async def scenario() -> None:
        async with shared_work(HeldPipelines(p=HeldRunner())) as work, opened(work) as stream:
            stream.start("line-1", "p")
            stream.offer(jpeg())
            stream.finish()
            kinds = [type(output) async for output in stream.outputs()]
            assert kinds.count(ProcessedFrame) == 1

    run(scenario())
