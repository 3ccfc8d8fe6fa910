"""Single values far from all others: left out of the training of rows and windows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inspection.sensor import SensorTraining, load_model, train, train_files
from inspection.sensor.training.findings import findings_of
from inspection.sensor.training.lone_values import without_lone_values
from inspection.sensor.training.series import is_series

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
        pytest.param(lambda column: np.where(column > 2, 20.0, column), id="a-rare-mode"),
        pytest.param(lambda column: (column > 3).astype(float), id="a-switch"),
        pytest.param(lambda column: np.where(column > 3, 51.0, 50.0), id="a-set-point"),
        pytest.param(np.exp, id="skewed"),
        pytest.param(lambda column: np.full_like(column, 7.0), id="constant"),
    ],
)
def test_normal_values_are_all_learned(change: Callable[[Rows], Rows]) -> None:
    rows = change(normal_rows(1))
    kept, lone = without_lone_values(rows, NAMES)
    assert kept is rows
    assert lone == ()


def test_wild_values_on_both_sides_are_found() -> None:
    rows = normal_rows(0)
    rows[[10, 20, 30], 1] = [-500.0, 400.0, 401.0]
    kept, lone = without_lone_values(rows, NAMES)
    assert np.flatnonzero(np.isnan(kept).any(axis=1)).tolist() == [10, 20, 30]
    assert [(one.column, one.count, one.farthest) for one in lone] == [("b", 3, -500.0)]


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
