"""What lies outside the training rows is not rebuilt, on whatever line of normal rows it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inspection.sensor import SensorModel, SensorTraining, model_bytes, train
from inspection.sensor.model.network import MAX_LAYERS, Network
from inspection.sensor.model_file.archive import model_from_bytes
from inspection.sensor.training.bounds import Bounds, bounded, bounds_of, unbounded
from inspection.sensor.training.online import OnlineLearner, OnlineSettings
from models.errors import InvalidInput
from tests.support.errors import has_code

Matrix = NDArray[np.float64]


def related(seed: int, rows: int = 1000) -> Matrix:
    """Return three sensors that rise and fall together."""
    rng = np.random.default_rng(seed)
    load = rng.normal(size=rows)
    return np.stack([1.2 + 2 * load, 0.9 + load, 1.1 - load], axis=1) + rng.normal(0, 0.1, (rows, 3))


def alone(seed: int, sensors: int, rows: int = 1000) -> Matrix:
    """Return sensors that are not related, around 50 with a deviation of 1."""
    return np.random.default_rng(seed).normal(50, 1, (rows, sensors))


def model_of(rows: Matrix, **settings: object) -> SensorModel:
    columns = tuple(f"sensor {place}" for place in range(rows.shape[1]))
    return train(rows, columns, SensorTraining.model_validate(settings)).model


def is_alarm(model: SensorModel, rows: Matrix) -> list[bool]:
    return [bool(above) for above in model.score(rows) > model.metadata.threshold]


def networks(seed: int, features: int) -> Network:
    rng = np.random.default_rng(seed)
    sizes = (features, 8, max(features - 1, 1), 8, features)
    pairs = list(pairwise(sizes))
    return Network(
        tuple(rng.normal(size=pair).astype(np.float32) for pair in pairs),
        tuple(rng.normal(size=outputs).astype(np.float32) for _, outputs in pairs),
    )


def limits(features: int) -> Bounds:
    return Bounds(np.full(features, -3.0), np.full(features, 2.0))


@given(seed=st.integers(0, 1000), features=st.integers(2, 6))
def test_within_its_bounds_a_network_rebuilds_what_it_did(seed: int, features: int) -> None:
    network, rng = networks(seed, features), np.random.default_rng(seed)
    rows = rng.uniform(-3, 2, (20, features))
    within = bounded(network, limits(features))
    assert within.reconstruct(rows) == pytest.approx(network.reconstruct(rows), abs=1e-3)


@given(seed=st.integers(0, 1000), features=st.integers(2, 6))
def test_beyond_its_bounds_a_network_rebuilds_what_lies_at_them(seed: int, features: int) -> None:
    network, rng = networks(seed, features), np.random.default_rng(seed)
    rows = rng.uniform(-30, 30, (20, features))
    within = bounded(network, limits(features))
    assert within.reconstruct(rows) == pytest.approx(network.reconstruct(np.clip(rows, -3, 2)), abs=1e-3)


@given(seed=st.integers(0, 1000), features=st.integers(2, 6))
def test_the_network_within_bounds_is_found_again(seed: int, features: int) -> None:
    network = networks(seed, features)
    again = unbounded(bounded(network, limits(features)))
    assert again.sizes == network.sizes
    rows = np.random.default_rng(seed).uniform(-3, 2, (20, features))
    assert again.reconstruct(rows) == pytest.approx(network.reconstruct(rows), abs=1e-3)


def test_a_feature_without_bounds_is_rebuilt_as_it_was() -> None:
    network, rows = networks(0, 3), np.array([[0.5, -2000.0, 1.0], [0.5, 3e5, 1.0]])
    bounds = Bounds(np.array([-1.0, -1e6, -1.0]), np.array([1.0, 1e6, 1.0]))
    within = bounded(network, bounds)
    assert within.reconstruct(rows) == pytest.approx(network.reconstruct(rows), rel=1e-4)
    found = bounds_of(within)
    assert found is not None
    assert (found.lowest.tolist(), found.highest.tolist()) == ([-1, -np.inf, -1], [1, np.inf, 1])


def test_bounds_are_known_after_further_training_of_all_weights() -> None:
    network = networks(0, 4)
    within = bounded(network, limits(4))
    moved = Network(tuple(weight * np.float32(1.02) for weight in within.weights), within.biases)
    assert unbounded(moved).sizes == network.sizes


def test_a_network_without_bounds_is_taken_as_it_is() -> None:
    network = networks(0, 4)
    assert unbounded(network) is network


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("times", [-20, -8, 8, 20])
def test_related_sensors_far_outside_their_range_are_an_anomaly_together(seed: int, times: int) -> None:
    rows = related(seed)
    centred = rows - rows.mean(axis=0)
    along = np.linalg.svd(centred, full_matrices=False)[2][0]
    far = rows.mean(axis=0) + times * (centred @ along).std() * along
    assert is_alarm(model_of(rows, seed=seed), far[None]) == [True]


@pytest.mark.parametrize("seed", range(5))
def test_each_sensor_far_outside_its_range_is_an_anomaly_by_itself(seed: int) -> None:
    model = model_of(alone(seed, 2), seed=seed)
    far = np.array([[60.0, 50.0], [40.0, 50.0], [50.0, 60.0], [50.0, 40.0]])
    assert is_alarm(model, far) == [True] * 4


@pytest.mark.parametrize("seed", range(3))
def test_windows_of_related_sensors_far_outside_are_an_anomaly(seed: int) -> None:
    rows = related(seed)
    model = model_of(rows, window=5, seed=seed)
    far = rows[:40] + 20 * np.array([2.0, 1.0, -1.0])
    assert all(is_alarm(model, far)[8:])


@pytest.mark.parametrize("scaling", ["standard", "robust"])
def test_one_sensor_by_itself_is_compared_with_its_middle(scaling: str) -> None:
    model = model_of(alone(0, 1, 2000), scaling=scaling)
    values = np.array([[50.0], [47.0], [53.0], [60.0], [40.0], [1e6]])
    assert is_alarm(model, values) == [False, True, True, True, True, True]


def test_a_value_of_one_sensor_counts_in_usual_deviations() -> None:
    model = model_of(alone(0, 1, 2000))
    assert model.score(np.array([[54.0], [46.0]])) == pytest.approx([4, 4], abs=0.3)


def test_held_out_rows_of_one_sensor_give_the_automatic_threshold() -> None:
    model = model_of(alone(0, 1, 2000), auto_threshold=True)
    assert 2.5 < model.metadata.threshold < 4.5


def test_a_sensor_that_is_missing_in_a_block_of_rows_is_bounded_all_the_same() -> None:
    rows = alone(0, 3, 400)
    rows[40:, 1] = np.nan
    model = model_of(rows, auto_threshold=True)
    assert is_alarm(model, np.array([[50.0, 50.0, 50.0], [90.0, 50.0, 50.0]])) == [False, True]


def test_training_that_continues_bounds_the_network_by_the_new_rows() -> None:
    before = model_of(related(0))
    rows = related(1) + 30
    columns = before.metadata.columns
    after = train(rows, columns, SensorTraining(epochs=300), start=before).model
    assert after.network.sizes == before.network.sizes
    assert is_alarm(after, np.array([rows.mean(axis=0), rows.mean(axis=0) + 60])) == [False, True]


def test_training_continues_on_rows_far_outside_the_scaling_of_before() -> None:
    first = np.concatenate([related(0), np.zeros((1000, 1))], axis=1)
    then = np.concatenate([related(1), np.random.default_rng(1).normal(5000, 1, (1000, 1))], axis=1)
    before = model_of(first, epochs=60)
    after = train(then, before.metadata.columns, SensorTraining(epochs=300), start=before).model
    middle = then.mean(axis=0)
    broken = middle + np.array([20 * then[:, 0].std(), 0, 0, 0])
    assert is_alarm(after, np.array([middle, broken])) == [False, True]


def test_a_learner_moves_what_is_within_the_bounds_alone() -> None:
    reference = model_of(related(0))
    learner = OnlineLearner(reference, OnlineSettings(weight_rate=0.1, quarantine=0))
    for at, row in enumerate(related(1).tolist()):
        learner.push(row, 60.0 * at)
    first, then = (bounds_of(model.network) for model in (reference, learner.model))
    assert first is not None
    assert then is not None
    assert np.array_equal(first.highest, then.highest)
    assert unbounded(learner.model.network).weights[0].tolist() != unbounded(reference.network).weights[0].tolist()


def test_a_network_of_as_many_layers_as_a_file_holds_gets_no_further_one() -> None:
    rows = related(0, 200)
    deep = model_of(rows, hidden=(8, 2), epochs=2)
    inner = unbounded(deep.network)
    middle = np.eye(8, dtype=np.float32)
    extra = MAX_LAYERS - len(inner.weights)
    weights = (inner.weights[0], *[middle] * extra, *inner.weights[1:])
    biases = (inner.biases[0], *[np.zeros(8, np.float32)] * extra, *inner.biases[1:])
    start = replace(deep, network=Network(weights, biases))
    made = train(rows, deep.metadata.columns, SensorTraining(epochs=2), start=start).model
    assert model_from_bytes(model_bytes(made), "m.npz").network.sizes == start.network.sizes


def test_training_of_one_sensor_that_continues_moves_its_middle() -> None:
    before = model_of(alone(0, 1))
    after = train(alone(1, 1) + 20, before.metadata.columns, SensorTraining(), start=before).model
    assert is_alarm(after, np.array([[70.0], [50.0]])) == [False, True]


@pytest.mark.parametrize(
    ("sensors", "window", "hidden"), [(3, 1, (3,)), (3, 1, (16, 4)), (3, 4, (8, 6)), (2, 1, (2, 8))]
)
def test_a_network_without_a_layer_narrower_than_its_input_is_refused(
    sensors: int, window: int, hidden: Sequence[int]
) -> None:
    features = sensors if window == 1 else 2 * sensors
    with pytest.raises(InvalidInput, check=has_code("sensor-bottleneck", units=min(hidden), features=features)):
        model_of(alone(0, sensors, 200), window=window, hidden=tuple(hidden), epochs=2)


def test_settings_that_one_sensor_has_no_use_for_are_named() -> None:
    made = train(alone(0, 1), ("oil",), SensorTraining(hidden=(8, 2), epochs=5))
    assert (made.unused, made.model.metadata.epochs) == (("hidden", "epochs"), 1)


def test_the_scaling_of_the_model_before_is_named_where_another_was_given() -> None:
    before = model_of(related(0), epochs=5)
    made = train(related(1), before.metadata.columns, SensorTraining(scaling="robust", epochs=2), start=before)
    assert made.unused == ("scaling",)
