import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.benchmarks.sources.fake_genicam_camera import ADDRESS, FakeGenicamCamera
from inspection.imaging.files import encode_png
from inspection.imaging.frames import Frame
from inspection.sources import FolderSource, LiveSource, VideoSource, WatchedFolderSource, make_source
from inspection.sources.base import SourceBase
from inspection.sources.triggers import CapturedAfter, TriggeredSource, TriggerMode
from models.errors import InvalidInput, UnreadableImage
from models.storage import write_atomically


@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=30).map(sorted),
    st.floats(0, 10),
    st.floats(0, 2),
)
def test_the_frame_taken_is_the_second_to_arrive_after_the_moment(
    arrivals: list[float], moment: float, latency: float
) -> None:
    rule = CapturedAfter(moment, latency=latency)
    taken = next((index for index, arrived in enumerate(arrivals) if rule.accepts(arrived)), None)
    late = [index for index, arrived in enumerate(arrivals) if arrived >= moment + latency]
    assert taken == (late[1] if len(late) > 1 else None)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=30).map(sorted), st.floats(0, 10))
def test_of_a_camera_that_was_asked_the_first_frame_after_the_moment_is_taken(
    arrivals: list[float], moment: float
) -> None:
    rule = CapturedAfter(moment, on_request=True)
    taken = next((arrived for arrived in arrivals if rule.accepts(arrived)), None)
    assert taken == next((arrived for arrived in arrivals if arrived >= moment), None)


def drawn(folder: Path, count: int) -> Path:
    for number in range(count):
        write_atomically(folder / f"{number}.png", encode_png(np.full((4, 4, 3), number, np.uint8)))
    return folder


def test_free_run_takes_every_frame(tmp_path: Path) -> None:
    with TriggeredSource(FolderSource(drawn(tmp_path, 3)), TriggerMode.FREE) as source:
        assert [source.read(1.0) is not None for _ in range(4)] == [True, True, True, False]
        assert source.ended


def test_a_key_takes_one_image_of_a_folder_each_time(tmp_path: Path) -> None:
    with TriggeredSource(FolderSource(drawn(tmp_path, 3)), TriggerMode.KEY) as source:
        assert source.read(0.05) is None
        source.trigger()
        frame = source.read(1.0)
        assert frame is not None
        assert frame.sequence == 0
        assert source.read(0.05) is None
        source.trigger()
        source.trigger()
        assert [frame.sequence for frame in (source.read(1.0), source.read(1.0)) if frame] == [1, 2]
        assert source.read(0.05) is None


def test_a_bad_image_answers_its_key_too(tmp_path: Path) -> None:
    drawn(tmp_path, 2)
    (tmp_path / "0.png").write_bytes(b"junk")
    with TriggeredSource(FolderSource(tmp_path), TriggerMode.KEY) as source:
        source.trigger()
        with pytest.raises(UnreadableImage):
            source.read(1.0)
        assert source.read(0.05) is None


def test_a_key_never_gives_a_frame_of_a_camera_from_before_it_was_pressed(data: Path) -> None:
    clip = data / "video" / "bolt-multi-size-detection.gif"
    live = LiveSource(VideoSource(clip, realtime=True), capacity=4)
    with TriggeredSource(live, TriggerMode.KEY) as source:
        for _ in range(3):
            deadline = time.monotonic() + 10
            while len(live._queue) < 4:  # frames from before are waiting
                assert time.monotonic() < deadline
                assert source.read(0.02) is None
            newest_before = live._queue[-1]
            assert isinstance(newest_before, Frame)
            pressed = time.monotonic()
            source.trigger()
            frame = source.read(5.0)
            assert frame is not None
            assert frame.monotonic > pressed
            assert frame.sequence >= newest_before.sequence + 2  # the one in between may have begun before


def test_closing_wakes_who_waits_for_a_key(tmp_path: Path) -> None:
    source = TriggeredSource(FolderSource(drawn(tmp_path, 1)), TriggerMode.KEY)
    source.open()
    result: list[Frame | None] = []
    reader = threading.Thread(target=lambda: result.append(source.read(None)))
    reader.start()
    source.close()
    reader.join(10)
    assert result == [None]


