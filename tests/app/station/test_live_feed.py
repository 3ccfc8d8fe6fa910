"""What the window's feed does with a source that cannot be opened, and with one that stops."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.station import live_feed
from app.station.live_feed import LiveFeed
from inspection.imaging.files import encode_png
from inspection.imaging.frames import Frame
from inspection.sources import ImageSource, make_source
from inspection.sources.base import SourceBase
from models.errors import InvalidInput, UserFacingError
from models.storage import write_atomically
from tests.support.videos import COUNT, damage, video


class Watcher:
    """A feed, with what it reported."""

    def __init__(self, make: Callable[[], ImageSource]) -> None:
        self._make = make
        self._told = threading.Condition()
        self.made = 0
        self.troubles: list[str | None] = []
        self.frames = 0
        self.feed = LiveFeed(
            self._count,
            post=lambda callback: callback(),
            on_frame=self._frame,
            on_trouble=self._trouble,
            on_bad_image=self._trouble,
            on_end=lambda: None,
        )
        self.feed.start()

    def until(self, happened: Callable[[], bool], seconds: float = 20.0) -> None:
        with self._told:
            assert self._told.wait_for(happened, seconds)

    def close(self) -> None:
        self.feed.stop()
        assert self.feed.join(20)

    def _count(self) -> ImageSource:
        self.made += 1
        return self._make()

    def _frame(self, _: Frame) -> None:
        with self._told:
            self.frames += 1
            self._told.notify_all()

    def _trouble(self, error: UserFacingError | None) -> None:
        with self._told:
            self.troubles.append(None if error is None else error.code)
            self._told.notify_all()


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("rtsp://camera:notaport/live", "camera-address"),
        ("http://camera/live", "source-scheme"),
        ("genicam:camera?exposure=3", "genicam-option"),
        ("parts-that-are-not-there", "folder-missing"),
        ("watch:parts-that-are-not-there", "folder-missing"),
    ],
)
def test_a_wrong_address_or_setting_ends_the_feed_at_its_first_try(
    spec: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_feed, "RETRY_S", 3600.0)
    watcher = Watcher(lambda: make_source(spec))
    assert watcher.feed.join(60)
    assert (watcher.troubles, watcher.made) == ([code], 1)


def test_a_camera_that_does_not_answer_is_asked_again() -> None:
    watcher = Watcher(lambda: make_source("rtsp://127.0.0.1:9/live"))
    watcher.until(lambda: watcher.troubles == ["camera-not-reachable"] * 2)
    watcher.close()
    assert watcher.made == 2


class Failing(SourceBase):
    """A source that gives one frame and then refuses its settings, as a camera exchanged for another."""

    def describe(self) -> str:
        return self.source_id

    @property
    def live(self) -> bool:
        return True

    def read(self, timeout: float | None = None) -> Frame | None:
        del timeout
        if self._next_sequence() == 0:
            return Frame(np.zeros((2, 2), np.uint8), self.source_id, 0)
        raise InvalidInput("genicam-setting", camera="x", setting="gain", value=9, reason="0 … 1")


def test_a_source_that_gave_frames_is_sought_again_whatever_became_wrong_with_it(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a.png", encode_png(np.zeros((4, 4, 3), np.uint8)))
    sources = iter([Failing("failing"), make_source(str(tmp_path))])
    watcher = Watcher(lambda: next(sources))
    watcher.until(lambda: watcher.frames == 2)
    watcher.close()
    assert watcher.troubles == [None, "genicam-setting", None]


@pytest.mark.timeout(60)
def test_a_feed_stopped_while_it_waits_to_ask_again_waits_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_feed, "RETRY_S", 3600.0)
    watcher = Watcher(lambda: make_source("rtsp://127.0.0.1:9/live"))
    watcher.until(lambda: len(watcher.troubles) == 1)
    watcher.close()


def test_a_damaged_place_of_a_video_is_reported_with_its_count(tmp_path: Path) -> None:
    path = damage(video(tmp_path / "a.mp4", "mp4v"))
    watcher = Watcher(lambda: make_source(str(path)))
    for number in range(1, COUNT // 2):
        watcher.until(lambda number=number: watcher.frames >= number)  # type: ignore[misc]  # bound at once
        watcher.feed.advance()
        if "frames-undecoded" in watcher.troubles:
            break
    watcher.until(lambda: "frames-undecoded" in watcher.troubles)
    watcher.close()
