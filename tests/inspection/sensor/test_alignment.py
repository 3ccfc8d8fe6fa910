"""Where rows without times are in the cycles of a machine, in tables and in streams."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inspection.sensor import RowScore, SensorModel, SensorStream, SensorTraining, score_rows, train
from inspection.sensor.model.cycles import Cycle, align, expected, rows_to_align
from tests.support.sensor_series import BEGIN_S, DAY, PERIOD_S


def test_a_table_without_times_may_begin_anywhere_in_a_cycle() -> None:
    rng = np.random.default_rng(0)
    place = np.arange(3000)
    values = (place % 40 > 25)[:, None] * 10 + rng.normal(scale=0.3, size=(3000, 1))
    model = train(values, ("current",), SensorTraining(window=0)).model
    assert not score_rows(model, values[17:1000]).alarms.any()
    assert model.series is not None
    assert align(model.series.cycles, model.series.spread, values[17:200]).tolist() == [17]


def cycle_model() -> tuple[SensorModel, NDArray[np.float64]]:
    """Return a model without times of cycles of 40 rows, and rows of the same machine."""
    rng = np.random.default_rng(0)
    place = np.arange(4000)
    values = (place % 40 > 25)[:, None] * 10 + rng.normal(scale=0.3, size=(4000, 1))
    return train(values[:3000], ("current",), SensorTraining(window=0)).model, values[3000:]


def pushed(model: SensorModel, values: NDArray[np.float64]) -> list[RowScore]:
    """Return the scores of rows without times, each by a stream that goes on from the state of the one before."""
    found, state = [], None
    for row in values.tolist():
        stream = SensorStream(model, state)
        found.append(stream.push(row))
        state = stream.state()
    return found


def test_a_stream_without_times_may_begin_in_the_middle_of_a_cycle() -> None:
    model, later = cycle_model()
    found = pushed(model, later[17:600])
    assert {one.status for one in found} == {"normal"}
    wanted = model.score(later[17:600])
    np.testing.assert_allclose([one.score for one in found[39:]], wanted[39:], rtol=1e-9)


def test_a_fault_in_the_second_cycle_of_a_stream_without_times_is_found() -> None:
    model, later = cycle_model()
    faulty = later[17:97].copy()
    faulty[45:] += 5
    assert "anomaly" in {one.status for one in pushed(model, faulty)[45:60]}


def test_a_stream_without_times_fills_while_its_place_in_the_cycle_is_unknown() -> None:
    model, later = cycle_model()
    stream, filling = SensorStream(model), []
    for row in later[17:77].tolist():
        filling.append(stream.warming_up)
        stream.push(row)
    assert filling == [True] * 39 + [False] * 21


@given(seed=st.integers(0, 10_000), period=st.integers(5, 60), missing=st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_start_is_that_of_the_least_squares(seed: int, period: int, *, missing: bool) -> None:
    rng = np.random.default_rng(seed)
    cycles = (Cycle(float(period), 0.0, rng.normal(size=(period, 2))),)
    start = int(rng.integers(0, period))
    values = 5 + expected(cycles, np.zeros(2), start + np.arange(float(period))) + 0.3 * rng.normal(size=(period, 2))
    if missing:
        values[rng.random(values.shape) < 0.2] = np.nan
        values[0] = 5
    offs = [values - expected(cycles, np.zeros(2), one + np.arange(float(period))) for one in range(period)]
    sums = [np.nansum(np.square(off - np.nanmean(off, axis=0))) for off in offs]
    assert align(cycles, np.full(2, 0.3), values).tolist() == [int(np.argmin(sums))]


def long_cycle(rows: int) -> tuple[tuple[Cycle, ...], NDArray[np.float64]]:
    """Return a cycle of so many rows, and rows that begin a quarter later."""
    rng = np.random.default_rng(0)
    cycles = (Cycle(float(rows), 0.0, np.cumsum(rng.normal(size=(288, 1)), axis=0)),)
    values = expected(cycles, np.zeros(1), rows / 4 + np.arange(float(rows)))
    return cycles, values + rng.normal(scale=0.1, size=values.shape)


def test_the_place_in_a_long_cycle_is_found() -> None:
    cycles, values = long_cycle(20_000)
    # Rows of one phase of the profile are alike.
    assert abs(align(cycles, np.ones(1), values)[0] - 5_000) <= 20_000 / 288


def test_the_time_to_align_hardly_grows_faster_than_the_cycle() -> None:
    took = []
    for rows in (4_000, 40_000):
        cycles, values = long_cycle(rows)
        times = []
        for _ in range(3):
            began = time.thread_time()
            align(cycles, np.ones(1), values)
            times.append(time.thread_time() - began)
        took.append(min(times))
    # Trying each start would take a hundred times as long.
    assert took[1] < 40 * took[0]


def two_cycles(rows: int) -> NDArray[np.float64]:
    """Return rows ``(rows, 1)`` of a machine with two cycles that do not depend on each other."""
    place, rng = np.arange(rows), np.random.default_rng(0)
    values = np.sin(2 * np.pi * place / 50) + np.sin(2 * np.pi * place / 333)
    return np.asarray(values[:, None] + rng.normal(scale=0.1, size=(rows, 1)), np.float64)


@pytest.fixture(scope="module")
def of_two_cycles() -> SensorModel:
    return train(two_cycles(8000), ("current",), SensorTraining(window=0)).model


@pytest.mark.parametrize("start", [8000, 12_345, 20_017, 33_111])
def test_two_cycles_of_a_table_may_meet_in_any_way(of_two_cycles: SensorModel, start: int) -> None:
    assert of_two_cycles.series is not None
    assert len(of_two_cycles.series.cycles) == 2
    assert not score_rows(of_two_cycles, two_cycles(36_000)[start : start + 2000]).alarms.any()


def test_two_cycles_of_a_stream_may_meet_in_any_way(of_two_cycles: SensorModel) -> None:
    later = two_cycles(14_000)[12_345:13_345]
    found = pushed(of_two_cycles, later)
    assert {one.status for one in found} == {"normal"}
    wanted = of_two_cycles.score(later)
    np.testing.assert_allclose([one.score for one in found[332:]], wanted[332:], rtol=1e-9)


def test_a_fault_under_two_cycles_is_found(of_two_cycles: SensorModel) -> None:
    later = two_cycles(14_000)[12_345:13_345].copy()
    later[600:] += 1.5
    alarms = score_rows(of_two_cycles, later).alarms
    assert not alarms[:600].any()
    assert alarms[600:700].any()


def day_and_machine(days: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return values ``(rows, 1)`` with the course of a day and of 37 rows, and their seconds."""
    place, rng = np.arange(days * DAY), np.random.default_rng(0)
    values = 60 + 4 * np.sin(2 * np.pi * place / DAY) + 2 * np.sin(2 * np.pi * place / 37)
    values = values + rng.normal(scale=0.2, size=len(place))
    return values[:, None], np.asarray(BEGIN_S + place * PERIOD_S, np.float64)


