from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.command_line.demo import report_sub_folders
from app.demo.operator import decide
from app.demo.outcome import PartOutcome, figures
from app.demo.parts import DemoPart, DemoParts, drawn_parts, given_parts
from app.demo.practice_store import PracticeStore
from app.demo.scenario import Scenario
from inspection.imaging.files import encode_png
from inspection.imaging.opencv import cv2
from inspection.imaging.value_range import ValueRange
from models.errors import Conflict, InvalidInput, Unavailable
from models.states import HumanVerdict, Verdict
from tests.support.full_disk import largest_file
from tests.support.messages import says

PNG = encode_png(np.zeros((8, 8, 3), np.uint8))


def outcome(number: int, good: bool | None, ai: Verdict, effective: HumanVerdict, score: float) -> PartOutcome:
    label = None if good is None else "good" if good else "scratch"
    return PartOutcome(
        number, str(number), f"{number}.png", label, good, ai, effective, score, 1.0, 10.0 * number, True
    )


def part(label: str | None) -> DemoPart:
    return DemoPart(Path("a.png"), label, "L", "1")


def test_the_scripted_operator_agrees_except_on_every_tenth_part() -> None:
    missed = part("scratch")
    assert decide(9, missed, Verdict.OK).verdict is HumanVerdict.OK
    tenth = decide(10, missed, Verdict.OK)
    assert (tenth.verdict, tenth.defect_class) == (HumanVerdict.NG, "scratch")
    assert decide(20, part("ok_front"), Verdict.NG).verdict is HumanVerdict.OK
    assert decide(20, part(None), Verdict.NG).verdict is HumanVerdict.NG


def test_a_good_part_rejected_by_mistake_gets_no_defect_class() -> None:
    assert decide(1, part("good"), Verdict.NG).defect_class is None


def test_both_views_count_their_own_escapes() -> None:
    outcomes = [
        outcome(1, True, Verdict.OK, HumanVerdict.OK, 0.1),
        outcome(2, True, Verdict.NG, HumanVerdict.NG, 1.2),
        outcome(3, False, Verdict.OK, HumanVerdict.NG, 0.9),
        outcome(4, False, Verdict.NG, HumanVerdict.HOLD, 2.0),
        outcome(5, None, Verdict.NG, HumanVerdict.NG, 3.0),
    ]
    stated = figures(outcomes)
    assert stated["ai"]["escapes"] == {"count": 1, "total": 2, "rate": 0.5}
    assert stated["effective"]["escapes"] == {"count": 0, "total": 2, "rate": 0.0}
    assert stated["ai"]["overkill"] == stated["effective"]["overkill"] == {"count": 1, "total": 2, "rate": 0.5}
    assert stated["effective"]["hold"] == 1
    assert stated["auroc"] == 0.75
    assert stated["parts"]["overruled"] == 2
    assert stated["latency_ms"] == {"p50": 30.0, "p95": 48.0}


def test_there_is_no_auroc_without_both_kinds() -> None:
    assert figures([outcome(1, True, Verdict.OK, HumanVerdict.OK, 0.1)])["auroc"] is None


def test_labels_come_from_the_sub_folders_in_a_fixed_mixed_order(tmp_path: Path) -> None:
    for folder in ("train/good", "train/broken", "test/ok_a", "test/cut"):
        for number in range(8):
            path = tmp_path / folder / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(PNG)
    parts = given_parts(tmp_path / "train", tmp_path / "test", limit=None)
    assert len(parts.train_good) == 8
    assert [one.path for one in parts.test] != sorted(one.path for one in parts.test)
    assert parts == given_parts(tmp_path / "train", tmp_path / "test", limit=None)
    assert {one.good for one in parts.test} == {True, False}
    assert parts.defect_classes == (("cut", "cut", "cut"),)
    few = given_parts(tmp_path / "train", tmp_path / "test", limit=4)
    assert sorted(one.label or "" for one in few.test) == ["cut", "cut", "ok_a", "ok_a"]


def test_sub_folders_of_the_good_images_that_no_name_labels_are_named(tmp_path: Path) -> None:
    for folder in ("days/monday", "days/tuesday", "mixed/good", "mixed/broken", "test"):
        (tmp_path / folder).mkdir(parents=True)
        for number in range(5):
            (tmp_path / folder / f"{number}.png").write_bytes(PNG)
    whole = given_parts(tmp_path / "days", tmp_path / "test", limit=None)
    assert (len(whole.train_good), whole.left_out, whole.taken_whole) == (10, {}, ("monday", "tuesday"))
    labelled = given_parts(tmp_path / "mixed", tmp_path / "test", limit=None)
    assert (len(labelled.train_good), labelled.left_out, labelled.taken_whole) == (5, {"broken": 5}, ())


