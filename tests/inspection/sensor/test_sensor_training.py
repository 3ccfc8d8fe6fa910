import csv
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inspection.sensor import SensorTraining, load_model, model_bytes, read_table, save_model, train, train_files
from inspection.sensor.model.scaling import resting_scale
from inspection.sensor.model.windows import stationarity
from inspection.sensor.model_file.checkpoint import read_checkpoint, write_checkpoint
from inspection.sensor.training.files import usual_period
from inspection.sensor.training.folds import blocks
from inspection.sensor.training.thresholds import choose, tail_quantile
from models.errors import InvalidInput, Unavailable
from tests.support.command import run
from tests.support.errors import has_code
from tests.support.messages import says
from tests.support.sensor_rows import COLUMNS, machine_rows

SMALL = SensorTraining(epochs=30)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "data.csv"
    lines = [",".join(COLUMNS), *(",".join(f"{value:.6f}" for value in row) for row in machine_rows(200).tolist())]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


LOG = 300.0 * np.arange(50)
LATE = LOG.reshape(-1, 5)[:, [0, 1, 3, 2, 4]].ravel()


@pytest.mark.parametrize(
    "seconds",
    [
        LOG[::-1],
        np.random.default_rng(1).permutation(LOG),
        np.concatenate([LOG, LOG + 7.0]),
        np.concatenate([LOG[::-1], LOG[::-1] + 7.0]),
        np.concatenate([LOG, [np.nan], LOG + 7.0]),
        LATE,
    ],
    ids=["newest-first", "shuffled", "two-logs", "two-logs-newest-first", "two-logs-gap", "late-rows"],
)
def test_the_usual_period_is_that_of_the_log(seconds: NDArray[np.float64]) -> None:
    assert usual_period(seconds) == 300.0


@pytest.mark.parametrize("window", [1, 4])
def test_only_the_same_seed_gives_the_same_file(window: int) -> None:
    def made(seed: int) -> bytes:
        return model_bytes(train(machine_rows(200), COLUMNS, SensorTraining(epochs=20, window=window, seed=seed)).model)

    assert made(3) == made(3)
    assert made(3) != made(4)


def test_the_threshold_of_vectors_is_the_percentile_of_their_training_errors() -> None:
    rows = machine_rows(300)
    for percent in (95.0, 97.5, 99.0):
        made = train(rows, COLUMNS, SMALL.model_copy(update={"percent": percent}))
        assert np.array_equal(made.errors, made.model.score(rows))
        assert made.model.metadata.threshold == pytest.approx(np.percentile(made.errors, percent))
    assert train(rows, COLUMNS, SMALL).model.metadata.threshold_percent == 95


def test_the_threshold_of_windows_comes_from_rows_held_out() -> None:
    made = train(machine_rows(300), COLUMNS, SensorTraining(window=4))
    metadata = made.model.metadata
    assert (metadata.threshold_held_out, metadata.threshold_percent) == (True, 99)
    assert np.isnan(made.errors[:3]).all()
    assert metadata.threshold == pytest.approx(np.percentile(made.errors[3:], 99))
    assert metadata.threshold == pytest.approx(made.model.threshold_at(99))
    later = made.model.score(machine_rows(3000, seed=1))
    assert (later > metadata.threshold).mean() < 0.05


def test_the_automatic_threshold_holds_a_rate_smaller_than_the_sample_shows() -> None:
    made = train(machine_rows(500), COLUMNS, SensorTraining(auto_threshold=True)).model
    assert made.metadata.threshold_method == "tail"
    later = made.score(machine_rows(20_000, seed=1))
    assert (later > made.metadata.threshold).mean() < 0.004


def test_the_tail_is_that_of_the_distribution_it_comes_from() -> None:
    rng = np.random.default_rng(0)
    found = [tail_quantile(rng.exponential(size=1000), 0.001) for _ in range(50)]
    assert np.median(found) == pytest.approx(np.log(1000), rel=0.1)
    assert tail_quantile(np.ones(100), 0.001) == 1.0
    assert choose(np.arange(100.0), 95).value == pytest.approx(np.percentile(np.arange(100), 95))