@pytest.fixture(scope="module")
def with_times() -> SensorModel:
    values, seconds = day_and_machine(28)
    settings_of = SensorTraining(window=0)
    return train(values, ("oil",), settings_of, period_s=PERIOD_S, seconds=seconds).model


@pytest.mark.parametrize("start", [0, 68, 101, 218])
def test_a_model_of_a_day_judges_a_table_without_times(with_times: SensorModel, start: int) -> None:
    values, _ = day_and_machine(42)
    assert not score_rows(with_times, values[28 * DAY + start :][:1500]).alarms.any()


def test_a_model_of_a_day_judges_a_stream_without_times(with_times: SensorModel) -> None:
    values, _ = day_and_machine(35)
    stream = SensorStream(with_times)
    assert {stream.push(row).status for row in values[28 * DAY + 101 :].tolist()} == {"normal"}


def test_a_table_whose_times_are_all_missing_is_one_without_times(with_times: SensorModel) -> None:
    values, _ = day_and_machine(35)
    later = values[28 * DAY + 101 :]
    np.testing.assert_array_equal(with_times.score(later, np.full(len(later), np.nan)), with_times.score(later))


def test_times_end_the_offsets_of_a_stream_that_began_without(with_times: SensorModel) -> None:
    values, seconds = day_and_machine(35)
    stream = SensorStream(with_times)
    for row in values[28 * DAY + 101 :][: 2 * DAY].tolist():
        stream.push(row)
    later = slice(32 * DAY, 34 * DAY)
    found = [stream.push(row, at) for row, at in zip(values[later].tolist(), seconds[later].tolist(), strict=True)]
    assert {one.status for one in found} == {"normal"}


def test_a_stream_stores_no_more_than_half_a_mebibyte_of_first_rows() -> None:
    cycles = (Cycle(3000.0, 0.0, np.zeros((288, 64))),)
    assert rows_to_align(cycles, 64) * 64 * 8 == 512 * 1024


def test_a_part_of_a_cycle_beyond_the_limit_shows_the_place() -> None:
    rng = np.random.default_rng(0)
    cycles = (Cycle(3000.0, 0.0, rng.normal(size=(288, 64))),)
    values = expected(cycles, np.zeros(64), 1234 + np.arange(3000.0)) + rng.normal(size=(3000, 64))
    assert abs(align(cycles, np.ones(64), values)[0] - 1234) <= 3000 / 288


def test_a_state_without_offsets_is_read(of_two_cycles: SensorModel) -> None:
    series = of_two_cycles.series
    assert series is not None
    flattened = series.begin().flattened()
    # The last value is of stops.
    read = series.state_of(flattened[: -1 - len(series.cycles)])
    np.testing.assert_array_equal(read.flattened(), flattened)
