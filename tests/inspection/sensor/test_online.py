import threading

import numpy as np
import pytest

from inspection.sensor import (
    OnlineLearner,
    OnlineSettings,
    SensorModel,
    SensorStream,
    SensorTraining,
    drift_report,
    model_bytes,
    model_from_bytes,
    train,
)
from inspection.sensor.training.bounds import unbounded
from models.errors import InvalidInput
from models.messages import LANGUAGES
from tests.support.errors import has_code, raised_in
from tests.support.sensor_rows import COLUMNS, machine_rows

DAY_S = 86_400.0
BRISK = OnlineSettings(rate=0.02, quarantine=20)


@pytest.fixture(scope="module")
def reference() -> SensorModel:
    return train(machine_rows(400), COLUMNS, SensorTraining(percent=99)).model


@pytest.fixture(scope="module")
def windowed() -> SensorModel:
    return train(machine_rows(400), COLUMNS, SensorTraining(window=5)).model


def days(count: int, rows_a_day: int) -> np.ndarray:
    return np.arange(count * rows_a_day) * (DAY_S / rows_a_day)


def test_a_long_anomaly_does_not_become_normal(reference: SensorModel, windowed: SensorModel) -> None:
    for model in (reference, windowed):
        learner = OnlineLearner(model, BRISK)
        rows = machine_rows(3000, seed=1)
        rows[100:, 0] += 15
        verdicts = [
            learner.push(row, at).row_score.status
            for row, at in zip(rows.tolist(), days(30, 100).tolist(), strict=True)
        ]
        assert verdicts[-500:].count("anomaly") > 490
        assert learner.rows_learned < 100
        untouched = model.scaling.center
        assert np.abs((learner.model.scaling.center - untouched) / model.scaling.scale).max() < 0.5


def test_a_slow_harmless_change_is_followed(reference: SensorModel) -> None:
    learner = OnlineLearner(reference, BRISK)
    rows = machine_rows(4000, seed=2)
    # The temperature rises by two standard deviations within forty days, slower than what a day allows.
    rows[:, 2] += np.linspace(0, 4, len(rows))
    learned = [learner.push(row, at) for row, at in zip(rows.tolist(), days(40, 100).tolist(), strict=True)]
    late = learned[-1000:]
    assert np.mean([found.row_score.status == "anomaly" for found in late]) < 0.1
    assert np.mean([found.reference_score > reference.metadata.threshold for found in late]) > 0.8
    moved = {found.feature: found.distance for found in learner.feature_shift()}
    assert moved["temperature"] > 1
    assert not any(found.at_bound for found in learner.feature_shift())


def test_a_change_without_end_is_followed_only_to_the_bound(reference: SensorModel) -> None:
    bounds = BRISK.model_copy(update={"max_total_shift": 1.0})
    learner = OnlineLearner(reference, bounds)
    rows = machine_rows(6000, seed=3)
    rows[:, 2] += np.linspace(0, 8, len(rows))
    verdicts = [
        learner.push(row, at).row_score.status for row, at in zip(rows.tolist(), days(60, 100).tolist(), strict=True)
    ]
    assert verdicts[-500:].count("anomaly") > 450
    feature_shift = {found.feature: found for found in learner.feature_shift()}
    assert abs(feature_shift["temperature"].distance) <= 1.0 + 1e-9
    assert max(abs(found.distance) for found in feature_shift.values()) <= 1.0 + 1e-9


def test_a_day_moves_no_further_than_a_day_may(reference: SensorModel) -> None:
    bounds = OnlineSettings(rate=0.1, quarantine=0, max_shift_per_day=0.05)
    learner = OnlineLearner(reference, bounds)
    before = learner.model.scaling.center
    for day in range(4):
        for row in machine_rows(200, seed=day).tolist():
            learner.push(row, day * DAY_S + 10)
        after = learner.model.scaling.center
        assert np.abs((after - before) / reference.scaling.scale).max() <= 0.05 + 1e-9
        before = after


def test_a_clock_set_back_repeatedly_lends_no_further_days(reference: SensorModel) -> None:
    learner = OnlineLearner(reference, OnlineSettings(rate=0.1, quarantine=0, max_shift_per_day=0.05))
    rows = machine_rows(600, seed=13)
    rows[:, 2] += np.linspace(0, 4, len(rows))
    for place, row in enumerate(rows.tolist()):
        # Midnight within every second row: two clocks that differ by two seconds.
        learner.push(row, 10 * DAY_S + (-1 if place % 2 else 1))
    assert max(abs(found.distance) for found in learner.feature_shift()) <= 0.05 + 1e-9
    for row in machine_rows(50, seed=14).tolist():
        learner.push(row, 11 * DAY_S + 2)
    assert 0.05 < max(abs(found.distance) for found in learner.feature_shift()) <= 0.1 + 1e-9


def test_rows_around_an_anomaly_are_not_learned(reference: SensorModel) -> None:
    learner = OnlineLearner(reference, OnlineSettings(quarantine=30))
    usual, broken = [100.0, 2.0, 60.0], [120.0, 1.0, 60.0]
    for _ in range(30):
        assert learner.push(usual, 0.0).reason == "waiting"
    assert learner.rows_learned == 0
    assert learner.push(broken, 0.0).reason == "too-near-the-threshold"
    for _ in range(29):
        assert learner.push(usual, 0.0).reason == "quarantine"
    learned_before = learner.rows_learned
    for _ in range(40):
        learner.push(usual, 0.0)
    assert learned_before == 0
    assert 0 < learner.rows_learned <= 11


