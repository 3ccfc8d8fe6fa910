import contextlib
import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from inspection.imaging.files import encode_png
from inspection.imaging.frames import Frame
from inspection.imaging.opencv import cv2
from inspection.sources import (
    FolderSource,
    ImageSource,
    LiveSource,
    MissedFrames,
    SourceState,
    VideoSource,
    frames,
    is_stream,
    make_source,
    open_source,
)
from inspection.sources.base import SourceBase
from inspection.sources.triggers import TriggeredSource, TriggerMode
from models.errors import InvalidInput, NotFound, Unavailable, UnreadableImage


def test_a_folder_gives_every_image_once_with_its_label(parts: Path) -> None:
    with open_source(str(parts / "test")) as source:
        seen = list(frames(source))
        assert source.ended
        assert source.read() is None
    assert [frame.sequence for frame in seen] == list(range(len(seen)))
    assert {frame.label for frame in seen} == {"good", "scratch", "contamination", "deformation"}
    assert all(frame.path is not None and frame.path.parent.name == frame.label for frame in seen)
    assert all(first.monotonic <= second.monotonic for first, second in pairwise(seen))
    assert all(frame.captured_at.tzinfo is not None for frame in seen)


def test_a_bad_file_in_a_folder_does_not_stop_the_others(parts: Path, tmp_path: Path) -> None:
    good = next((parts / "good").iterdir()).read_bytes()
    for name, data in (("1.png", good), ("2.png", good[:500]), ("3.png", good), ("4.png", good)):
        (tmp_path / name).write_bytes(data)
    with FolderSource(tmp_path) as source:
        assert source.read() is not None
        with pytest.raises(UnreadableImage) as caught:
            source.read()
        assert caught.value.code == "image-truncated"
        (tmp_path / "3.png").unlink()
        with pytest.raises(UnreadableImage) as caught:
            source.read()
        assert caught.value.code == "image-missing"
        last = source.read()
        assert last is not None
        assert last.sequence == 3
        assert source.read() is None


def test_a_single_image_is_a_source(parts: Path) -> None:
    path = next((parts / "good").iterdir())
    with open_source(str(path)) as source:
        assert [frame.path for frame in frames(source)] == [path]


def test_a_video_file_gives_its_frames_red_first(tmp_path: Path) -> None:
    path = tmp_path / "red.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for _ in range(7):
        writer.write(np.full((48, 64, 3), (0, 0, 255), np.uint8))  # blue first, as OpenCV wants it
    writer.release()
    with open_source(str(path)) as source:
        seen = list(frames(source))
    assert len(seen) == 7
    assert np.abs(seen[3].pixels.reshape(-1, 3).mean(axis=0) - (255, 0, 0)).max() < 10


@pytest.mark.parametrize(
    ("name", "size", "count"),
    [("bolt-multi-size-detection.gif", (270, 480), 37), ("conveyor_boxes.mp4", (720, 720), 241)],
)
def test_real_videos_are_read_to_their_end(data: Path, name: str, size: tuple[int, int], count: int) -> None:
    with open_source(str(data / "video" / name)) as source:
        seen = 0
        for frame in frames(source):
            assert (frame.height, frame.width) == size
            seen += 1
        assert source.ended
    assert seen == count


def test_a_video_in_real_time_does_not_run_ahead(data: Path) -> None:
    with VideoSource(data / "video" / "conveyor_boxes.mp4", realtime=True) as source:
        opened = time.monotonic()
        for number in range(10):
            assert source.read() is not None
            assert time.monotonic() - opened >= (number - 0.1) / 24  # each is due so many periods after the first
        # On a busy machine the next one may be due already.
        assert source.read(timeout=0.0) is None or time.monotonic() - opened >= 9.9 / 24


def test_a_file_that_is_no_video_is_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"no video at all" * 100)
    with pytest.raises(InvalidInput) as caught:
        open_source(str(path))
    assert caught.value.code == "video-unreadable"


def test_a_video_of_too_many_pixels_is_refused_before_a_frame_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "huge.gif"
    # Some sixty bytes that unpack to 144 million pixels, over 400 MB as RGB.
    size = (12_000).to_bytes(2, "little") * 2
    head = b"GIF89a" + size + bytes.fromhex("800000000000ffffff")
    path.write_bytes(head + b"," + bytes(4) + size + bytes.fromhex("000202440100") + b";")
    with pytest.raises(UnreadableImage) as caught:
        open_source(str(path))
    assert caught.value.code == "image-too-many-pixels"
    assert {"name": "huge.gif", "width": 12000, "height": 12000}.items() <= caught.value.values.items()
    path.write_bytes(path.read_bytes().replace(size, (64).to_bytes(2, "little") * 2))
    with open_source(str(path)) as source:
        frame = source.read()
        assert frame is not None
        assert frame.pixels.shape == (64, 64, 3)


