"""The archive of important frames: what is kept, what is told of it, how much of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.errors import InvalidInput, TooManyRequests
from models.states import Verdict
from models.storage import sha256_of
from models.sync import Blob, StoredFile
from server.camera_stream.archive import FrameArchive
from server.camera_stream.events import VIDEO_STREAM_ARCHIVE, FrameArchived
from server.camera_stream.frames import ArchivedFrame, StreamTrouble
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from tests.support.streams import HeldPipelines, HeldRunner, following, jpeg, opened, run, shared_work, through

NG = {"verdict": Verdict.NG, "confidence": 0.9}
UNSURE = {"verdict": Verdict.OK, "confidence": 0.55}
GOOD = {"verdict": Verdict.OK, "confidence": 1.0}


@pytest.fixture
def context(tmp_path: Path) -> Iterator[ServerContext]:
    opened_here = open_context(ServerSettings(data_dir=tmp_path))
    opened_here.outbox.start()
    yield opened_here
    opened_here.close()


def archive_of(context: ServerContext) -> FrameArchive:
    return FrameArchive(context.database, context.objects, context.outbox.wake)


def records(context: ServerContext) -> list[StoredFile]:
    with context.database.read() as session:
        return list(session.query(StoredFile).order_by(StoredFile.created_at, StoredFile.id))


@pytest.mark.parametrize(
    ("given", "reason"), [(NG, "ng"), (UNSURE, "low_confidence"), (GOOD, None)], ids=["ng", "unsure", "good"]
)
def test_what_the_pipeline_doubts_is_archived(context: ServerContext, given: dict, reason: str | None) -> None:
    async def scenario() -> None:
        pipelines = HeldPipelines(p=HeldRunner(**given))
        async with shared_work(pipelines, archive_of(context)) as work, opened(work) as stream:
            stream.start("line-1", "p", 0.1)
            assert (await through(stream, stream.outputs(), jpeg())).archived == reason

    run(scenario())
    assert len(records(context)) == (reason is not None)


def test_an_archived_frame_lies_in_the_store_under_its_digest(context: ServerContext) -> None:
    frame = jpeg(99)

    async def scenario() -> None:
        pipelines = HeldPipelines(p=HeldRunner(**NG))
        async with shared_work(pipelines, archive_of(context)) as work, opened(work) as stream:
            stream.start("line-1", "p", 0.1)
            outputs = stream.outputs()
            await through(stream, outputs, frame)
            kept = await following(outputs, ArchivedFrame)
            assert kept.sha256 == sha256_of(frame)
            found.append(kept)

    found: list[ArchivedFrame] = []
    run(scenario())
    assert context.objects.read(found[0].sha256) == frame
    (record,) = records(context)
    assert (record.id, record.sha256, record.width, record.height) == (found[0].file_id, found[0].sha256, 64, 48)
    with context.database.read() as session:
        assert session.get_one(Blob, record.sha256).present


def test_the_event_of_an_archived_frame_says_what_was_seen(context: ServerContext) -> None:
    frame = jpeg(99)

    async def scenario() -> None:
        pipelines = HeldPipelines(p=HeldRunner(**NG))
        async with (
            context.events.subscribe(VIDEO_STREAM_ARCHIVE) as events,
            shared_work(pipelines, archive_of(context)) as work,
            opened(work) as stream,
        ):
            stream.start("line-1", "p", 0.1)
            outputs = stream.outputs()
            await through(stream, outputs, frame, timestamp_ms=5)
            event = await anext(aiter(events))
            assert event.key == "line-1"
            value: FrameArchived = event.value
            assert (value.pipeline_id, value.reason, value.frame, value.timestamp_ms) == ("p", "ng", 1, 5)
            assert value.sha256 == sha256_of(frame)
            assert context.objects.require_allowed(value.bucket, value.object_key) == value.sha256
            assert [found.class_name for found in value.detections] == ["grey-99"]

    run(scenario())


def test_a_frame_is_archived_when_the_client_asks_for_it(context: ServerContext) -> None:
    async def scenario() -> None:
        pipelines = HeldPipelines(p=HeldRunner(**GOOD))
        async with shared_work(pipelines, archive_of(context)) as work, opened(work) as stream:
            stream.start("line-1", "p", 0.1)
            outputs = stream.outputs()
            stream.archive_next()
            reasons = [(await through(stream, outputs, jpeg())).archived for _ in range(2)]
            assert reasons == ["requested", None]

    run(scenario())


def test_a_line_of_bad_parts_does_not_flood_the_archive(context: ServerContext) -> None:
    async def scenario() -> None:
        pipelines = HeldPipelines(p=HeldRunner(**NG))
        async with (
            shared_work(pipelines, archive_of(context), stream_archive_per_minute=0) as work,
            opened(work) as stream,
        ):
            stream.start("line-1", "p", 0.1)
            outputs = stream.outputs()
            archived = [(await through(stream, outputs, jpeg(number))).archived for number in range(1, 21)]
            assert [reason is not None for reason in archived] == [True] * 5 + [False] * 15
            stream.archive_next()
            stream.offer(jpeg())
            trouble = await following(outputs, StreamTrouble)
            assert isinstance(trouble.error, TooManyRequests)
            assert trouble.error.code == "stream-archive-limit"

    run(scenario())
    assert len(records(context)) == 5


def test_a_frame_under_way_gets_into_the_archive_of_a_stream_that_ends(context: ServerContext) -> None:
    async def scenario() -> None:
        pipelines = HeldPipelines(p=HeldRunner(**NG))
        async with shared_work(pipelines, archive_of(context)) as work, opened(work) as stream:
            stream.start("line-1", "p", 0.1)
            await through(stream, stream.outputs(), jpeg())

    run(scenario())
    assert len(records(context)) == 1


def test_a_service_without_a_database_says_that_it_archives_nothing() -> None:
    async def scenario() -> None:
        async with shared_work(HeldPipelines(p=HeldRunner(**NG))) as work, opened(work) as stream:
            stream.start("line-1", "p", 0.1)
            outputs = stream.outputs()
            assert (await through(stream, outputs, jpeg())).archived is None
            stream.archive_next()
            stream.offer(jpeg())
            trouble = await following(outputs, StreamTrouble)
            assert isinstance(trouble.error, InvalidInput)
            assert trouble.error.code == "stream-no-archive"

    run(scenario())


def test_frames_of_a_stream_that_fails_to_be_kept_are_told(context: ServerContext) -> None:
    async def scenario() -> None:
        pipelines = HeldPipelines(p=HeldRunner(**NG))
        async with shared_work(pipelines, archive_of(context)) as work, opened(work) as stream:
            await asyncio.to_thread(_break, context)
            stream.start("line-1", "p", 0.1)
            outputs = stream.outputs()
            await through(stream, outputs, jpeg())
            trouble = await following(outputs, StreamTrouble)
            assert trouble.error.code in {"objects-unreachable", "disk-full"}

    run(scenario())


def _break(context: ServerContext) -> None:
    """Put a file where the store wants a folder."""
    folder = Path(context.settings.data_dir) / "objects"
    digest = sha256_of(jpeg())
    folder.mkdir(exist_ok=True)
    (folder / digest[:2]).write_bytes(b"")
