"""What home reports of the sub-folders of a folder to train on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.station.workspace import Workspace
from app.window.home.presenter import HomePresenter
from app.window.presenting.context import StationContext
from inspection.imaging.files import encode_png
from tests.support.doors import InlineRunner
from tests.support.station import Station


@pytest.fixture
def home(workspace: Workspace, station: Station) -> HomePresenter:
    context = StationContext(workspace, InlineRunner())
    context.sign_in(station.engineer)
    presenter = HomePresenter(context)
    context.notices.show_for("home")
    presenter.refresh()
    return presenter


def notice(home: HomePresenter) -> tuple[str, dict[str, object]] | None:
    """The hint at home, below the trouble that so few images cannot be trained on."""
    home._context.notices.clear("training")
    shown = home._context.notices.shown
    return None if shown is None else (shown.error.code, dict(shown.error.values))


def folder_with(root: Path, *names: str) -> str:
    for name in names:
        (root / name).mkdir(parents=True)
        (root / name / "1.png").write_bytes(encode_png(np.zeros((32, 32, 3), np.uint8)))
    return str(root)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("good", "hole", "scratch"), ("window-training-left-out", {"names": "hole, scratch", "count": 2})),
        (("monday", "tuesday"), ("window-training-taken-whole", {"names": "monday, tuesday"})),
        (("good",), None),
    ],
)
def test_sub_folders_are_reported_by_how_they_are_used(
    home: HomePresenter, tmp_path: Path, names: tuple[str, ...], expected: object
) -> None:
    home.train_folder(folder_with(tmp_path / "images", *names))
    assert notice(home) == expected


def test_the_next_folder_removes_the_report_of_the_one_before(home: HomePresenter, tmp_path: Path) -> None:
    home.train_folder(folder_with(tmp_path / "a", "monday"))
    home.train_folder(folder_with(tmp_path / "b", "good"))
    assert notice(home) is None
