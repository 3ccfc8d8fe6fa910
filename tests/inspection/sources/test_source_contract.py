"""What every source does, whatever it is: one suite, run on each kind with the real thing behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from app.benchmarks.sources.fake_genicam_camera import ADDRESS, FakeGenicamCamera
from app.benchmarks.sources.rtsp_server import RtspServer
from inspection.imaging.files import encode_png
from inspection.imaging.frames import Frame
from inspection.sources import ImageSource, LiveSource, SourceState, VideoSource, make_source
from models.clock import utc_now
from models.errors import UserFacingError
from models.storage import write_atomically

FRAMES = 4


@dataclass(frozen=True)
class Case:
    """A source to try.

    Attributes:
        make: returns it, not opened.
        shape: of its frames.
        wrong: name of a source of the kind that is not there.
        refusal: code of the error for it.
        feed: makes the next frame come, where none comes by itself.
    """

    make: Callable[[], ImageSource]
    shape: tuple[int, ...]
    wrong: str
    refusal: str
    feed: Callable[[ImageSource], object] = lambda _: None


Opener = Callable[[Path, Path], AbstractContextManager[Case]]


def _drawn(path: Path, number: int) -> None:
    write_atomically(path, encode_png(np.full((40, 60, 3), (250, 10 * number, 5), np.uint8)))


@contextmanager
def folder(tmp_path: Path, _data: Path) -> Iterator[Case]:
    for number in range(FRAMES):
        _drawn(tmp_path / f"{number}.png", number)
    yield Case(lambda: make_source(str(tmp_path)), (40, 60, 3), str(tmp_path / "none"), "folder-missing")


@contextmanager
def watched(tmp_path: Path, _data: Path) -> Iterator[Case]:
    numbers = iter(range(100))

    def feed(_: ImageSource) -> None:
        number = next(numbers)
        _drawn(tmp_path / f"{number:03}.png", number)

    yield Case(
        lambda: make_source(f"watch:{tmp_path}"), (40, 60, 3), f"watch:{tmp_path / 'none'}", "folder-missing", feed
    )


@contextmanager
def video(tmp_path: Path, data: Path) -> Iterator[Case]:
    path = data / "video" / "conveyor_boxes.mp4"
    yield Case(lambda: make_source(str(path)), (720, 720, 3), str(tmp_path / "none.mp4"), "file-missing")


@contextmanager
def video_in_real_time(tmp_path: Path, data: Path) -> Iterator[Case]:
    path = data / "video" / "bolt-multi-size-detection.gif"
    yield Case(
        lambda: LiveSource(VideoSource(path, realtime=True)), (270, 480, 3), str(tmp_path / "none.mp4"), "file-missing"
    )


@contextmanager
def rtsp(_tmp_path: Path, _data: Path) -> Iterator[Case]:
    server = RtspServer()
    server.start()
    try:
        yield Case(
            lambda: make_source(server.url), (96, 280, 3), server.url.replace("/live", "/none"), "camera-not-reachable"
        )
    finally:
        server.stop()


@contextmanager
def genicam(options: str, shape: tuple[int, ...]) -> Iterator[Case]:
    camera = FakeGenicamCamera()
    camera.start()
    try:
        yield Case(
            lambda: make_source(f"genicam:{ADDRESS}?{options}"),
            shape,
            "genicam:no-such-camera",
            "camera-not-reachable",
            lambda source: source.trigger() if source.takes_trigger else None,
        )
    finally:
        camera.stop()


KINDS: dict[str, Opener] = {
    "folder": folder,
    "watched folder": watched,
    "video": video,
    "video in real time": video_in_real_time,
    "rtsp": rtsp,
    "genicam grey": lambda _tmp_path, _data: genicam("format=Mono8", (512, 512)),
    "genicam colour": lambda _tmp_path, _data: genicam("format=BayerGR8", (512, 512, 3)),
    "genicam triggered": lambda _tmp_path, _data: genicam("format=RGB8&trigger=software", (512, 512, 3)),
}


@pytest.fixture(params=list(KINDS))
def case(request: pytest.FixtureRequest, tmp_path: Path, data: Path) -> Iterator[Case]:
    place = tmp_path / "source"
    place.mkdir()
    with KINDS[request.param](place, data) as given:
        yield given


def next_frame(source: ImageSource, case: Case) -> Frame:
    case.feed(source)
    frame = source.read(timeout=10.0)
    assert frame is not None
    return frame


def test_a_source_keeps_the_protocol(case: Case) -> None:
    threads = set(threading.enumerate())
    source = case.make()
    assert isinstance(source, ImageSource)
    assert source.state is SourceState.CLOSED
    assert source.source_id
    assert source.describe()
    wall, monotonic = utc_now(), time.monotonic()
    with source:
        assert source.state is SourceState.OPEN
        assert not source.ended
        seen = [next_frame(source, case) for _ in range(FRAMES)]
    for frame in seen:
        assert frame.pixels.dtype == np.uint8
        assert frame.pixels.shape == case.shape
        assert frame.source_id == source.source_id
        # The first packet of a frame may have been on its way when the clock was read.
        assert monotonic - 0.1 <= frame.monotonic <= time.monotonic()
        assert (frame.captured_at - wall).total_seconds() > -0.1
        assert frame.captured_at <= utc_now()
        assert frame.captured_at.utcoffset() is not None
    assert all(one.sequence < two.sequence for one, two in pairwise(seen))
    assert all(one.monotonic <= two.monotonic for one, two in pairwise(seen))
    assert all(not np.shares_memory(one.pixels, two.pixels) for one, two in pairwise(seen))
    assert source.state is SourceState.CLOSED
    assert source.read(timeout=0.1) is None
    source.close()
    assert set(threading.enumerate()) <= threads


def test_a_source_can_be_opened_again_after_it_was_closed(case: Case) -> None:
    source = case.make()
    for _ in range(2):
        with source:
            assert next_frame(source, case).pixels.shape == case.shape


def test_a_source_that_is_not_there_cannot_be_opened(case: Case) -> None:
    with pytest.raises(UserFacingError) as caught, make_source(case.wrong):
        pass
    assert caught.value.code == case.refusal