def test_every_row_is_held_out_once_away_from_the_rows_it_is_fitted_on() -> None:
    for count, gap in ((2, 0), (10, 5), (7, 3)):
        folds = blocks(100, count, gap)
        assert [row for fold in folds for row in range(100)[fold.held_out]] == list(range(100))
        for fold in folds:
            fitted = {row for part in fold.fitted for row in range(100)[part]}
            assert not fitted & set(range(fold.held_out.start - gap, fold.held_out.stop + gap))


def test_a_drift_is_distinguished_from_values_that_only_vary() -> None:
    noise = np.random.default_rng(0).normal(size=400)
    features = np.stack([noise, np.linspace(0, 10, 400) + 0.1 * noise, np.full(400, 3.0)], axis=1)
    steady, drifting, constant = stationarity(features, [slice(0, 400)], 5)
    assert steady > 0.7
    assert drifting < 0.05
    assert constant == 1.0


def test_any_change_of_a_constant_sensor_is_an_anomaly() -> None:
    rows = np.column_stack([machine_rows(300), np.full(300, 24.0)])
    made = train(rows, (*COLUMNS, "supply"), SensorTraining())
    assert made.constant == ("supply",)
    row = [100.0, 2.0, 60.0]
    assert made.model.score_row([*row, 24.0]).status == "normal"
    assert made.model.score_row([*row, 22.0]).status == "anomaly"


@pytest.mark.parametrize("seed", range(3))
def test_repeated_rows_have_one_status_in_a_stream_or_a_table(seed: int) -> None:
    generator = np.random.default_rng(0)
    on = (generator.random(400) < 0.12).astype(float)
    rows = np.column_stack([on, 1 - on, 24 + on * 0.5, np.where(generator.random(400) < 0.5, 1.0, 0.0)])
    model = train(rows, ("valve", "lamp", "supply", "mode"), SensorTraining(seed=seed)).model
    alone = [model.score_row(row).status == "anomaly" for row in rows.tolist()]
    assert alone == (model.score(rows) > model.metadata.threshold).tolist()
    assert np.mean(alone) <= 0.05


def test_missing_values_in_the_training_rows_do_not_spoil_the_model() -> None:
    rows = machine_rows(400)
    rows[np.random.default_rng(1).random(rows.shape) < 0.1] = np.nan
    model = train(rows, COLUMNS, SensorTraining(scaling="robust")).model
    assert 0.05 < model.metadata.missing < 0.15
    assert (model.score(machine_rows(1000, seed=2)) > model.metadata.threshold).mean() < 0.15
    assert model.score_row([105.0, 1.6, 60.0]).status == "anomaly"


@pytest.mark.parametrize("seed", range(4))
def test_a_bottleneck_of_one_does_not_fall_silent(seed: int) -> None:
    model = train(machine_rows(200), COLUMNS, SensorTraining(hidden=(8, 1), seed=seed)).model
    assert model.score_row([105.0, 1.6, 60.0]).status == "anomaly"


@pytest.mark.parametrize(("rows", "settings"), [(19, SMALL), (39, SMALL), (300, SensorTraining(window=40))])
def test_too_few_rows_are_refused_with_how_many_it_takes(rows: int, settings: SensorTraining) -> None:
    with pytest.raises(InvalidInput) as raised:
        train(machine_rows(rows), COLUMNS, settings)
    assert raised.value.code == "sensor-too-few-rows"
    assert str(raised.value.values["least"]) in str(raised.value)


def test_rows_that_miss_too_much_do_not_count() -> None:
    rows = machine_rows(100)
    rows[30:, :2] = np.nan
    with pytest.raises(InvalidInput) as raised:
        train(rows, COLUMNS, SMALL)
    assert raised.value.code == "sensor-too-many-missing"


