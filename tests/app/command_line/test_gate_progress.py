"""How far `imageflow gate learn` is, where that is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from app.command_line import gate
from app.command_line.options import Advance
from inspection.imaging.files import encode_png
from tests.support.command import run
from tests.support.videos import video


@pytest.fixture
def fractions(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """The fractions that the progress bar is given."""
    given: list[float | None] = []

    @contextmanager
    def recorded(_: str) -> Iterator[Advance]:
        yield lambda _, fraction: given.append(fraction)

    monkeypatch.setattr(gate, "progress_bar", recorded)
    return given


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders of three images."""
    made = tmp_path / "a", tmp_path / "b"
    noise = np.random.default_rng(0)
    for folder in made:
        folder.mkdir()
        for number in range(3):
            pixels = noise.integers(0, 255, (64, 64), np.uint8)
            (folder / f"{number}.png").write_bytes(encode_png(pixels))
    return made


@pytest.mark.parametrize(
    ("more", "expected"),
    [((), [number / 6 for number in range(1, 7)]), (("--frames", 2), [number / 4 for number in range(1, 5)])],
)
def test_the_bar_goes_on_over_all_folders_to_its_end(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    folders: tuple[Path, Path],
    fractions: list[float | None],
    more: tuple[object, ...],
    expected: list[float],
) -> None:
    run(capsys, "gate", "learn", *folders, "--out", tmp_path / "gate.json", *more)
    assert fractions == expected


def test_an_image_that_cannot_be_read_moves_the_bar_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, folders: tuple[Path, Path], fractions: list[float | None]
) -> None:
    (folders[0] / "damaged.png").write_bytes(b"")
    code, _, _ = run(capsys, "gate", "learn", folders[0], "--out", tmp_path / "gate.json")
    assert (code, fractions[-1]) == (1, 1.0)


def test_a_video_has_no_fraction_unless_its_frames_are_limited(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, fractions: list[float | None]
) -> None:
    path = video(tmp_path / "a.avi", "MJPG")
    run(capsys, "gate", "learn", path, "--out", tmp_path / "gate.json")
    assert set(fractions) == {None}
    fractions.clear()
    run(capsys, "gate", "learn", path, "--out", tmp_path / "gate.json", "--frames", 4)
    assert fractions == [0.25, 0.5, 0.75, 1.0]
