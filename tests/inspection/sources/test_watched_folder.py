import contextlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection.imaging.files import encode_png
from inspection.imaging.frames import Frame
from inspection.sources import SourceState, WatchedFolderSource, make_source, open_source
from inspection.sources.arrivals import Arrivals, FileState
from models.errors import InvalidInput, NotFound, UnreadableImage
from models.storage import write_atomically


def picture(grey: int) -> bytes:
    return encode_png(np.full((32, 48, 3), grey, np.uint8))


def next_frame(source: WatchedFolderSource, seconds: float = 10.0) -> Frame:
    frame = source.read(timeout=seconds)
    assert frame is not None, f"no image within {seconds} s"
    return frame


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "arriving"
    place.mkdir()
    return place


def test_only_new_images_come_in_the_order_they_arrived(folder: Path) -> None:
    write_atomically(folder / "old.png", picture(1))
    with WatchedFolderSource(folder) as source:
        assert source.read(timeout=0.4) is None
        seen = []
        for number, name in enumerate(("c.png", "a.png", "b.png")):
            write_atomically(folder / name, picture(100 + number))
            seen.append(next_frame(source))
        assert source.read(timeout=0.5) is None
    assert [frame.path.name for frame in seen if frame.path] == ["c.png", "a.png", "b.png"]
    assert [frame.sequence for frame in seen] == [0, 1, 2]
    assert [int(frame.pixels[0, 0, 0]) for frame in seen] == [100, 101, 102]


def test_images_already_there_come_when_asked_for(folder: Path) -> None:
    write_atomically(folder / "old.png", picture(1))
    with WatchedFolderSource(folder, include_existing=True) as source:
        assert next_frame(source).path == folder / "old.png"
        assert source.read(timeout=0.4) is None


def test_images_written_while_nobody_reads_wait_in_their_order(folder: Path) -> None:
    with WatchedFolderSource(folder) as source:
        for number in range(5):
            path = folder / f"{9 - number}.png"
            write_atomically(path, picture(number))
            os.utime(path, ns=(10**18 + number, 10**18 + number))
        assert [int(next_frame(source).pixels[0, 0, 0]) for _ in range(5)] == [0, 1, 2, 3, 4]


