import json
import re
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from app.benchmarks.areas import AREAS, Area, Measure, Probe, chosen_areas
from app.benchmarks.figures import Figure
from app.benchmarks.machine import describe_machine, in_one_line
from app.benchmarks.page import json_values, part_of, update_page, value_text, what_text
from app.benchmarks.probing import Row, peak_megabytes, resident_megabytes
from app.benchmarks.processes import MeasurementFailed, run_module
from app.benchmarks.runner import Outcome, run_areas
from inspection.imaging.files import encode_png
from models.messages import LANGUAGES, Language
from models.storage import write_atomically
from tests.support.codes import draw_code
from tests.support.command import run
from tests.support.messages import says

MET = Row("quick_ms", "ms", "something fast", at_most=20).figure([12.0, 90.0, 11.0])
MISSED = Figure(
    name="sharp", value=0.5, what="a | b", command="c", goal="≥ 0.9", met=False, interval=(0.41, 0.6), note="n"
)


def test_the_median_of_the_runs_is_held_against_the_goal() -> None:
    assert (MET.value, MET.goal, MET.met) == (12.0, "≤ 20 ms", True)
    assert "3 runs, 11 to 90" in MET.note
    assert Row("x", "", "no goal").figure([1.0]).met is None


def test_every_area_names_modules_that_can_measure_it() -> None:
    rows = [row for area in AREAS.values() for probe in area.probes for row in import_module(probe.module).ROWS]
    assert len({row.name for row in rows}) == len(rows)
    for area in AREAS.values():
        assert area.measures or area.probes
        assert all(callable(import_module(measure.module).measure) for measure in area.measures)
    assert chosen_areas("all") == list(AREAS.values())


@pytest.mark.slow
def test_an_area_that_does_not_exist_is_reported_with_those_that_do(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "bench", "nothing")
    assert (code, out) == (2, "")
    assert "'nothing'" in err
    assert all(name in err for name in AREAS)


def test_help_lists_every_area_that_can_be_measured(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "bench", "--help")
    assert code == 0
    assert "imageflow bench inspection" in out
    assert all(re.search(rf"^\s*{name} {{2,}}\S", out, re.MULTILINE) for name in AREAS)


def test_figures_of_a_quick_run_do_not_get_onto_the_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = run(capsys, "bench", "window", "--quick", "--write", tmp_path / "p.md")
    assert code == 2
    assert "quick" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"# Notes\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_page_of_figures_stays_as_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    page = Path("notes.md")
    page.write_bytes(content)
    code, _, err = run(capsys, "bench", "window", "--write", page)
    assert code == 2
    assert "notes.md" in err
    assert page.read_bytes() == content


