"""Stops of a machine among its training rows do not hide faults of the running machine."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inspection.sensor import (
    SensorModel,
    SensorStream,
    SensorTraining,
    model_bytes,
    model_from_bytes,
    score_rows,
    train,
)
from inspection.sensor.model.stops import Stops
from inspection.sensor.training.cycles import find_cycles
from inspection.sensor.training.stops import find_stops

DAY, PERIOD_S = 288, 300.0
Matrix = NDArray[np.float64]


def rows(days: int, seed: int, stops: tuple[int, ...]) -> tuple[Matrix, NDArray[np.float64]]:
    """Return a temperature that stands at 20 for six hours from the days in ``stops`` on."""
    rng = np.random.default_rng(seed)
    values = 60 + 2 * np.sin(2 * np.pi * np.arange(days * DAY) / DAY) + rng.normal(scale=0.5, size=days * DAY)
    for day in stops:
        values[day * DAY + 50 : day * DAY + 122] = 20 + rng.normal(scale=0.1, size=72)
    return values[:, None], np.arange(len(values)) * PERIOD_S


def model_of(stops: tuple[int, ...]) -> SensorModel:
    values, seconds = rows(21, 1, stops)
    return train(values, ("oil",), SensorTraining(window=0), period_s=PERIOD_S, seconds=seconds).model


@pytest.mark.parametrize("stops", [(5,), (2, 6, 9, 15)])
def test_stops_among_the_training_rows_do_not_hide_a_shift(stops: tuple[int, ...]) -> None:
    values, seconds = rows(7, 2, ())
    values[4 * DAY :] += 8
    alarms = score_rows(model_of(stops), values, seconds + 28 * 86_400).alarms
    assert not alarms[: 4 * DAY].any()
    assert alarms[4 * DAY : 5 * DAY].any()


def test_a_stop_like_several_of_the_training_raises_no_alarm() -> None:
    values, seconds = rows(7, 2, (3,))
    assert not score_rows(model_of((2, 6, 9, 15)), values, seconds + 28 * 86_400).alarms.any()


def test_a_model_is_read_whose_stops_one_of_two_sensors_shows() -> None:
    stopping, seconds = rows(21, 1, (2, 6, 9, 15))
    ambient = 25 + np.random.default_rng(4).normal(size=(len(stopping), 1))
    both = np.concatenate([stopping, ambient], axis=1)
    model = train(both, ("oil", "ambient"), SensorTraining(window=0), period_s=PERIOD_S, seconds=seconds).model
    assert model.series is not None
    assert model.series.stops is not None
    assert model.series.stops.shown.tolist() == [True, False]
    np.testing.assert_array_equal(
        score_rows(model_from_bytes(model_bytes(model), "m.npz"), both, seconds).scores,
        score_rows(model, both, seconds).scores,
    )


@pytest.mark.parametrize("seed", range(5))
def test_stops_are_found_that_come_from_one_row_to_the_next(seed: int) -> None:
    rng = np.random.default_rng(seed)
    speed = 100 + rng.normal(size=4000)
    for start in range(300, 3800, 600):
        speed[start : start + 40] = 0.5 + rng.normal(scale=0.1, size=40)
    found = find_stops(speed[:, None], speed[:, None] - speed.mean())
    assert found is not None
    assert found.count == 6


def test_a_stop_is_normal_where_the_training_shows_only_one() -> None:
    values, seconds = rows(7, 2, (3,))
    assert not score_rows(model_of((5,)), values, seconds + 28 * 86_400).alarms.any()


def test_a_stop_that_one_of_three_sensors_shows_once_is_an_alarm() -> None:
    rng = np.random.default_rng(4)
    stopping, seconds = rows(21, 1, (5,))
    others = 50 + rng.normal(size=(len(stopping), 2))
    columns, settings = ("oil", "speed", "load"), SensorTraining(window=0)
    values = np.concatenate([stopping, others], axis=1)
    model = train(values, columns, settings, period_s=PERIOD_S, seconds=seconds).model
    later, times = rows(7, 2, (3,))
    later = np.concatenate([later, others[: len(later)]], axis=1)
    assert score_rows(model, later, times + 28 * 86_400).alarms[3 * DAY : 4 * DAY].any()


def test_a_drop_that_does_not_reach_the_floor_of_stops_is_an_alarm() -> None:
    values, seconds = rows(7, 2, ())
    values[3 * DAY : 4 * DAY] -= 12
    assert score_rows(model_of((2, 6, 9, 15)), values, seconds + 28 * 86_400).alarms[3 * DAY : 4 * DAY].any()


def test_a_low_load_that_is_kept_for_hours_is_no_stop() -> None:
    rng = np.random.default_rng(5)
    load = np.repeat(rng.uniform(45, 60, 84), 72)
    load[20 * 72 : 21 * 72] = 36
    deviations = load - np.median(load)
    assert find_stops(load[:, None], np.where(np.abs(deviations) < 12, deviations / 100, deviations)[:, None]) is None


@pytest.mark.parametrize(("count", "learned"), [(1, False), (2, True)])
def test_the_edges_of_a_single_stop_are_not_learned(count: int, learned: bool) -> None:
    values, _ = rows(21, 1, ())
    for day in (5, 12)[:count]:
        values[day * DAY + 44 : day * DAY + 50, 0] = (54.5, 54.5, 54.5, 40, 30, 25)
        values[day * DAY + 50 : day * DAY + 122, 0] = 20
    found = find_stops(values, values - np.median(values))
    assert found is not None
    assert bool(found.mask[5 * DAY + 45]) != learned


def test_low_rows_are_judged_again_when_they_do_not_reach_the_floor() -> None:
    one = np.ones(1)
    stops = Stops(one > 0, 50 * one, 55 * one, 100, 30 * one, 5)
    mask, stopped = stops.mask(np.full((20, 1), 40.0), 0)
    assert mask.tolist() == [True] * 5 + [False] * 15
    assert stops.mask(np.full((3, 1), 20.0), stopped)[0].all()


def test_a_stop_much_longer_than_those_of_the_training_is_an_alarm() -> None:
    values, seconds = rows(7, 2, ())
    values[3 * DAY : 5 * DAY] = 20
    assert score_rows(model_of((2, 6, 9, 15)), values, seconds + 28 * 86_400).alarms[3 * DAY : 5 * DAY].any()


def test_a_stream_has_the_scores_of_the_table_through_a_stop() -> None:
    model = model_from_bytes(model_bytes(model_of((2, 6, 9, 15))), "oil.npz")
    values, seconds = rows(1, 2, (0,))
    seconds = seconds + 28 * 86_400
    wanted = score_rows(model, values, seconds).scores
    stream = SensorStream(model)
    first = [stream.push(row.tolist(), float(at)).score for row, at in zip(values[:80], seconds[:80], strict=True)]
    stream = SensorStream(model, stream.state())
    then = [stream.push(row.tolist(), float(at)).score for row, at in zip(values[80:], seconds[80:], strict=True)]
    np.testing.assert_allclose(first + then, wanted, rtol=1e-6, atol=1e-9)


def test_nights_of_a_machine_that_runs_by_day_are_no_stops() -> None:
    rng = np.random.default_rng(3)
    place = np.arange(21 * DAY)
    values = np.where((place % DAY > 80) & (place % DAY < 250), 60.0, 20.0) + rng.normal(scale=0.5, size=len(place))
    seconds = place * PERIOD_S
    series = train(values[:, None], ("oil",), SensorTraining(window=0), period_s=PERIOD_S, seconds=seconds).model.series
    assert series is not None
    assert series.stops is None


def test_a_period_between_rows_is_found_under_a_day() -> None:
    rng = np.random.default_rng(0)
    place = np.arange(28.0 * DAY)
    values = np.sin(2 * np.pi * place / 37.3) + np.sin(2 * np.pi * place / DAY) + 0.3 * rng.normal(size=len(place))
    assert any(cycle.period == pytest.approx(37.3, rel=1e-4) for cycle in find_cycles(values[:, None], place, None))


def test_a_cycle_that_loses_its_phase_is_left_out() -> None:
    rng = np.random.default_rng(0)
    wandering = np.cumsum(rng.normal(scale=0.05, size=6000))
    values = np.sin(2 * np.pi * np.arange(6000) / 37.3 + wandering) + 0.3 * rng.normal(size=6000)
    assert find_cycles(values[:, None], np.arange(6000.0), None) == ()
