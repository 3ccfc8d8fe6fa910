"""A damaged place does not end a video; what could not be decoded is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from inspection.sources import LiveSource, VideoSource, frames
from models.errors import InvalidInput
from tests.support.command import run
from tests.support.videos import COUNT, cluster, damage, pause, video, without_pictures

FORMS = pytest.mark.parametrize(("suffix", "code"), [(".mp4", "mp4v"), (".avi", "MJPG"), (".mkv", "XVID")])


@FORMS
def test_an_intact_video_misses_nothing(tmp_path: Path, suffix: str, code: str) -> None:
    with VideoSource(video(tmp_path / f"a{suffix}", code)) as source:
        assert len(list(frames(source))) == COUNT
        assert source.missed.undecoded == 0


@FORMS
def test_reading_goes_on_behind_a_damaged_place(tmp_path: Path, suffix: str, code: str) -> None:
    with VideoSource(damage(video(tmp_path / f"a{suffix}", code))) as source:
        read = list(frames(source))
        missed = source.missed.undecoded
    assert COUNT // 2 < len(read) < COUNT
    assert abs(len(read) + missed - COUNT) <= 1
    # The last frames of the video were reached.
    assert read[-1].pixels[:, COUNT - 1 : COUNT + 6].mean() > 200


def test_the_numbers_of_the_frames_show_where_some_are_missing(tmp_path: Path) -> None:
    with VideoSource(damage(video(tmp_path / "a.mp4", "mp4v"))) as source:
        numbers = [frame.sequence for frame in frames(source)]
    assert numbers[-1] == COUNT - 1
    assert numbers != list(range(len(numbers)))


@pytest.mark.parametrize(
    ("suffix", "code"), [(".mp4", "mp4v"), (".avi", "MJPG"), (".mkv", "MJPG"), (".mkv", "XVID"), (".webm", "VP80")]
)
def test_the_last_frame_keeps_its_number_behind_a_damaged_place(tmp_path: Path, suffix: str, code: str) -> None:
    with VideoSource(damage(video(tmp_path / f"a{suffix}", code))) as source:
        numbers = [frame.sequence for frame in frames(source)]
        assert numbers[-1] == COUNT - 1
        assert source.missed.undecoded == COUNT - len(numbers) > 0


def test_one_frame_that_is_lost_is_counted(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mkv", "MJPG")
    data = bytearray(path.read_bytes())
    begin = cluster(data, 42)
    data[begin : begin + 2600] = bytes(2600)
    path.write_bytes(data)
    with VideoSource(path) as source:
        assert [frame.sequence for frame in frames(source)] == [number for number in range(COUNT) if number != 42]
        assert source.missed.undecoded == 1


def test_frames_lost_at_the_beginning_keep_their_numbers(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mkv", "MJPG")
    data = bytearray(path.read_bytes())
    begin, end = cluster(data, 0), cluster(data, 3) - 10
    data[begin:end] = bytes(end - begin)
    path.write_bytes(data)
    with VideoSource(path) as source:
        assert [frame.sequence for frame in frames(source)] == list(range(3, COUNT))
        assert source.missed.undecoded == 3


def test_a_last_frame_that_was_cut_off_is_counted(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mkv", "MJPG")
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"\xff\xd8\xff") - 4])
    with VideoSource(path) as source:
        assert len(list(frames(source))) == COUNT - 1
        assert source.missed.undecoded == 1


def test_a_jump_of_the_time_in_an_intact_file_is_no_loss(tmp_path: Path) -> None:
    with VideoSource(pause(video(tmp_path / "a.mkv", "MJPG"), after=30, milliseconds=400)) as source:
        assert [frame.sequence for frame in frames(source)] == list(range(COUNT))
        assert source.missed.undecoded == 0


def test_frames_that_a_recorder_left_empty_are_no_loss(tmp_path: Path) -> None:
    with VideoSource(without_pictures(video(tmp_path / "a.avi", "MJPG"), {10, 11, 30})) as source:
        assert len(list(frames(source))) == COUNT - 3
        assert source.missed.undecoded == 0


def test_an_end_that_a_transport_stream_lost_is_not_taken_for_its_end(tmp_path: Path) -> None:
    path = video(tmp_path / "a.ts", "mp4v")
    with VideoSource(path) as source:
        assert len(list(frames(source))) == COUNT
        assert source.missed.undecoded == 0
    with VideoSource(damage(path, where=0.7, length=path.stat().st_size)) as source:
        assert 0 < len(list(frames(source))) < COUNT
        assert source.missed.undecoded > 0


@pytest.mark.parametrize("kept", [0.4, 0.9])
def test_what_a_recording_that_was_cut_off_lacks_is_counted_at_its_end(tmp_path: Path, kept: float) -> None:
    path = video(tmp_path / "a.avi", "MJPG")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with VideoSource(path) as source:
        read = len(list(frames(source)))
        assert 0 < read < COUNT
        assert source.missed.undecoded == COUNT - read


def test_a_source_read_in_the_background_reports_them_too(tmp_path: Path) -> None:
    with LiveSource(VideoSource(damage(video(tmp_path / "a.mp4", "mp4v"))), capacity=COUNT) as source:
        for _ in frames(source, timeout=5):
            pass
        assert source.missed.undecoded > 0


def test_a_video_without_a_frame_that_can_be_decoded_is_refused(tmp_path: Path) -> None:
    path = video(tmp_path / "a.avi", "MJPG")
    data = bytearray(path.read_bytes())
    begin = data.index(b"movi")
    data[begin + 12 : -2000] = bytes(len(data) - 2000 - begin - 12)
    path.write_bytes(data)
    with pytest.raises(InvalidInput) as caught, VideoSource(path) as source:
        list(frames(source))
    assert caught.value.code == "video-unreadable"


def test_inspect_names_the_video_with_the_count_of_its_damaged_frames(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = damage(video(tmp_path / "a.mp4", "mp4v"))
    code, out, err = run(capsys, "inspect", "--pipeline", "codes", path)
    assert code == 1
    missing = COUNT - len(out.splitlines())
    assert missing > 0
    assert str(missing) in err
    assert str(path) in err


@pytest.mark.parametrize("name", ["conveyor_boxes.mp4", "conveyor_checkweigher.mp4", "bottle-detection.mp4"])
def test_videos_of_real_cameras_miss_nothing(data: Path, name: str) -> None:
    with VideoSource(data / "video" / name) as source:
        for _ in frames(source):
            pass
        assert source.missed.undecoded == 0