def test_a_missing_path_is_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_source(str(tmp_path / "none.mp4"))
    with pytest.raises(NotFound):
        open_source(str(tmp_path / "none"))


def test_a_name_the_system_refuses_is_reported_as_missing_not_as_a_fault_of_the_program(tmp_path: Path) -> None:
    name = tmp_path / ("x" * 300)
    for opening in (lambda: open_source(str(name)), lambda: FolderSource(name.with_suffix(".png")).open()):
        with pytest.raises(NotFound):
            opening()


@pytest.mark.parametrize("spec", ["http://anna:secret@camera/stream", "FTP://x", "webcam:0", "usbcam:0"])
def test_an_address_of_an_unknown_kind_is_refused_with_the_known_ones(spec: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_source(spec)
    assert caught.value.code == "source-scheme"
    assert is_stream(spec)
    for language in ("en", "ja"):
        reported = caught.value.text(language).detail
        assert f"{spec.partition(':')[0].lower()}:" in reported
        assert "secret" not in reported
        assert all(known in reported for known in ("usb:", "watch:", "rtsp://", "rtsps://", "genicam:", "gige:"))


def test_a_path_with_a_colon_is_a_path_where_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "lot:7").mkdir()
    with contextlib.chdir(tmp_path):
        assert not is_stream("lot:7")
        assert isinstance(make_source("lot:7"), FolderSource)
    assert not is_stream("C:\\parts")
    with pytest.raises(NotFound):
        make_source("C:\\parts")


@pytest.mark.parametrize("spec", ["", "usb:", "usb:-1", "usb:x", "watch:"])
def test_a_source_of_no_known_kind_is_refused(spec: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_source(spec)
    assert caught.value.code == "source-unknown"


def test_a_text_file_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InvalidInput):
        make_source(str(tmp_path / "notes.txt"))


def test_no_usb_camera_is_reported_at_once() -> None:
    with pytest.raises(Unavailable) as caught:
        open_source("usb:37")
    assert caught.value.code == "camera-not-reachable"
    assert caught.value.values["camera"] == "usb:37"


class Metronome(SourceBase):
    """A source whose frames come when the test says so."""

    def __init__(self) -> None:
        super().__init__("metronome")
        self.allowed = threading.Semaphore(0)
        self.given = 0
        self.last = 10**9
        self.closed = threading.Event()

    def describe(self) -> str:
        return "a metronome"

    def read(self, timeout: float | None = None) -> Frame | None:
        if self.given >= self.last:
            self._state = SourceState.ENDED
            return None
        if not self.allowed.acquire(timeout=timeout):
            return None
        self.given += 1
        return Frame(np.zeros((2, 2), np.uint8), self.source_id, self._next_sequence())

    def close(self) -> None:
        super().close()
        self.closed.set()


def give(source: Metronome, live: LiveSource, count: int) -> None:
    """Let ``count`` frames come and wait until the reader has taken them all."""
    wanted = source.given + count
    for _ in range(count):
        source.allowed.release()
    waiting = threading.Event()
    for _ in range(2000):
        if source.given >= wanted and live.dropped + len(live._queue) >= wanted:
            return
        waiting.wait(0.005)
    raise AssertionError("the reader did not take the frames in ten seconds")


def test_of_frames_nobody_took_in_time_the_newest_are_kept() -> None:
    source = Metronome()
    with LiveSource(source, capacity=2) as live:
        give(source, live, 10)
        assert live.dropped == 8
        kept = [live.read(1.0), live.read(1.0)]
        assert [frame.sequence for frame in kept if frame] == [8, 9]
        assert live.read(timeout=0.01) is None
    assert source.closed.is_set()
    assert live.state is SourceState.CLOSED


@pytest.mark.parametrize(("mode", "missed"), [(TriggerMode.FREE, 8), (TriggerMode.KEY, 0)])
def test_frames_that_nobody_asked_for_are_not_missed(mode: TriggerMode, missed: int) -> None:
    source = Metronome()
    live = LiveSource(source, capacity=2)
    with TriggeredSource(live, mode) as triggered:
        give(source, live, 10)
        assert triggered.missed == MissedFrames(dropped=missed)
    assert FolderSource(Path("parts")).missed is None


def test_a_live_source_ends_after_its_last_frame_was_taken() -> None:
    source = Metronome()
    source.last = 2
    with LiveSource(source, capacity=5) as live:
        give(source, live, 2)
        assert live.read(5.0) is not None
        assert not live.ended
        assert live.read(5.0) is not None
        assert live.read(5.0) is None
        assert live.ended


