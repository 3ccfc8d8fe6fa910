import csv
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from inspection.sensor import SensorTraining, read_table, save_model, score_rows, train
from inspection.sensor.model.sensor_model import SensorModel
from tests.support.command import run as run_command
from tests.support.messages import says
from tests.support.sensor_rows import COLUMNS, machine_rows
from tests.support.sensor_series import series_model, temperature


def trained(window: int = 1) -> SensorModel:
    return train(machine_rows(300), COLUMNS, SensorTraining(epochs=5, window=window)).model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, and rows of which the 41st has a wrong current and the 51st next to no values."""
    made = tmp_path_factory.mktemp("score")
    save_model(made / "pump.npz", trained())
    rows = machine_rows(100, seed=3)
    rows[40, 1] += 8
    lines = [f"2026-07-27 10:{row // 60:02}:{row % 60:02}," + ",".join(map(str, rows[row])) for row in range(100)]
    lines[50] = "2026-07-27 10:00:50,,,1"
    (made / "now.csv").write_text("\n".join(["time," + ",".join(COLUMNS), *lines]))
    return made


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    return run_command(capsys, "model", "score", *arguments)


def test_each_row_is_reported_with_the_sensors_that_make_its_score(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    code, out, _ = run(capsys, folder / "pump.npz", folder / "now.csv", "--json")
    found = json.loads(out)
    expected = trained().score(read_table(folder / "now.csv").values)
    assert (code, found["rows"], found["not_judged"]) == (1, 100, 1)
    assert found["alarms"] == (expected > found["threshold"]).sum()
    assert [row["score"] for row in found["scores"]] == [None if np.isnan(score) else score for score in expected]
    wrong, empty = found["scores"][40], found["scores"][50]
    assert (wrong["line"], wrong["time"], wrong["alarm"]) == (42, "2026-07-27 10:00:40", True)
    assert wrong["sensors"][0]["column"] == "current"
    assert (empty["alarm"], empty["sensors"]) == (None, [])


def test_the_screen_shows_how_many_alarms_there_are_with_the_first_of_them(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    code, out, err = run(capsys, folder / "pump.npz", folder / "now.csv")
    assert code == 1
    assert re.findall(r"\d+", out.splitlines()[0])[0] == "100"
    assert out.splitlines()[1].endswith(": 1")
    assert any(line.split()[:3] == ["42", "2026-07-27", "10:00:40"] and "current" in line for line in out.splitlines())
    assert says(err, "sensor-columns-unused", columns="time")


def test_all_rows_are_written_for_a_spreadsheet(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "scores.csv"
    assert run(capsys, folder / "pump.npz", folder / "now.csv", "--out", out)[0] == 1
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 100
    assert (rows[40]["line"], rows[40]["alarm"], rows[40]["sensor_1"]) == ("42", "1", "current")
    assert (rows[50]["score"], rows[50]["alarm"]) == ("", "")


def test_what_is_scored_is_never_overwritten(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    before = (folder / "now.csv").read_bytes()
    assert run(capsys, folder / "pump.npz", folder / "now.csv", "--out", folder / "now.csv")[0] == 2
    assert (folder / "now.csv").read_bytes() == before


@pytest.mark.parametrize("name", ["none.csv", "pump.npz"])
def test_a_file_that_is_no_table_ends_with_1(capsys: pytest.CaptureFixture[str], folder: Path, name: str) -> None:
    code, out, err = run(capsys, folder / "pump.npz", folder / name)
    assert (code, out) == (1, "")
    assert name in err


def test_the_features_of_a_sensor_count_as_one_in_windows() -> None:
    rows = machine_rows(60, seed=3)
    rows[30:, 2] += 30
    scored = score_rows(trained(window=5), rows)
    assert scored.shares.shape == (60, 3)
    assert scored.shares.sum(axis=1) == pytest.approx(1)
    assert scored.alarms[40]
    assert len(scored.leading(40, 2)) == 2


@pytest.fixture(scope="module")
def windowed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of windows of 5 rows."""
    path = tmp_path_factory.mktemp("windowed") / "pump.npz"
    save_model(path, trained(window=5))
    return path


def scored_of(capsys: pytest.CaptureFixture[str], model: Path, table: Path, lines: list[str]) -> tuple[int, int]:
    """Return the exit code, and how many rows were not judged."""
    table.write_text("\n".join([",".join(COLUMNS), *lines]))
    code, out, _ = run(capsys, model, table, "--json")
    found = json.loads(out)
    assert found["not_judged"] == [row["score"] for row in found["scores"]].count(None)
    return code, found["not_judged"]


def lines_of(count: int) -> list[str]:
    return [",".join(map(str, row)) for row in machine_rows(count, seed=3)]