def test_only_a_watched_folder_triggers_itself(tmp_path: Path) -> None:
    with TriggeredSource(WatchedFolderSource(tmp_path), TriggerMode.SOURCE) as source:
        drawn(tmp_path, 1)
        assert source.read(5.0) is not None
        assert source.read(0.3) is None
    with pytest.raises(InvalidInput) as caught:
        TriggeredSource(FolderSource(tmp_path), TriggerMode.SOURCE).open()
    assert caught.value.code == "trigger-needs-events"


@pytest.fixture(scope="module")
def camera() -> Iterator[FakeGenicamCamera]:
    running = FakeGenicamCamera()
    running.start()
    yield running
    running.stop()


def test_a_key_asks_a_camera_that_has_a_software_trigger(camera: FakeGenicamCamera) -> None:
    live = make_source(f"genicam:{ADDRESS}", triggered=True)
    with TriggeredSource(live, TriggerMode.KEY) as source:
        assert live.takes_trigger
        assert source.read(0.2) is None
        for _ in range(3):
            pressed = time.monotonic()
            source.trigger()
            frame = source.read(5.0)
            assert frame is not None
            assert frame.monotonic >= pressed
        assert source.read(0.2) is None


def test_a_key_on_a_camera_in_free_run_takes_a_frame_from_after_it(camera: FakeGenicamCamera) -> None:
    with TriggeredSource(make_source(f"genicam:{ADDRESS}"), TriggerMode.KEY) as source:
        for _ in range(3):
            pressed = time.monotonic()
            source.trigger()
            frame = source.read(5.0)
            assert frame is not None
            assert frame.monotonic > pressed


def test_in_free_run_a_camera_with_software_trigger_is_asked_for_each_frame(camera: FakeGenicamCamera) -> None:
    with TriggeredSource(make_source(f"genicam:{ADDRESS}?trigger=software"), TriggerMode.FREE) as source:
        assert all(source.read(5.0) is not None for _ in range(3))


class LosesTheFirst(SourceBase):
    """A camera that has to be asked, whose first frame is lost on the way."""

    def __init__(self) -> None:
        super().__init__("test")
        self.asked = 0

    takes_trigger = True
    live = True

    def describe(self) -> str:
        return "a camera"

    def trigger(self) -> None:
        self.asked += 1

    def read(self, timeout: float | None = None) -> Frame | None:
        return Frame(np.zeros((2, 2), np.uint8), "test", self.asked) if self.asked > 1 else None


def test_in_free_run_a_frame_that_was_lost_on_the_way_is_asked_for_again() -> None:
    with TriggeredSource(LosesTheFirst(), TriggerMode.FREE, patience=0.05) as source:
        deadline = time.monotonic() + 10
        frame = None
        while frame is None and time.monotonic() < deadline:
            frame = source.read(0.01)
        assert frame is not None
        assert frame.sequence == 2


def test_an_input_of_the_camera_is_a_trigger_of_the_source(camera: FakeGenicamCamera) -> None:
    with TriggeredSource(make_source(f"genicam:{ADDRESS}?trigger=Line0"), TriggerMode.SOURCE) as source:
        assert source.read(0.3) is None
    with pytest.raises(InvalidInput):
        TriggeredSource(make_source(f"genicam:{ADDRESS}"), TriggerMode.SOURCE).open()


def test_a_camera_asked_for_each_frame_goes_on_after_it_was_lost(camera: FakeGenicamCamera) -> None:
    with TriggeredSource(make_source(f"genicam:{ADDRESS}?trigger=software"), TriggerMode.FREE) as source:
        assert source.read(5.0) is not None
        camera.kill()
        assert source.read(0.5) is None
        returned = camera.start()
        deadline, after = time.monotonic() + 20, None
        while after is None or after.monotonic < returned:
            assert time.monotonic() < deadline
            after = source.read(0.5)
