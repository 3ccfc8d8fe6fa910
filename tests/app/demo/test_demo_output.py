from __future__ import annotations

from pathlib import Path

import pytest

from app.demo.outcome import PartOutcome
from app.demo.output import begin_output, overlay_name
from models.errors import Unavailable
from models.states import HumanVerdict, Verdict

MADE = (
    "report.json",
    "overlays/001_good_OK.png",
    "overlays/1000_two_words_NG.png",
    "overlays/002_unlabelled_NG.png",
    "overlays/.003_good_OK.png.0123456789ab.part",
    "screenshots/home.png",
    "screenshots/offline-work.png",
    "screenshots/work-ng.png",
    ".report.json.0123456789ab.part",
)
NOT_MADE = (
    "notes.txt",
    "home.png",
    "001_good_OK.png",
    "overlays/my_NG.png",
    "overlays/001_good_OK.jpg",
    "overlays/001_good.png",
    "screenshots/report.json",
    "screenshots/my-home.png",
    "overlays/deeper/001_good_OK.png",
)


def test_a_new_run_removes_only_what_an_earlier_one_made(tmp_path: Path) -> None:
    for name in (*MADE, *NOT_MADE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    begin_output(tmp_path)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(NOT_MADE)


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("label", [None, "good", "crack 2_b", "傷" * 85])
def test_every_overlay_of_a_run_is_known_to_the_next(tmp_path: Path, label: str | None, verdict: Verdict) -> None:
    made = PartOutcome(7, "7", "7.png", label, None, verdict, HumanVerdict.OK, 1.0, 1.0, 1.0, True)
    begin_output(tmp_path)
    (tmp_path / "overlays" / overlay_name(made)).write_bytes(b"x")
    begin_output(tmp_path)
    assert list((tmp_path / "overlays").iterdir()) == []


@pytest.mark.parametrize("name", ["", "overlays", "screenshots"])
def test_an_output_folder_that_cannot_be_made_is_reported_before_the_work(tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    blocked = out / name
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.write_text("in the way", encoding="utf-8")
    with pytest.raises(Unavailable) as reported:
        begin_output(out)
    assert reported.value.code == "file-not-written"