def test_an_image_written_slowly_does_not_hold_up_the_others(folder: Path) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    data = encode_png(noise)
    with WatchedFolderSource(folder, settle=0.1) as source:
        with (folder / "slow.png").open("wb") as file:
            file.write(data[: len(data) // 2])
            file.flush()
            assert source.read(timeout=0.6) is None  # six times as long as files need to settle
            write_atomically(folder / "quick.png", picture(7))
            assert next_frame(source).path == folder / "quick.png"
            file.write(data[len(data) // 2 :])
        frame = next_frame(source)
    assert frame.path == folder / "slow.png"
    assert np.array_equal(frame.pixels, noise)


def test_the_next_image_comes_after_a_file_that_never_becomes_one(folder: Path) -> None:
    with WatchedFolderSource(folder, settle=0.05, patience=0.3) as source:
        (folder / "a.png").write_bytes(picture(5)[:60])
        with pytest.raises(UnreadableImage) as caught:
            source.read(timeout=10)
        assert caught.value.code == "image-truncated"
        write_atomically(folder / "b.png", picture(5))
        frame = next_frame(source)
        assert frame.sequence == 1
        assert source.read(timeout=0.5) is None


def test_a_file_that_vanishes_before_it_is_taken_is_no_trouble(folder: Path) -> None:
    with WatchedFolderSource(folder, settle=0.3) as source:
        (folder / "a.png").write_bytes(picture(5))
        assert source.read(timeout=0.05) is None
        (folder / "a.png").unlink()
        assert source.read(timeout=0.6) is None
        assert source.state is SourceState.OPEN


def test_a_file_written_over_comes_again_unlike_a_renamed_one(folder: Path) -> None:
    with WatchedFolderSource(folder) as source:
        write_atomically(folder / "latest.png", picture(1))
        assert next_frame(source).pixels[0, 0, 0] == 1
        write_atomically(folder / "latest.png", picture(200))
        assert next_frame(source).pixels[0, 0, 0] == 200
        (folder / "latest.png").rename(folder / "done.png")
        assert source.read(timeout=0.6) is None


def test_a_folder_that_vanishes_goes_on_once_it_returns(folder: Path, tmp_path: Path) -> None:
    with WatchedFolderSource(folder) as source:
        write_atomically(folder / "a.png", picture(1))
        before = next_frame(source)
        away = tmp_path / "away"
        folder.rename(away)
        deadline = time.monotonic() + 10
        while source.state is not SourceState.LOST:
            assert time.monotonic() < deadline
            assert source.read(timeout=0.1) is None
        write_atomically(away / "b.png", picture(2))
        away.rename(folder)
        after = next_frame(source)
        assert source.state is SourceState.OPEN
        assert (after.path, after.sequence) == (folder / "b.png", before.sequence + 1)
        shutil.rmtree(folder)
        folder.mkdir()
        write_atomically(folder / "c.png", picture(3))
        assert next_frame(source).path == folder / "c.png"


def test_sub_folders_give_labels_but_hidden_files_give_nothing(folder: Path) -> None:
    with WatchedFolderSource(folder) as source:
        (folder / "scratch").mkdir()
        (folder / ".hidden.png").write_bytes(picture(1))
        (folder / "notes.txt").write_bytes(picture(1))
        (folder / "c.png.part").write_bytes(picture(1))
        (folder / "scratch" / "a.png").write_bytes(picture(1))
        frame = next_frame(source)
        assert (frame.label, frame.path) == ("scratch", folder / "scratch" / "a.png")
        assert source.read(timeout=0.5) is None


@contextmanager
def refused(place: Path, mode: int) -> Iterator[None]:
    """Be somebody whom the system refuses what ``mode`` says and no more, with the test's folder as the current one."""
    user = os.geteuid()
    test = Path(*place.parts[: place.parts.index("arriving")])
    # Whatever the umask of whoever runs the tests has taken away.
    for made in (test, *test.rglob("*")):
        made.chmod(0o755 if made.is_dir() else 0o644)
    before = place.stat().st_mode
    place.chmod(mode)
    with contextlib.chdir(test):
        if user == 0:
            os.seteuid(65534)  # the system refuses root nothing
        try:
            yield
        finally:
            os.seteuid(user)
            place.chmod(before)


@pytest.mark.parametrize("mode", [0o000, 0o444], ids=["not listed", "listed and not entered"])
def test_a_sub_folder_that_may_not_be_read_holds_up_no_other(folder: Path, mode: int) -> None:
    (folder / "shut").mkdir()
    for name in ("shut/inside.png", "outside.png"):
        write_atomically(folder / name, picture(2))
    with refused(folder / "shut", mode), WatchedFolderSource(Path("arriving"), include_existing=True) as source:
        with pytest.raises(UnreadableImage) as caught:
            source.read(timeout=5)
        assert caught.value.code == "folder-not-readable"
        assert caught.value.values == {"folder": str(Path("arriving/shut")), "reason": "Permission denied"}
        assert next_frame(source).path == Path("arriving/outside.png")
        assert source.read(timeout=0.4) is None
        assert source.state is SourceState.OPEN


@pytest.mark.parametrize("mode", [0o000, 0o444], ids=["not listed", "listed and not entered"])
def test_a_folder_that_may_not_be_read_is_no_missing_one(folder: Path, mode: int) -> None:
    write_atomically(folder / "a.png", picture(1))
    with refused(folder, mode), pytest.raises(InvalidInput) as caught:
        open_source("watch:arriving")
    assert caught.value.code == "folder-not-readable"
    assert caught.value.values == {"folder": "arriving", "reason": "Permission denied"}


def test_a_link_that_leads_in_a_circle_holds_up_no_image(folder: Path) -> None:
    (folder / "x.png").symlink_to(folder / "x.png")
    (folder / "nowhere.png").symlink_to(folder / "none.png")
    (folder / "lost+found").mkdir()
    write_atomically(folder / "lost+found" / "old.png", picture(1))
    with WatchedFolderSource(folder) as source:
        with pytest.raises(UnreadableImage) as caught:
            source.read(timeout=5)
        assert (caught.value.code, caught.value.values["name"]) == ("image-not-readable", "x.png")
        write_atomically(folder / "a.png", picture(2))
        assert next_frame(source).path == folder / "a.png"
        (folder / "lost+found" / "new.png").write_bytes(picture(3))
        assert source.read(timeout=0.5) is None
        (folder / "x.png").unlink()
        assert source.read(timeout=0.3) is None
        (folder / "x.png").symlink_to(folder / "x.png")
        with pytest.raises(UnreadableImage):
            source.read(timeout=5)


def test_closing_wakes_a_reader_that_waits(folder: Path) -> None:
    source = WatchedFolderSource(folder)
    source.open()
    result: list[Frame | None] = []
    reader = threading.Thread(target=lambda: result.append(source.read(None)))
    reader.start()
    source.close()
    reader.join(10)
    assert result == [None]


def test_the_name_of_the_source_says_what_is_watched(folder: Path, tmp_path: Path) -> None:
    source = make_source(f"watch:{folder}")
    assert isinstance(source, WatchedFolderSource)
    assert source.folder == folder
    assert source.answers_events
    with pytest.raises(NotFound) as caught:
        open_source(f"watch:{tmp_path / 'none'}")
    assert caught.value.code == "folder-missing"
    with pytest.raises(InvalidInput):
        make_source("watch:")


NAMES = st.sampled_from(["a", "b", "c", "d"])
FILES = st.dictionaries(NAMES, st.builds(FileState, st.integers(0, 3), st.integers(0, 3)))


@given(st.lists(st.tuples(FILES, st.floats(0, 1)), max_size=20))
def test_a_file_is_ready_once_for_each_settled_state_whatever_the_listings(
    listings: list[tuple[dict[str, FileState], float]],
) -> None:
    arrivals, now = Arrivals(0.5), 0.0
    taken: dict[str, FileState] = {}
    history: list[tuple[float, dict[str, FileState]]] = []
    for listing, pause in listings:
        now += pause
        history.append((now, listing))
        for name in arrivals.ready(listing, now):
            assert listing[name].size > 0
            assert taken.get(name) != listing[name]
            settled = [files.get(name) for moment, files in history if moment >= now - 0.5 + 1e-9]
            assert set(settled) == {listing[name]}
            arrivals.take(name)
            taken[name] = listing[name]


def test_files_whose_names_move_on_by_one_are_known_by_what_they_are() -> None:
    arrivals = Arrivals(0.0)
    states = [FileState(5, number, (1, number)) for number in range(6)]
    for number in range(6):
        listing = {f"{age}.png": states[number - age] for age in range(min(number + 1, 4))}
        assert arrivals.ready(listing, float(number)) == ["0.png"]
        arrivals.take("0.png")


def test_a_file_replaced_ten_thousand_times_is_forgotten_too() -> None:
    arrivals = Arrivals(0.0)
    for number in range(12_000):
        for found in arrivals.ready({"latest.png": FileState(1, number, (1, number))}, float(number)):
            arrivals.take(found)
    assert len(arrivals._identities) <= 10_002


def test_what_vanished_long_ago_is_forgotten() -> None:
    arrivals = Arrivals(0.0)
    for number in range(12_000):
        name = f"{number}.png"
        for found in arrivals.ready({name: FileState(1, number, (1, number))}, float(number)):
            arrivals.take(found)
    assert len(arrivals._taken) <= 10_001
    assert len(arrivals._identities) <= 10_001
