import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inspection.sensor import NaValue, SensorTable, read_table
from inspection.sensor.table.data_warnings import find_data_warnings
from models.messages import LANGUAGES
from tests.support.command import run
from tests.support.messages import says
from tests.support.sensor_rows import COLUMNS, machine_rows

DATA_WARNINGS = ("sensor-labels", "sensor-na-value", "sensor-counter", "sensor-time-backward")


def table_of(values: NDArray[np.float64], seconds: NDArray[np.float64] | None = None) -> SensorTable:
    columns = (*COLUMNS, "more")[: values.shape[1]]
    return SensorTable(columns, values, np.arange(len(values)), seconds, ())


@pytest.mark.parametrize("number", [-999.0, 9999.0, -999.25, 65535.0, 2147483647.0])
def test_a_placeholder_for_a_missing_value_is_suspected(number: float) -> None:
    rows = machine_rows(300)
    rows[::10, 1] = number
    rows[7, 2] = -9999.0
    rows[8, 2] = -999.0
    assert find_data_warnings(table_of(rows)).na_values == (
        NaValue("current", number, 30),
        NaValue("temperature", -9999.0, 1),
        NaValue("temperature", -999.0, 1),
    )


def test_values_of_a_sensor_are_not_suspected() -> None:
    rows = machine_rows(300)
    rows[:, 0] += 899
    rows[5, 0], rows[6, 0] = 999.0, 940.0
    rows[9, 1] = np.nan
    rows[10, 2] = 500.0
    found = find_data_warnings(table_of(rows, np.arange(300.0)))
    assert (found.na_values, found.counters, found.backward) == ((), (), 0)


@pytest.mark.parametrize("steps", [np.ones(300), -np.ones(300), np.tile([1.0, 2.0], 150)])
def test_a_column_that_counts_is_suspected(steps: NDArray[np.float64]) -> None:
    rows = np.column_stack([machine_rows(300), np.cumsum(steps)])
    assert find_data_warnings(table_of(rows)).counters == ("more",)


@pytest.mark.parametrize(
    "column",
    [
        1_710_000_000.0 + np.arange(400) // 2,  # two rows a second
        1_710_000_000.0 + np.arange(400) - 3600 * (np.arange(400) > 300),  # set back once
        1_710_000_000_000.0 + np.cumsum(np.random.default_rng(0).integers(0, 90, 400)),  # milliseconds, at any time
        5000.0 + np.arange(400) // 10,  # ten rows a cycle
        np.arange(400) % 250.0,  # starts again
        np.round(45_360.4 + np.arange(400) / 86_400, 5),  # days as Excel counts them
        np.round(np.cumsum(4 * np.random.default_rng(0).random(400))),  # energy, in unequal steps that repeat
    ],
)
def test_clocks_are_suspected_though_values_repeat_or_go_back(column: NDArray[np.float64]) -> None:
    rows = np.column_stack([machine_rows(400), column])
    assert find_data_warnings(table_of(rows)).counters == ("more",)


@pytest.mark.parametrize(
    "column",
    [
        np.repeat([0.0, 1.0], 200),  # switched once
        np.round(20 + 5 * np.sin(np.arange(400) / 30)),  # goes up, then down
        np.arange(400) % 10.0,  # a phase
        np.round(np.cumsum(np.random.default_rng(0).normal(0.4, 1, 400))),  # a level that rises, on the whole
    ],
)
def test_sensors_that_repeat_or_change_unequally_are_no_clocks(column: NDArray[np.float64]) -> None:
    rows = np.column_stack([machine_rows(400), column])
    assert find_data_warnings(table_of(rows)).counters == ()


def test_shuffled_rows_are_reported_unlike_a_clock_set_back_once() -> None:
    times = np.arange(300.0)
    assert find_data_warnings(table_of(machine_rows(300), times[::-1].copy())).backward == 299
    times[100:] -= 3600
    times[50] = np.nan
    assert find_data_warnings(table_of(machine_rows(300), times)).backward == 0


@pytest.mark.parametrize(("missing", "found"), [(150, ()), (151, (("current", 151),))])
def test_a_sensor_without_most_of_its_values_is_reported(missing: int, found: tuple[tuple[str, int], ...]) -> None:
    rows = machine_rows(300)
    rows[:missing, 1] = np.nan
    assert find_data_warnings(table_of(rows)).mostly_missing == found