def test_continued_training_keeps_the_scaling_despite_an_outlier() -> None:
    start = train(machine_rows(100), COLUMNS, SensorTraining(epochs=5, scaling="robust")).model
    rows = machine_rows(100, seed=1)
    rows[7, 0] = 9.9e37
    further = train(rows, COLUMNS, SMALL, start=start).model
    assert further.metadata.scaling == "robust"
    assert np.array_equal(further.scaling.center, start.scaling.center)
    assert further.score_row([100.0, 2.0, 60.0]).status == "normal"


def test_a_column_without_a_value_is_named() -> None:
    rows = machine_rows(100)
    rows[:, 1] = np.nan
    with pytest.raises(InvalidInput, check=has_code("sensor-column-empty", column="current")):
        train(rows, COLUMNS, SMALL)


def test_the_files_beside_the_model_match_it(table: Path, tmp_path: Path) -> None:
    made = train_files(table, tmp_path / "new" / "model.pth", SMALL, checkpoint=False)
    model = load_model(tmp_path / "new" / "model.npz")
    assert sorted(path.name for path in made.model.parent.iterdir()) == [
        "model.npz",
        "reconstruction_errors.csv",
        "threshold.txt",
    ]
    assert float(made.threshold.read_text()) == model.metadata.threshold
    with made.errors.open(newline="") as file:
        errors = list(csv.DictReader(file))
    assert [int(row["line"]) for row in errors] == list(range(2, 202))
    assert np.percentile([float(row["error"]) for row in errors], 95) == pytest.approx(model.metadata.threshold)