@pytest.mark.parametrize("rows", [1, 4])
def test_a_table_shorter_than_the_window_is_not_judged(
    capsys: pytest.CaptureFixture[str], windowed: Path, tmp_path: Path, rows: int
) -> None:
    assert scored_of(capsys, windowed, tmp_path / "t.csv", lines_of(rows)) == (1, rows)


def test_a_table_as_long_as_the_window_is_judged(
    capsys: pytest.CaptureFixture[str], windowed: Path, tmp_path: Path
) -> None:
    assert scored_of(capsys, windowed, tmp_path / "t.csv", lines_of(5)) == (0, 0)


@pytest.mark.parametrize("place", [0, 20, 38])
def test_an_empty_row_is_not_judged_by_the_rows_before_it(
    capsys: pytest.CaptureFixture[str], windowed: Path, tmp_path: Path, place: int
) -> None:
    lines = lines_of(40)
    lines[place : place + 2] = [",,", ",,"]
    assert scored_of(capsys, windowed, tmp_path / "t.csv", lines) == (1, 2)


def test_a_table_of_empty_rows_is_not_judged_throughout(
    capsys: pytest.CaptureFixture[str], windowed: Path, tmp_path: Path
) -> None:
    assert scored_of(capsys, windowed, tmp_path / "t.csv", [",,"] * 30) == (1, 30)


@pytest.mark.parametrize("command", ["score", "drift"])
@pytest.mark.parametrize("header", ["", ",".join(COLUMNS) + "\n"])
def test_columns_taken_by_their_order_are_named(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, command: str, header: str
) -> None:
    (tmp_path / "t.csv").write_text(header + "\n".join(lines_of(60)))
    code, _, err = run_command(capsys, "model", command, folder / "pump.npz", tmp_path / "t.csv")
    assert code == 0
    pairs = "speed = column 1, current = column 2, temperature = column 3"
    assert says(err, "sensor-columns-by-order", columns=pairs) == (not header)


@pytest.mark.parametrize(
    ("hours", "goes_back"), [([10, 11], False), ([11, 10], True), ([11, 11, 10, 11], True), ([23, 0], False)]
)
def test_times_that_go_back_are_told_where_windows_take_them_in_order(
    capsys: pytest.CaptureFixture[str], windowed: Path, folder: Path, tmp_path: Path, hours: list[int], goes_back: bool
) -> None:
    times = [f"{hour:02}:{minute:02}" for hour in hours for minute in range(60)]
    lines = [f"{time},{line}" for time, line in zip(times, lines_of(len(times)), strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["time," + ",".join(COLUMNS), *lines]))
    assert says(run(capsys, windowed, tmp_path / "t.csv")[2], "sensor-time-backward") == goes_back
    assert not says(run(capsys, folder / "pump.npz", tmp_path / "t.csv")[2], "sensor-time-backward")


def test_the_episodes_of_a_series_are_listed_with_their_times(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    values, seconds = temperature(4, seed=1, first_day=28)
    values[300:340] += 9
    lines = [
        f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S},{row[0]}" for row, at in zip(values, seconds, strict=True)
    ]
    (tmp_path / "now.csv").write_text("\n".join(["time,oil", *lines]))
    save_model(tmp_path / "oil.npz", series_model())
    code, out, _ = run(capsys, tmp_path / "oil.npz", tmp_path / "now.csv", "--json")
    found = json.loads(out)
    (episode,) = found["episodes"]
    assert (code, found["hold_off"]) == (0, 144)
    assert 302 <= episode["start_line"] <= 306
    assert episode["start"] == found["scores"][episode["start_line"] - 2]["time"]
    assert episode["score"] == max(row["score"] for row in found["scores"])
    assert episode["sensors"][0]["column"] == "oil"
    assert run(capsys, tmp_path / "oil.npz", tmp_path / "now.csv")[1].count("oil 100%") == 1


def test_a_table_of_a_machine_is_learned_as_a_series_by_default(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    values, seconds = temperature(28)
    lines = [
        f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S},{row[0]}" for row, at in zip(values, seconds, strict=True)
    ]
    (tmp_path / "oil.csv").write_text("\n".join(["time,oil", *lines]))
    options = ("--data", tmp_path / "oil.csv", "--output", tmp_path / "oil.pth", "--no-checkpoint", "--json")
    code, out, err = run_command(capsys, "train", "sensor", *options, "--false-alarms-per-week", "0.5")
    found = json.loads(out)
    assert (code, found["threshold_method"], found["window"]) == (0, "episodes", 144)
    assert (found["series"]["cycles"], found["series"]["false_alarms_per_week"]) == ([144], 0.5)
    assert says(err, "sensor-series-alarms", rate="0.5", weeks="2")