def test_closing_wakes_a_reader_that_waits() -> None:
    live = LiveSource(Metronome())
    live.open()
    result: list[Frame | None] = []
    reader = threading.Thread(target=lambda: result.append(live.read(None)))
    reader.start()
    live.close()
    reader.join(10)
    assert result == [None]


class Stuck(SourceBase):
    """A source whose read does not come back before the test lets it, as a driver's that hangs."""

    def __init__(self) -> None:
        super().__init__("stuck")
        self.reading = threading.Event()
        self.hanging = threading.Event()

    def describe(self) -> str:
        return "a camera that hangs"

    def read(self, timeout: float | None = None) -> Frame | None:
        self.reading.set()
        self.hanging.wait(30)
        return Frame(np.zeros((2, 2), np.uint8), self.source_id, self._next_sequence())


def test_a_source_that_hangs_when_it_is_closed_is_opened_again_only_once_it_has_let_go() -> None:
    source = Stuck()
    live = LiveSource(source, patience=0.05)
    live.open()
    assert source.reading.wait(10)
    live.close()
    assert live.read(0.1) is None
    with pytest.raises(Unavailable) as caught:
        live.open()
    assert caught.value.code == "source-still-closing"
    assert live.state is SourceState.CLOSED
    source.hanging.set()
    deadline = time.monotonic() + 10
    while live.state is SourceState.CLOSED:
        assert time.monotonic() < deadline
        with contextlib.suppress(Unavailable):
            live.open()
    for _ in range(3):
        assert live.read(5.0) is not None
        assert source.state is SourceState.OPEN
    live.close()
    assert source.state is SourceState.CLOSED


class Broken(SourceBase):
    def describe(self) -> str:
        return self.source_id

    def read(self, timeout: float | None = None) -> Frame | None:
        raise ZeroDivisionError("a bug")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_a_source_reaches_who_reads_instead_of_silence() -> None:
    with LiveSource(Broken("broken")) as live:
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                live.read(5)


def test_a_live_folder_continues_after_a_bad_file(parts: Path, tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"junk")
    (tmp_path / "2.png").write_bytes(encode_png(np.zeros((4, 4, 3), np.uint8)))
    with LiveSource(FolderSource(tmp_path), capacity=5) as live:
        with pytest.raises(UnreadableImage):
            live.read(5.0)
        assert live.read(5.0) is not None
        assert live.read(5.0) is None
        assert live.ended


def grey_video(path: Path, count: int) -> None:
    """A video in which every frame has its number as its brightness."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for number in range(count):
        writer.write(np.full((48, 64, 3), 10 * number, np.uint8))
    writer.release()


def numbers(source: ImageSource, count: int) -> list[int]:
    seen = [source.read(5.0) for _ in range(count)]
    return [round(float(frame.pixels.mean()) / 10) for frame in seen if frame is not None]


def await_loss(source: ImageSource) -> int:
    """Read until the source is lost; return how many frames came."""
    deadline, count = time.monotonic() + 10, 0
    while source.state is not SourceState.LOST:
        assert time.monotonic() < deadline, "the loss was not noticed"
        count += source.read(0.05) is not None
    return count


def test_a_video_file_that_returns_goes_on_where_it_was(tmp_path: Path) -> None:
    path, away = tmp_path / "a.avi", tmp_path / "away.avi"
    grey_video(path, 20)
    with VideoSource(path, realtime=True) as source:
        assert numbers(source, 3) == [0, 1, 2]
        path.rename(away)
        behind = 3 + await_loss(source)
        assert source.read(0.2) is None
        away.rename(path)
        assert numbers(source, 20 - behind) == list(range(behind, 20))
        assert source.read(1.0) is None
        assert source.ended


def test_another_video_in_the_place_of_the_one_that_vanished_begins_at_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    grey_video(path, 20)
    with VideoSource(path, realtime=True) as source:
        assert numbers(source, 2) == [0, 1]
        path.unlink()
        await_loss(source)
        grey_video(tmp_path / "b.avi", 5)
        (tmp_path / "b.avi").rename(path)
        assert numbers(source, 5) == [0, 1, 2, 3, 4]


def test_a_folder_that_returns_goes_on_where_it_was(tmp_path: Path) -> None:
    folder, away = tmp_path / "parts", tmp_path / "away"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.png").write_bytes(encode_png(np.full((4, 4, 3), 10 * number, np.uint8)))
    with FolderSource(folder) as source:
        assert numbers(source, 2) == [0, 1]
        folder.rename(away)
        assert source.read(0.1) is None
        assert source.state is SourceState.LOST
        away.rename(folder)
        assert numbers(source, 2) == [2, 3]
        assert source.read(0.1) is None
        assert source.ended