def test_the_parts_are_read_with_the_range_that_the_good_images_use(tmp_path: Path) -> None:
    for folder, count in (("good", 5), ("test", 1)):
        (tmp_path / folder).mkdir()
        for number in range(count):
            values = np.full((8, 8), 900 - number, np.uint16)
            (tmp_path / folder / f"{number}.png").write_bytes(cv2.imencode(".png", values)[1].tobytes())
    parts = given_parts(tmp_path / "good", tmp_path / "test", limit=None)
    with parts.source() as source:
        frame = source.read()
    assert frame is not None
    assert (frame.values, int(frame.pixels[0, 0, 0])) == (ValueRange.of_bits(10), 900 >> 2)


def test_the_demo_reports_those_sub_folders_before_it_begins(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    parts = DemoParts("x", (), tmp_path, (), (), left_out={"broken": 5}, taken_whole=("monday", "tuesday"))
    report_sub_folders(parts, tmp_path)
    err = capsys.readouterr().err
    assert says(err, "folder-left-out", folder=tmp_path / "broken", count=5)
    assert says(err, "folders-taken-whole", names="monday, tuesday")


def test_too_few_good_images_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(InvalidInput) as refused:
        given_parts(tmp_path, tmp_path, limit=None)
    assert refused.value.code == "demo-too-few-good"


def fill(folder: Path, *, readable: int, damaged: int) -> Path:
    folder.mkdir()
    for number in range(damaged):
        (folder / f"a{number}.png").write_bytes(PNG[:-20])
    for number in range(readable):
        (folder / f"b{number}.png").write_bytes(PNG)
    return folder


def test_good_images_of_which_too_few_can_be_read_are_refused(tmp_path: Path) -> None:
    test = fill(tmp_path / "test", readable=1, damaged=0)
    good = fill(tmp_path / "good", readable=4, damaged=3)
    with pytest.raises(InvalidInput) as refused:
        given_parts(good, test, limit=None)
    assert refused.value.code == "demo-images-unreadable"
    assert (refused.value.values["found"], refused.value.values["readable"]) == (7, 4)
    assert refused.value.values["file"] == "a0.png"


def test_a_damaged_image_among_enough_good_ones_stops_nobody(tmp_path: Path) -> None:
    good, test = (fill(tmp_path / name, readable=5, damaged=3) for name in ("good", "test"))
    parts = given_parts(good, test, limit=None)
    assert len(parts.train_good) == len(parts.test) == 8


def test_a_folder_to_inspect_of_which_nothing_can_be_read_is_refused(tmp_path: Path) -> None:
    good = fill(tmp_path / "good", readable=5, damaged=0)
    test = fill(tmp_path / "test", readable=0, damaged=3)
    with pytest.raises(InvalidInput) as refused:
        given_parts(good, test, limit=None)
    assert refused.value.code == "demo-images-unreadable"
    assert refused.value.values["folder"] == str(test)


def test_a_practice_store_in_use_admits_no_second_demo(tmp_path: Path) -> None:
    first = PracticeStore(tmp_path)
    first.open()
    code = (
        "import sys, pathlib; from app.demo.practice_store import PracticeStore; from models.errors import Conflict\n"
        "try:\n PracticeStore(pathlib.Path(sys.argv[1])).open()\nexcept Conflict as error: sys.exit(error.code)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "demo-running"
    with pytest.raises(Conflict):
        PracticeStore(tmp_path).open()
    first.close()


def test_a_practice_store_is_empty_each_time_it_is_opened(tmp_path: Path) -> None:
    first = PracticeStore(tmp_path)
    first.open()
    (first.folder / "something").write_text("old", encoding="utf-8")
    first.close()
    second = PracticeStore(tmp_path)
    second.open()
    second.close()
    assert not (second.folder / "something").exists()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["demo", "demo.lock"]


def ignore(done: int, total: int) -> None:
    del done, total


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_parts_that_find_no_room_are_reported_as_a_full_disk(tmp_path: Path) -> None:
    with largest_file(1024), pytest.raises(Unavailable) as reported:
        drawn_parts(tmp_path / "parts", name="Plate", limit=None, on_progress=ignore)
    assert reported.value.code == "file-disk-full"
    assert reported.value.values["folder"] == str(tmp_path)


def test_parts_that_may_not_be_written_are_reported(tmp_path: Path) -> None:
    (tmp_path / "parts").write_text("in the way", encoding="utf-8")
    with pytest.raises(Unavailable) as reported:
        drawn_parts(tmp_path / "parts", name="Plate", limit=None, on_progress=ignore)
    assert reported.value.code == "file-not-written"


def test_overlays_without_a_folder_to_go_to_are_reported(tmp_path: Path) -> None:
    (tmp_path / "overlays").write_text("in the way", encoding="utf-8")
    parts = DemoParts("none", (), tmp_path, (), ())
    scenario = Scenario(PracticeStore(tmp_path), parts, tmp_path, lambda sentence: None)
    inspection: Any = SimpleNamespace(outcome=SimpleNamespace(overlay=np.zeros((4, 4, 3), np.uint8)))
    with pytest.raises(Unavailable) as reported:
        scenario.keep_overlay(outcome(1, True, Verdict.OK, HumanVerdict.OK, 0.1), inspection)
    assert reported.value.code == "file-not-written"
