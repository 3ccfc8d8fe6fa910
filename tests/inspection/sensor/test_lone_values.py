"""Single values far from all others: left out of the training of rows and windows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inspection.sensor import SensorTraining, load_model, rows_not_learned, train, train_files
from inspection.sensor.training.findings import findings_of
from inspection.sensor.training.lone_values import LoneRule, without_lone_values
from inspection.sensor.training.series import is_series
from models.storage import sha256_of

NAMES = ("a", "b", "c")
Rows = NDArray[np.float64]


def normal_rows(seed: int, count: int = 1000) -> Rows:
    return np.random.default_rng(seed).normal(size=(count, 3))


def with_a_slip(seed: int) -> Rows:
    rows = normal_rows(seed)
    rows[500, 0] = 100.0
    return rows


@pytest.mark.parametrize("scaling", ["standard", "robust"])
@pytest.mark.parametrize("seed", range(3))
def test_one_wild_value_of_the_training_hides_no_later_fault(scaling: str, seed: int) -> None:
    settings = SensorTraining(seed=seed, scaling="robust" if scaling == "robust" else "standard")
    model = train(with_a_slip(seed), NAMES, settings).model
    faulty = normal_rows(seed + 100)
    faulty[:, 0] = 8.0
    assert (model.score(faulty) > model.metadata.threshold).all()


def test_a_wild_value_leaves_the_automatic_threshold_where_it_was() -> None:
    settings = SensorTraining(auto_threshold=True)
    clean = train(normal_rows(0), NAMES, settings).model.metadata.threshold
    assert train(with_a_slip(0), NAMES, settings).model.metadata.threshold == pytest.approx(clean, rel=0.1)


def test_the_row_of_a_wild_value_has_the_score_of_the_whole_row() -> None:
    trained = train(with_a_slip(0), NAMES, SensorTraining())
    assert trained.errors[500] > 10 * trained.model.metadata.threshold


def test_a_window_with_a_wild_value_is_learned_without_it() -> None:
    model = train(with_a_slip(0), NAMES, SensorTraining(window=5)).model
    assert model.scaling.scale[0] == pytest.approx(
        train(normal_rows(0), NAMES, SensorTraining(window=5)).model.scaling.scale[0], rel=0.05
    )


def test_a_wild_value_does_not_make_rows_of_a_series() -> None:
    walk = np.cumsum(np.random.default_rng(0).normal(size=(600, 4)), axis=0) * 0.1
    walk[300] = 1000.0
    assert not is_series(walk, None)
    assert train(walk, (*NAMES, "d"), SensorTraining(window=0)).model.series is not None


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda column: column, id="noise"),
        pytest.param(lambda column: np.where(column > 2, 40.0, column), id="a-rare-mode"),
        pytest.param(lambda column: (column > 3).astype(float), id="a-switch"),
        pytest.param(lambda column: np.where(column > 3, 51.0, 50.0), id="a-set-point"),
        pytest.param(np.exp, id="skewed"),
        pytest.param(lambda column: np.full_like(column, 7.0), id="constant"),
    ],
)
def test_normal_values_are_all_learned(change: Callable[[Rows], Rows]) -> None:
    rows = change(normal_rows(1))
    kept, lone = without_lone_values(rows, NAMES, LoneRule(5, 5.0))
    assert kept is rows
    assert lone == ()


def test_wild_values_on_both_sides_are_found() -> None:
    rows = normal_rows(0)
    rows[[10, 20, 30], 1] = [-500.0, 400.0, 401.0]
    kept, lone = without_lone_values(rows, NAMES, LoneRule(5, 5.0))
    assert np.flatnonzero(np.isnan(kept).any(axis=1)).tolist() == [10, 20, 30]
    assert [(one.column, one.count, one.farthest) for one in lone] == [("b", 3, -500.0)]


def test_the_farthest_of_the_wild_values_is_told() -> None:
    rows = normal_rows(0)
    rows[[10, 20], 1] = [100.0, 5000.0]
    assert without_lone_values(rows, NAMES, LoneRule(5, 5.0))[1][0].farthest == 5000


def test_wild_rows_of_all_sensors_together_are_counted() -> None:
    rows = normal_rows(0)
    rows[range(5), [0, 1, 2, 0, 1]] = 500.0
    assert without_lone_values(rows, NAMES, LoneRule(5, 5.0))[1] != ()
    rows[5, 2] = 500.0
    assert without_lone_values(rows, NAMES, LoneRule(5, 5.0)) == (rows, ())


@pytest.mark.parametrize("known", [1, 2, 10])
def test_a_sensor_with_few_values_keeps_them(known: int) -> None:
    rows = normal_rows(0, 200)
    rows[known:, 2] = np.nan
    rows[0, 2] = 1000.0
    assert without_lone_values(rows, NAMES, LoneRule(5, 5.0))[1] == ()
    assert train(rows, NAMES, SensorTraining()).model.metadata.threshold > 0


def test_a_rare_mode_keeps_the_automatic_rate() -> None:
    def rows(seed: int, count: int) -> Rows:
        rng = np.random.default_rng(seed)
        rare = rng.random((count, 1)) < 0.004
        return np.where(rare, 100.0, 0.0) + rng.normal(size=(count, 3))

    trained = train(rows(0, 3000), NAMES, SensorTraining(auto_threshold=True))
    assert trained.lone == ()
    assert (trained.model.score(rows(1, 20_000)) > trained.model.metadata.threshold).mean() < 0.003


@pytest.mark.parametrize("window", [0, 1])
def test_a_model_names_the_rows_it_was_given(window: int) -> None:
    rows = series_rows(0)[:1000] if window == 0 else with_a_slip(0)
    rows[500, 0] = 65535.0
    trained = train(rows, NAMES[: rows.shape[1]], SensorTraining(window=window))
    assert trained.lone[0].count == 1
    assert trained.model.metadata.missing == 0
    assert trained.model.metadata.data_digest == sha256_of(rows.tobytes())


@pytest.mark.parametrize(
    ("rows", "sensors", "folds"),
    [(300, 3, 0), (299, 3, 10), (2000, 50, 3), (4000, 50, 3), (640, 512, 3), (39_000, 512, 0)],
)
def test_large_tables_of_few_rows_are_held_out_in_fewer_blocks(rows: int, sensors: int, folds: int) -> None:
    assert SensorTraining().folds_of(rows, sensors) == folds


def test_wide_tables_of_few_rows_are_told_that_their_threshold_is_low(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    np.savetxt(table, np.random.default_rng(0).normal(size=(1100, 310)), delimiter=",", fmt="%.6g")
    made = train_files(table, tmp_path / "model.npz", SensorTraining(epochs=1), checkpoint=False)
    found = [one.values for one in findings_of(made) if one.code == "sensor-few-rows"]
    assert found == [{"rows": 1100, "sensors": 310, "least": 31_000}]


def test_a_number_that_may_mark_missing_values_is_told_once(tmp_path: Path) -> None:
    rows = with_a_slip(0)
    rows[500, 0] = -999.0
    table = tmp_path / "rows.csv"
    np.savetxt(table, rows, delimiter=",", header="a,b,c", comments="", fmt="%.17g")
    made = train_files(table, tmp_path / "model.npz", SensorTraining(), checkpoint=False)
    assert made.trained.lone[0].farthest == -999
    codes = [one.code for one in findings_of(made)]
    assert ("sensor-na-value" in codes, "sensor-lone-values" in codes) == (True, False)


def test_the_training_tells_which_values_it_left_out(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    np.savetxt(table, with_a_slip(0), delimiter=",", header="a,b,c", comments="")
    made = train_files(table, tmp_path / "model.npz", SensorTraining(), checkpoint=False)
    found = [one.values for one in findings_of(made) if one.code == "sensor-lone-values"]
    assert found == [{"column": "a", "count": 1, "value": "100"}]
    assert load_model(made.model).metadata.rows == 1000


@pytest.mark.parametrize(("sensors", "most"), [(1, 0.11), (3, 0.11), (8, 0.11)])
def test_few_rows_give_the_false_alarms_that_the_threshold_says(sensors: int, most: float) -> None:
    shares = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        names = tuple(map(str, range(sensors)))
        model = train(rng.normal(size=(60, sensors)), names, SensorTraining(seed=seed)).model
        shares.append((model.score(rng.normal(size=(2000, sensors))) > model.metadata.threshold).mean())
    assert 0.02 < np.mean(shares) < most


def test_the_threshold_of_many_rows_comes_from_the_training_rows() -> None:
    trained = train(normal_rows(0), NAMES, SensorTraining())
    scores = trained.model.score(normal_rows(0))
    assert not trained.model.metadata.threshold_held_out
    assert trained.model.metadata.threshold == pytest.approx(np.percentile(scores, 95), rel=1e-6)


def series_rows(seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    out = np.empty(6000)
    out[0] = 0.0
    for row, step in enumerate(rng.normal(scale=0.44, size=len(out) - 1)):
        out[row + 1] = 0.9 * out[row] + step
    return 20 + out[:, None]


@pytest.mark.parametrize("seed", range(3))
def test_wild_readings_of_a_series_hide_no_later_fault(seed: int) -> None:
    rows = series_rows(seed)
    normal, later = rows[:3000].copy(), rows[3000:].copy()
    normal[[300, 900, 1500], 0] = 65535.0
    trained = train(normal, ("t",), SensorTraining(window=0))
    assert (trained.lone[0].count, trained.model.series is not None) == (3, True)
    later[1500:] += 4
    alarms = trained.model.score(later) > trained.model.metadata.threshold
    assert not alarms[:1500].any()
    assert alarms[1500:].any()


def test_rare_peaks_of_a_series_are_learned() -> None:
    rows = series_rows(0)
    rows[::500] += 12
    trained = train(rows[:3000], ("t",), SensorTraining(window=0))
    assert trained.lone == ()
    assert not (trained.model.score(rows[3000:]) > trained.model.metadata.threshold).any()


def test_a_pulse_a_day_of_a_series_is_learned() -> None:
    rows = np.concatenate([series_rows(seed) for seed in range(4)])
    rows[100::1440] += 60
    trained = train(rows[:12_000], ("t",), SensorTraining(window=0))
    assert (trained.model.series is not None, trained.lone) == (True, ())
    assert not (trained.model.score(rows[12_000:]) > trained.model.metadata.threshold).any()


def test_wild_values_are_left_out_of_rows_that_turn_out_to_be_no_series() -> None:
    rows = normal_rows(0)
    rows[[300, 700], 1] = [4321.0, 5000.0]
    trained = train(rows, NAMES, SensorTraining(window=0))
    assert trained.found_no_series
    assert [one.count for one in trained.lone] == [2]


def test_a_sensor_with_values_in_one_block_alone_leaves_the_threshold_as_it_is() -> None:
    rows = np.random.default_rng(0).normal(size=(380, 4))
    whole = train(rows, (*NAMES, "d"), SensorTraining()).model.metadata.threshold
    rows[38:, 3] = np.nan
    assert train(rows, (*NAMES, "d"), SensorTraining()).model.metadata.threshold < 3 * whole


def test_a_wild_reading_of_the_only_sensor_is_no_row_without_values(tmp_path: Path) -> None:
    rows = series_rows(0)
    rows[1000] = 65535.0
    table = tmp_path / "rows.csv"
    np.savetxt(table, rows, header="t", comments="")
    made = train_files(table, tmp_path / "model.npz", SensorTraining(window=0), checkpoint=False)
    assert made.trained.model.series is not None
    assert rows_not_learned(made) == 0


def test_wild_rows_of_all_sensors_are_no_rows_without_values(tmp_path: Path) -> None:
    rows = np.concatenate([series_rows(0), series_rows(1)], axis=1)
    rows[[5, 1000, 3000]] = 65535.0
    rows[[2000, 2001]] = np.nan
    table = tmp_path / "rows.csv"
    np.savetxt(table, rows, delimiter=",", header="t,p", comments="")
    made = train_files(table, tmp_path / "model.npz", SensorTraining(window=0), checkpoint=False)
    assert ([one.count for one in made.trained.lone], rows_not_learned(made)) == ([3, 3], 2)