def test_the_training_names_a_sensor_without_most_of_its_values(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lines = [f"{row[0]},{row[1] if place < 20 else ''},{row[2]}" for place, row in enumerate(machine_rows(300))]
    (tmp_path / "t.csv").write_text("\n".join([",".join(COLUMNS), *lines]), encoding="utf-8")
    order = ("train", "sensor", "--data", tmp_path / "t.csv", "--output", tmp_path / "m.pth", "--no-checkpoint")
    code, _, err = run(capsys, *order, "--epochs", "1")
    assert code == 0
    assert says(err, "sensor-mostly-missing", column="current", count="280")


def test_the_benchmark_rows_raise_no_doubt(data: Path) -> None:
    for path in sorted((data / "skab").glob("*/*.csv")):
        labels = () if path.parent.name == "anomaly-free" else ("anomaly", "changepoint")
        found = find_data_warnings(read_table(path, labels))
        assert (found.na_values, found.counters, found.backward) == ((), (), 0), path


def test_the_command_prints_data_warnings_with_advice(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = np.column_stack([machine_rows(300), np.arange(300) + 1.6e9])
    rows[::10, 1] = -999
    text = "\n".join(",".join(f"{value:.3f}" for value in row) for row in rows.tolist())
    (tmp_path / "t.csv").write_text("speed,current,temperature,stamp\n" + text, encoding="utf-8")
    order = ("train", "sensor", "--data", tmp_path / "t.csv", "--output", tmp_path / "m.pth", "--no-checkpoint")
    code, _, err = run(capsys, *order)
    assert code == 0
    assert says(err, "sensor-na-value", member="advice", value="-999")
    assert says(err, "sensor-counter", member="advice", column="stamp")
    code, _, err = run(capsys, *order, "--missing", "-999", "--leave-out", "stamp")
    assert code == 0
    assert not any(says(err, code) for code in DATA_WARNINGS)


def test_the_doubts_of_the_command_read_japanese_in_japanese(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", "ja")
    rows = np.column_stack([machine_rows(300), np.arange(300.0), np.ones(300)])
    rows[::10, 1] = -999
    lines = [f"10:{59 - row // 60:02}:{row % 60:02}," + ",".join(map(str, cells)) for row, cells in enumerate(rows)]
    (tmp_path / "t.csv").write_text("time,speed,current,temperature,count,flow\n" + "\n".join(lines), encoding="utf-8")
    order = ("train", "sensor", "--data", tmp_path / "t.csv", "--output", tmp_path / "m.pth", "--no-checkpoint")
    code, _, err = run(capsys, *order, "--window", "3", "--epochs", "1")
    assert code == 0
    assert [line for line in err.splitlines() if not re.search("[ぁ-ん]", line)] == []
    assert says(err, "sensor-na-value", "ja", member="advice", value="-999")
    assert says(err, "sensor-counter", "ja", member="advice", column="count")
    assert says(err, "sensor-time-backward", "ja")
    assert says(err, "sensor-left-out", "ja", columns="time")
    assert says(err, "sensor-constant", "ja", columns="flow")


def named(name: str, column: NDArray[np.float64]) -> SensorTable:
    return SensorTable(("speed", name), np.column_stack([np.arange(20.0), column]), np.arange(20), None, ())


@pytest.mark.parametrize(
    "name",
    ["anomaly", "changepoint", "Label", "is_anomaly", "target", "class", "outliers", "fault_1", "異常フラグ", "ラベル"],
)
def test_a_column_of_zeros_or_ones_named_as_a_label_is_suspected(name: str) -> None:
    column = np.tile([0.0, 1.0], 10)
    assert find_data_warnings(named(name, column)).labels == (name,)
    column[3] = np.nan
    assert find_data_warnings(named(name, column)).labels == (name,)
    column[4] = 0.5
    assert find_data_warnings(named(name, column)).labels == ()


@pytest.mark.parametrize("name", ["valve", "classic", "default", "pump on"])
def test_a_switch_is_no_label(name: str) -> None:
    assert find_data_warnings(named(name, np.tile([0.0, 1.0], 10))).labels == ()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_command_names_the_labels_among_the_sensors_it_learned(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", language)
    order = ("train", "sensor", "--data", data / "skab/valve1/1.csv", "--output", tmp_path / "m.pth", "--no-checkpoint")
    code, _, err = run(capsys, *order, "--epochs", "1")
    assert code == 0
    assert '--leave-out "anomaly" --leave-out "changepoint"' in err
    assert "Accelerometer1RMS, Accelerometer2RMS, Current" in err
    assert [known for known in LANGUAGES if says(err, "sensor-learned", known)] == [language]
    code, _, err = run(capsys, *order, "--epochs", "1", "--leave-out", "anomaly", "--leave-out", "changepoint")
    assert code == 0
    assert "--leave-out" not in err