def test_single_false_alarms_do_not_stop_the_learning() -> None:
    # Every twentieth normal row lies above this threshold, as its rate says.
    model = train(machine_rows(400), COLUMNS, SensorTraining(percent=95)).model
    learner = OnlineLearner(model)
    for row in machine_rows(2000, seed=12).tolist():
        learner.push(row, 0.0)
    assert learner.rows_learned > 200


def test_learning_online_never_touches_the_reference(reference: SensorModel) -> None:
    before = model_bytes(reference)
    learner = OnlineLearner(reference, OnlineSettings(quarantine=0, weight_rate=0.1, max_weight_change=0.02))
    for row in machine_rows(1500, seed=4).tolist():
        learner.push(row, 0.0)
    assert model_bytes(reference) == before
    assert learner.model.metadata.threshold == reference.metadata.threshold
    inner = unbounded(learner.model.network).weights, unbounded(reference.network).weights
    for new, old in zip(*inner, strict=True):
        assert 0 < np.linalg.norm(new - old) <= 0.02 * np.linalg.norm(old) * 1.0001
    saved = model_from_bytes(model_bytes(learner.model), "m.npz")
    rows = machine_rows(50, seed=5)
    assert np.array_equal(saved.score(rows), learner.model.score(rows))
    again = OnlineLearner(reference, current=saved)
    assert again.feature_shift() == learner.feature_shift()


def test_a_row_that_cannot_be_scored_is_not_learned(windowed: SensorModel) -> None:
    learner = OnlineLearner(windowed, OnlineSettings(quarantine=0))
    rows = machine_rows(60, seed=6).tolist()
    for row in rows[:20]:
        learner.push(row, 0.0)
    for _ in range(4):
        learner.push([None, None, None], 0.0)
    before = learner.rows_learned
    with pytest.raises(InvalidInput, check=has_code("sensor-too-many-missing", expected=3)):
        learner.push([None, None, None], 0.0)
    assert learner.rows_learned == before
    for row in rows[20:]:
        assert learner.push(row, 0.0).row_score.score > 0


def test_threads_may_push_at_once(reference: SensorModel) -> None:
    learner = OnlineLearner(reference, OnlineSettings(quarantine=0, margin=1))
    rows = [row for row in machine_rows(400, seed=7).tolist() if reference.score_row(row).status == "normal"][:300]

    def push() -> None:
        for row in rows:
            learner.push(row, 0.0)

    threads = [threading.Thread(target=push) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert learner.rows_learned > 800


def test_the_drift_report_distinguishes_a_shifted_sensor_from_the_others(reference: SensorModel) -> None:
    rows = machine_rows(600, seed=8)
    assert {found.level for found in drift_report(reference, rows)} == {"stable"}
    rows[:, 1] += 0.4
    report = {found.column: found for found in drift_report(reference, rows)}
    assert {name: found.level for name, found in report.items()} == {
        "speed": "stable",
        "current": "changed",
        "temperature": "stable",
    }
    assert report["current"].shift == pytest.approx(1, abs=0.15)
    assert report["current"].distance == pytest.approx(0.38, abs=0.06)
    rows[:, 1] -= 0.28
    assert drift_report(reference, rows)[1].level in {"stable", "moved"}


def test_the_drift_report_admits_too_few_rows_in_both_languages(reference: SensorModel) -> None:
    few = drift_report(reference, machine_rows(49, seed=9))
    assert {found.level for found in few} == {"too-few-rows"}
    gone = machine_rows(100, seed=9)
    gone[:, 0] = np.nan
    for found in (*few, *drift_report(reference, gone), *drift_report(reference, machine_rows(100) * 2)):
        texts = [found.text(language) for language in LANGUAGES]
        assert all(found.column in text.detail and text.advice for text in texts)
    with pytest.raises(InvalidInput, check=has_code("sensor-wrong-length", given=2, expected=3)):
        drift_report(reference, np.zeros((100, 2)))


def test_a_sensor_that_stood_still_has_changed_wherever_it_goes() -> None:
    rows = np.column_stack([machine_rows(300), np.full(300, 24.0)])
    model = train(rows, (*COLUMNS, "supply"), SensorTraining(epochs=3)).model
    levels = []
    for value in (22.0, 24.0, 26.0):
        rows[:, 3] = value
        levels.append(drift_report(model, rows)[3].level)
    assert levels == ["changed", "stable", "changed"]


def test_a_learner_does_not_go_on_from_a_model_of_other_sensors(reference: SensorModel) -> None:
    other = train(machine_rows(100), ("a", "b", "c"), SensorTraining(epochs=3)).model
    with pytest.raises(ValueError, check=raised_in(SensorStream)):
        OnlineLearner(reference, current=other)


def test_chance_alone_is_no_drift(reference: SensorModel) -> None:
    levels = [found.level for seed in range(40) for found in drift_report(reference, machine_rows(60, seed=100 + seed))]
    assert levels.count("stable") > 0.85 * len(levels)
    assert "changed" not in levels