@pytest.mark.slow
def test_bench_prints_figures_by_name_with_the_machine(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "bench", "window", "--quick", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["machine"]["cores"]
    assert 0 < found["first_paint_s"]["value"] < found["sign_in_s"]["value"]
    assert found["sign_in_s"]["command"] == "imageflow bench window"


def test_data_that_are_not_there_are_reported_without_a_failure(tmp_path: Path) -> None:
    area = Area("codes", "Codes", measures=(Measure("app.benchmarks.inspection.codes", folder="codes"),))
    (outcome,) = run_areas([area], tmp_path)
    assert outcome.failures == []
    assert str(tmp_path / "codes") in outcome.missing[0]
    assert outcome.missing[0] in part_of(outcome, "a machine", "2026-01-02")


@pytest.mark.parametrize("language", LANGUAGES)
def test_data_that_nobody_named_are_reported_with_how_to_name_them(language: Language) -> None:
    (outcome,) = run_areas([AREAS["skab"]], None, language=language)
    assert outcome.failures == []
    assert says(outcome.missing[0], "benchmark-data", language, member="advice")


def test_bench_takes_no_data_from_a_place_that_nobody_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IMAGEFLOW_DATA", raising=False)
    code, _, err = run(capsys, "bench", "skab")
    assert code == 1
    assert says(err, "benchmark-data")


def test_only_measures_that_take_data_need_them() -> None:
    without = {measure.module for area in AREAS.values() for measure in area.measures if measure.folder is None}
    assert {module for module in without if not {"server", "sources", "sync"} & set(module.split("."))} == {
        "app.benchmarks.inspection.large_images",
        "app.benchmarks.inspection.sample_parts",
    }


def test_a_figure_of_an_area_names_the_command_that_measures_it_again(tmp_path: Path) -> None:
    folder = tmp_path / "codes" / "qrcode-1"
    folder.mkdir(parents=True)
    write_atomically(folder / "1.png", encode_png(draw_code("qr")))
    (folder / "1.txt").write_text("LOT-0815", encoding="utf-8")
    area = Area("codes", "Codes", measures=(Measure("app.benchmarks.inspection.codes", folder="codes"),))
    (outcome,) = run_areas([area], tmp_path)
    assert (outcome.failures, outcome.missing) == ([], [])
    assert {figure.name: figure.value for figure in outcome.figures}["codes_read_rate"] == 1
    assert {figure.command for figure in outcome.figures} == {"imageflow bench codes"}


def test_the_time_of_each_module_is_reported_where_it_fails_too(tmp_path: Path) -> None:
    measured = Measure("app.benchmarks.inspection.codes", folder="codes")
    area = Area("both", "Both", measures=(measured,), probes=(Probe("app.benchmarks.no_such_module"),))
    took: dict[str, float] = {}
    run_areas([area], tmp_path, quick=True, on_measured=took.__setitem__)
    assert list(took) == ["app.benchmarks.inspection.codes", "app.benchmarks.no_such_module"]
    assert min(took.values()) > 0


@pytest.mark.slow
def test_one_area_that_fails_leaves_the_others_their_figures(tmp_path: Path) -> None:
    broken = Area("broken", "Broken", probes=(Probe("inspection.benchmarks.no_such_module"),))
    failing, window = run_areas([broken, AREAS["window"]], tmp_path, quick=True)
    assert "no_such_module" in failing.failures[0]
    assert {figure.name for figure in window.figures} >= {"first_paint_s", "window_memory_mb"}


def test_a_measurement_that_takes_too_long_ends() -> None:
    with pytest.raises(MeasurementFailed, check=lambda error: isinstance(error.__cause__, subprocess.TimeoutExpired)):
        run_module("timeit", ["-n", "1", "import time; time.sleep(600)"], time_limit_s=1)


def test_measuring_one_area_again_leaves_the_rest_of_the_page() -> None:
    first = Outcome(AREAS["inspection"], [MISSED], notes=["Tried: *this*."])
    second = Outcome(AREAS["window"], [MET])
    page = update_page("", [second, first], "an old machine", "2026-01-02")
    inspection, window = (f"## {AREAS[name].title}" for name in ("inspection", "window"))
    assert page.index(inspection) < page.index(window)
    again = update_page(page, [Outcome(AREAS["window"], [MET])], "a new machine", "2026-03-04")
    assert re.search(r"2026-01-02 .*an old machine", again[again.index(inspection) : again.index(window)])
    assert re.search(r"2026-03-04 .*a new machine", again[again.index(window) :])
    assert again.count(window) == 1
    assert update_page(again, [second, first], "an old machine", "2026-01-02") == page


def test_an_area_without_data_keeps_its_figures_on_the_page() -> None:
    page = update_page("", [Outcome(AREAS["inspection"], [MISSED])], "a machine", "2026-01-02")
    without = Outcome(AREAS["inspection"], missing=["no data"])
    assert update_page(page, [without], "another machine", "2026-03-04") == page


def test_a_missed_goal_stands_on_the_page_with_what_was_tried() -> None:
    part = part_of(Outcome(AREAS["inspection"], [MISSED], notes=["Tried: *this*."]), "m", "2026-01-02")
    assert r"| `sharp` | a \| b; n | 0.5 | 0.41 – 0.6 | ≥ 0.9 | **no** | `c` |" in part
    assert "Missed: `sharp`." in part
    assert "Tried: *this*." in part


def test_a_value_is_reported_without_an_exponent() -> None:
    values = {0.0123: "0.0123", 99.96: "100", 999.6: "1000", 123456.0: "123456"}
    for value, reported in values.items():
        assert value_text(Figure(name="a", value=value, what="w", command="c")) == reported


def test_a_figure_without_a_value_says_why_in_a_terminal_too() -> None:
    absent = MISSED.model_copy(update={"value": None, "what": "of b", "note": "b is not installed"})
    assert (what_text(MISSED), what_text(absent)) == ("a | b", "of b; b is not installed")


def test_json_has_a_figure_for_each_name() -> None:
    values = json_values([Outcome(AREAS["window"], [MET, MISSED])], {"cores": "2"})
    assert values["machine"] == {"cores": "2"}
    assert isinstance(values["sharp"], dict)
    assert values["sharp"]["met"] is False
    assert json.loads(json.dumps(values)).keys() == {"machine", "quick_ms", "sharp"}


def test_the_machine_is_described_without_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import platform

    machine = describe_machine()
    assert {"processor", "cores", "system", "Python", "openvino"} <= machine.keys()
    assert platform.node() not in in_one_line(machine) or len(platform.node()) < 4


def test_memory_that_is_taken_is_reported() -> None:
    before = resident_megabytes()
    block = bytearray(64_000_000)
    block[::4096] = b"x" * len(block[::4096])
    assert resident_megabytes() > before + 50
    assert resident_megabytes() <= peak_megabytes()
    assert len(block) == 64_000_000