@pytest.mark.slow
def test_torch_computes_what_numpy_does_from_the_saved_state_dict(table: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    made = train_files(table, tmp_path / "model.pth", SensorTraining(window=4))
    model = load_model(made.model)
    state = torch.load(tmp_path / "model.pth", weights_only=True)
    sizes = model.network.sizes
    layers: list[object] = []
    for inputs, outputs in pairwise(sizes):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    sequence = torch.nn.Sequential(*layers[:-1])
    sequence.load_state_dict(state)
    scaled = np.random.default_rng(0).normal(scale=2, size=(500, sizes[0]))
    with torch.no_grad():
        theirs = sequence(torch.from_numpy(scaled.astype(np.float32))).numpy()
    assert np.abs(theirs - model.network.reconstruct(scaled)).max() <= 1e-5
    # And back, after training went on in torch.
    with torch.no_grad():
        sequence[0].weight.mul_(1.01)
    torch.save(sequence.state_dict(), tmp_path / "model.pth")
    further = train_files(
        table,
        tmp_path / "next.pth",
        SensorTraining(window=4, epochs=1),
        further=tmp_path / "model.pth",
        checkpoint=False,
    )
    moved = np.abs(further.trained.model.network.weights[0] - model.network.weights[0] * 1.01).max()
    assert 0 < moved < 0.05
    assert np.array_equal(further.trained.model.scaling.center, model.scaling.center)


@pytest.mark.slow
def test_a_file_where_the_user_is_takes_no_module_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    (tmp_path / "torch.py").write_text("raise SystemExit('mine')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    network = train(machine_rows(50), COLUMNS, SMALL).model.network
    write_checkpoint(tmp_path / "model.pth", network)
    assert read_checkpoint(tmp_path / "model.pth").sizes == network.sizes


@pytest.mark.slow
def test_a_checkpoint_that_is_none_runs_no_code(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    path = tmp_path / "model.pth"
    path.write_bytes(b"no checkpoint")
    with pytest.raises(InvalidInput, check=has_code("sensor-checkpoint-damaged", name="model.pth")):
        read_checkpoint(path)
    # An object that only unpickling could bring back.
    torch.save({"0.weight": Path("x")}, path)
    with pytest.raises(InvalidInput, check=has_code("sensor-checkpoint-damaged", name="model.pth")):
        read_checkpoint(path)


@pytest.mark.slow
def test_the_command_reports_its_training_in_one_json_object(
    capsys: pytest.CaptureFixture[str], table: Path, tmp_path: Path
) -> None:
    arguments = ("train", "sensor", "--data", table, "--output", tmp_path / "m.pth", "--epochs", 5, "--json")
    code, out, _ = run(capsys, *arguments, "--hidden", "6,2", "--threshold", "97", "--seed", "4")
    found = json.loads(out)
    assert code == 0
    assert (found["layers"], found["threshold_percent"], found["input_dimension"]) == ([3, 6, 6, 2, 6, 3], 97, 3)
    assert found["threshold"] == load_model(Path(found["model"])).metadata.threshold
    assert {path.name for path in tmp_path.iterdir()} == {
        "m.npz",
        "m.pth",
        "reconstruction_errors.csv",
        "threshold.txt",
    }


@pytest.mark.parametrize(
    ("wrong", "reported"),
    [
        (("--threshold", "94"), "95 and 99"),
        (("--threshold", "nan"), "95 and 99"),
        (("--hidden", "16,x"), "16,4"),
        (("--hidden", "0"), "16,4"),
        (("--scaling", "none"), "robust"),
        (("--window", "0"), "--window"),
        (("--output", "model.csv"), ".pth"),
        (("--continue", "model.pth", "--hidden", "4"), "--continue"),
        (("--false-alarms-per-week", "1", "--window", "5"), "--window"),
        (("--false-alarms-per-week", "1", "--continue", "model.pth"), "--continue"),
        (("--name", "\udcff"), "printable"),
        (("--name", "pump\u3000\x1b[2J"), "printable"),
        (("--name", "x" * 201), "printable"),
    ],
)
def test_a_wrong_option_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], table: Path, tmp_path: Path, wrong: tuple[str, ...], reported: str
) -> None:
    code, out, err = run(capsys, "train", "sensor", "--data", table, "--output", tmp_path / "m.pth", *wrong)
    assert (code, out) == (2, "")
    assert reported in err


@pytest.mark.parametrize(("window", "reported"), [("auto", True), ("1", False)])
def test_rows_that_are_no_series_are_reported_where_that_was_found_out(
    capsys: pytest.CaptureFixture[str], table: Path, tmp_path: Path, window: str, reported: bool
) -> None:
    arguments = ("--output", tmp_path / "m.pth", "--epochs", 5, "--no-checkpoint", "--window", window)
    code, _, err = run(capsys, "train", "sensor", "--data", table, *arguments)
    assert (code, says(err, "sensor-no-series", least="120")) == (0, reported)


def test_a_promise_of_false_alarms_for_rows_that_are_no_series_is_reported(
    capsys: pytest.CaptureFixture[str], table: Path, tmp_path: Path
) -> None:
    arguments = ("--output", tmp_path / "m.pth", "--epochs", 5, "--no-checkpoint", "--false-alarms-per-week", 1)
    code, out, err = run(capsys, "train", "sensor", "--data", table, *arguments, "--json")
    assert (code, json.loads(out)["unused_settings"]) == (0, ["false_alarms_per_week"])
    assert says(err, "sensor-settings-unused", names="false_alarms_per_week")


def test_settings_of_networks_are_reported_for_a_series() -> None:
    rows = np.cumsum(np.random.default_rng(0).normal(size=(500, 1)), axis=0)
    made = train(rows, ("level",), SensorTraining(window=0, hidden=(4,), epochs=3, scaling="robust"))
    assert (made.model.series is not None, made.unused) == (True, ("hidden", "epochs", "scaling"))


def test_a_name_may_have_full_width_spaces(capsys: pytest.CaptureFixture[str], table: Path, tmp_path: Path) -> None:
    name = "ポンプ\u3000二号"
    arguments = ("--output", tmp_path / "m.pth", "--epochs", 5, "--no-checkpoint", "--name", name)
    code, _, err = run(capsys, "train", "sensor", "--data", table, *arguments)
    assert code == 0, err
    assert load_model(tmp_path / "m.npz").metadata.name == name


def test_a_mistake_in_the_data_leaves_nothing_behind(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data.csv"
    data.write_text("a;b\n1;2\n3;x\n", encoding="utf-8")
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", "ja")
    code, out, err = run(capsys, "train", "sensor", "--data", data, "--output", tmp_path / "new" / "m.pth")
    assert (code, out) == (1, "")
    assert says(err, "sensor-file-cell", "ja", row=3, column="b", text="x")
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]


def test_without_torch_only_the_checkpoint_is_missing(
    capsys: pytest.CaptureFixture[str], table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inspection.sensor.model_file.checkpoint.torch_is_installed", lambda: False)
    with pytest.raises(Unavailable) as raised:
        train_files(table, tmp_path / "m.pth", SMALL)
    assert raised.value.code == "sensor-torch-missing"
    assert list(tmp_path.iterdir()) == []
    arguments = ("train", "sensor", "--data", table, "--output", tmp_path / "m.pth", "--epochs", 5, "--no-checkpoint")
    assert run(capsys, *arguments)[0] == 0
    assert (tmp_path / "m.npz").is_file()
    assert not (tmp_path / "m.pth").exists()


def test_a_path_may_be_given_as_text_everywhere(table: Path, tmp_path: Path) -> None:
    made = train_files(str(table), str(tmp_path / "m.pth"), SMALL, checkpoint=False)
    model = load_model(str(made.model))
    assert model.metadata.columns == read_table(str(table)).columns
    save_model(str(tmp_path / "copy.npz"), model)
    assert (tmp_path / "copy.npz").read_bytes() == made.model.read_bytes()


def test_a_second_model_does_not_take_the_files_of_the_first(
    capsys: pytest.CaptureFixture[str], table: Path, tmp_path: Path
) -> None:
    def trained(name: str, epochs: int) -> tuple[int, str, str]:
        arguments = ("--output", tmp_path / name, "--epochs", epochs, "--no-checkpoint")
        return run(capsys, "train", "sensor", "--data", table, *arguments)

    assert trained("pump.pth", 5)[0] == 0
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    code, out, err = trained("fan.pth", 6)
    assert (code, out) == (1, "")
    assert says(err, "sensor-files-of-another", other="pump.npz")
    assert says(err, "sensor-files-of-another", member="advice", stem="fan", output="fan.pth")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert trained("fan/fan.pth", 6)[0] == 0
    assert trained("pump.pth", 6)[0] == 0, "its own files are written again"


def resting_rows(flickers: int) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Two related sensors, and a set point of 24.00 that reads 24.01 in some of 2,000 rows."""
    generator = np.random.default_rng(3)
    load = generator.normal(size=2000)
    values = np.column_stack(
        [60 + 3 * load + generator.normal(0, 0.3, 2000), 5 + 0.5 * load + generator.normal(0, 0.05, 2000)]
    )
    setpoint = np.full(2000, 24.0)
    setpoint[generator.choice(2000, flickers, replace=False)] = 24.01
    return np.column_stack([values, setpoint]), ("temperature", "current", "setpoint")


@pytest.mark.parametrize("window", [1, 5])
def test_a_flicker_that_training_saw_once_raises_no_alarms_later(window: int) -> None:
    values, columns = resting_rows(1)
    trained = train(values, columns, SensorTraining(window=window))
    assert trained.nearly_constant == ("setpoint",)
    later, _ = resting_rows(1000)
    scores = trained.model.score(later)
    assert float((scores > trained.model.metadata.threshold).mean()) < 0.15


def test_a_flicker_does_not_hide_a_change_of_the_set_point() -> None:
    values, columns = resting_rows(1)
    model = train(values, columns, SensorTraining()).model
    assert model.score_row([60.0, 5.0, 26.0]).status == "anomaly"


def test_a_sensor_with_values_of_its_own_is_not_at_rest() -> None:
    rows = np.column_stack([np.tile([24.0, 24.01], 50), np.arange(100.0)])
    assert resting_scale(rows).tolist() == [0.0, 0.0]


def test_a_valve_that_opened_once_is_measured_by_its_stroke() -> None:
    column = np.zeros((100, 1))
    column[7] = 2.0
    assert resting_scale(column).tolist() == [2.0]
