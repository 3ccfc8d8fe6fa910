import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.command_line.wording import phrases
from inspection.sensor import SensorTraining, save_model, train
from models.messages import catalogue
from tests.support.command import run as run_command
from tests.support.messages import says
from tests.support.sensor_rows import COLUMNS, machine_rows


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drift") / "pump.npz"
    save_model(path, train(machine_rows(600), COLUMNS, SensorTraining(epochs=3)).model)
    return path


def written(path: Path, rows: NDArray[np.float64], header: tuple[str, ...] | None = COLUMNS) -> Path:
    lines = [] if header is None else [",".join(header)]
    lines += [",".join(f"{value:.6f}" for value in row) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    return run_command(capsys, "model", "drift", *arguments)


def levels(out: str) -> dict[str, str]:
    return {sensor["column"]: sensor["level"] for sensor in json.loads(out)["sensors"]}


def test_a_sensor_that_moved_is_reported_with_what_to_do(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = machine_rows(600, seed=8)
    rows[:, 1] += 0.4
    data = written(tmp_path / "now.csv", rows)
    code, out, err = run(capsys, model, data, "--json")
    found = json.loads(out)
    assert (code, err, found["rows"], found["drifted"]) == (0, "", 600, ["current"])
    assert levels(out) == {"speed": "stable", "current": "changed", "temperature": "stable"}
    assert found["sensors"][1]["shift"] == pytest.approx(1, abs=0.15)
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", "ja")
    code, out, _ = run(capsys, model, data)
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()[1:4]] == [
        ["speed", phrases("ja")["drift-stable"]],
        ["current", phrases("ja")["drift-changed"]],
        ["temperature", phrases("ja")["drift-stable"]],
    ]
    assert says(out, "sensor-drift-changed", "ja", member="advice")


def test_the_advice_for_sensors_of_one_level_is_printed_once(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path
) -> None:
    rows = machine_rows(600, seed=8) + 4.0
    _, out, _ = run(capsys, model, written(tmp_path / "now.csv", rows))
    assert [line.split()[1] for line in out.splitlines()[1:4]] == ["changed"] * 3
    assert out.count(catalogue("en")["sensor-drift-changed"]["advice"]) == 1
    for column in COLUMNS:
        assert says(out, "sensor-drift-changed", column=column)


def test_columns_are_found_by_name_in_any_order_among_any_others(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path
) -> None:
    rows = machine_rows(600, seed=8)
    mixed = np.column_stack([rows[:, 2], np.arange(600), rows[:, 0], rows[:, 1]])
    data = written(tmp_path / "now.csv", mixed, ("temperature", "counter", "speed", "current"))
    code, out, err = run(capsys, model, data, "--json")
    assert code == 0
    assert levels(out) == dict.fromkeys(COLUMNS, "stable")
    assert "counter" in err


def test_a_table_without_a_header_is_taken_in_its_order(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path
) -> None:
    rows = machine_rows(600, seed=8)
    out = run(capsys, model, written(tmp_path / "now.csv", rows, None), "--json")[1]
    assert levels(out) == dict.fromkeys(COLUMNS, "stable")
    code, _, err = run(capsys, model, written(tmp_path / "two.csv", rows[:, :2], None))
    assert code == 1
    assert says(err, "sensor-wrong-length", given=2, expected=3)


def test_a_number_that_stands_for_a_missing_value_is_no_drift(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path
) -> None:
    rows = machine_rows(600, seed=8)
    rows[::4, 1] = -999
    data = written(tmp_path / "now.csv", rows)
    assert levels(run(capsys, model, data, "--json")[1])["current"] == "changed"
    out = run(capsys, model, data, "--missing", "-999", "--json")[1]
    assert levels(out)["current"] == "stable"
    assert json.loads(out)["sensors"][1]["rows"] == 450


@pytest.mark.parametrize(
    ("name", "reported"),
    [("other.csv", "current"), ("none.csv", "none.csv"), ("bad.csv", "bad.csv")],
)
def test_a_table_that_does_not_fit_is_reported(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path, name: str, reported: str
) -> None:
    written(tmp_path / "other.csv", machine_rows(60), ("speed", "amperes", "temperature"))
    (tmp_path / "bad.csv").write_bytes(b"")
    code, out, err = run(capsys, model, tmp_path / name)
    assert (code, out) == (1, "")
    assert reported in err
    assert says(err, "sensor-column-unknown", column="current") == (name == "other.csv")


def test_a_file_that_is_no_sensor_model_is_reported(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = written(tmp_path / "now.csv", machine_rows(60))
    code, _, err = run(capsys, data, data)
    assert code == 1
    assert "now.csv" in err
