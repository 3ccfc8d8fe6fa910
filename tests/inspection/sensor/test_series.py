"""Models of a series: what of a single signal is found, and what stays normal."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from inspection.sensor import (
    OnlineLearner,
    SensorStream,
    SensorTraining,
    model_bytes,
    model_from_bytes,
    score_rows,
    train,
)
from inspection.sensor.model.metadata import SeriesMetadata
from inspection.sensor.model.series import Series
from inspection.sensor.training.cycles import find_cycles
from inspection.sensor.training.return_levels import block_maxima, return_level, return_levels
from inspection.sensor.training.series import is_series
from models.errors import InvalidInput
from tests.support.errors import has_code
from tests.support.sensor_rows import COLUMNS, machine_rows
from tests.support.sensor_series import DAY, PERIOD_S, series_model, temperature

ONSET = 4 * DAY
Fault = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def shifted(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values + 8


def drifting(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values + 4 * np.arange(len(values))[:, None] / DAY


def stuck(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.full_like(values, values[0, 0])


def spiked(values: NDArray[np.float64]) -> NDArray[np.float64]:
    out = values.copy()
    out[3] += 30
    return out


def noisy(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values + np.random.default_rng(9).normal(scale=4, size=values.shape), np.float64)


def of_half_a_day(values: NDArray[np.float64]) -> NDArray[np.float64]:
    place = np.arange(len(values))[:, None]
    turned = 4 * np.sin(4 * np.pi * place / DAY) - 4 * np.sin(2 * np.pi * place / DAY)
    return np.asarray(values + turned, np.float64)


@pytest.mark.parametrize("fault", [shifted, drifting, stuck, spiked, noisy, of_half_a_day])
def test_a_fault_of_a_single_signal_is_found_within_two_days(fault: Fault) -> None:
    values, seconds = temperature(7, seed=1, first_day=28)
    values[ONSET:] = fault(values[ONSET:])
    alarms = score_rows(series_model(), values, seconds).alarms
    assert not alarms[:ONSET].any()
    assert alarms[ONSET : ONSET + 2 * DAY].any()


def test_one_date_far_away_hides_no_cycle() -> None:
    rng = np.random.default_rng(4)
    values = np.sin(2 * np.pi * np.arange(2000) / 20)[:, None] + rng.normal(scale=0.1, size=(2000, 1))
    positions = np.concatenate([[0.0], 1.8e9 + np.arange(1999)])
    (cycle,) = find_cycles(values, positions, None)
    assert cycle.period == pytest.approx(20, rel=0.01)


def test_four_normal_weeks_raise_no_alarm() -> None:
    values, seconds = temperature(28, seed=2, first_day=28)
    assert not score_rows(series_model(), values, seconds).alarms.any()


def test_a_slow_season_is_followed() -> None:
    values, seconds = temperature(90, seed=3, first_day=28)
    values += 6 * (1 - np.cos(np.pi * np.arange(len(values)) / len(values)))[:, None] / 2
    assert not score_rows(series_model(), values, seconds).alarms.any()


def test_the_day_is_recognised_by_the_clock() -> None:
    series = series_model().metadata.series
    assert series is not None
    assert [period for period, _ in series.cycles] == [DAY]
    assert series.spans[-1] == DAY


def test_a_cycle_of_a_machine_is_recognised_without_times() -> None:
    rng = np.random.default_rng(0)
    values = (np.arange(3000) % 40 > 25)[:, None] * 10 + rng.normal(scale=0.3, size=(3000, 1))
    metadata = train(values, ("current",), SensorTraining(window=0)).model.metadata.series
    assert metadata is not None
    assert [period for period, _ in metadata.cycles] == [40]
    assert metadata.origin_s is None


def test_times_show_the_place_in_the_cycle_at_once() -> None:
    values, seconds = temperature(1, seed=4, first_day=28)
    stream = SensorStream(series_model())
    stream.push(values[60].tolist(), float(seconds[60]))
    assert not stream.warming_up


def test_a_machine_that_begins_off_its_base_line_has_not_just_moved() -> None:
    values, seconds = temperature(2, seed=2, first_day=28)
    assert not score_rows(series_model(), values + 1.5, seconds).alarms[:3].any()


def test_rows_after_a_gap_are_no_change_of_level() -> None:
    rng = np.random.default_rng(1)
    level = np.repeat(rng.normal(scale=3, size=60), 100)
    values = 60 + np.convolve(np.concatenate([np.full(29, level[0]), level]), np.ones(30) / 30, mode="valid")[:, None]
    values = values + rng.normal(scale=0.2, size=values.shape)
    seconds = np.arange(len(values)) * 300.0
    model = train(values[:4000], ("oil",), SensorTraining(window=0), period_s=300.0, seconds=seconds[:4000]).model
    kept = np.ones(2000, np.bool_)
    for start in range(80, 2000, 200):
        kept[start : start + 60] = False
    assert not score_rows(model, values[4000:][kept], seconds[4000:][kept]).alarms.any()


def test_a_fault_far_off_is_forgotten_sooner_than_in_files_of_before() -> None:
    values, seconds = temperature(7, seed=1, first_day=28)
    values[DAY : DAY + 36] += 20
    model = series_model()
    series = cast("Series", model.series)
    before = SeriesMetadata(origin_s=None).largest
    last, last_before = (
        np.flatnonzero(score_rows(replace(model, series=replace(series, largest=most)), values, seconds).alarms)[-1]
        for most in (series.largest, before)
    )
    assert before == 20
    assert DAY + 36 <= last < last_before


def test_the_most_that_a_row_counts_is_kept_in_the_file() -> None:
    read = model_from_bytes(model_bytes(series_model()), "oil.npz")
    assert cast("Series", read.series).largest == cast("Series", series_model().series).largest < 20


def test_a_state_of_before_known_rows_were_counted_is_read() -> None:
    series = series_model().series
    assert series is not None
    # The last value, of stops, is newer still.
    flattened = series.begin().flattened()[:-1]
    channels, scales = series.channels, len(series.spans)
    kept = np.arange(4 * channels * scales) % (4 * channels) < 3 * channels
    head = len(flattened) - 4 * channels * scales
    old = np.concatenate([flattened[:head], flattened[head:][kept]])
    read = series.state_of(old)
    np.testing.assert_array_equal(read.means[:, : 3 * channels], series.begin().means[:, : 3 * channels])
    assert (read.means[:, 3 * channels :] == 1).all()


def test_a_state_of_before_episodes_were_kept_is_read() -> None:
    series = series_model().series
    assert series is not None
    stopped = replace(series.begin(), stopped=5, episode=0, offsets=np.arange(len(series.begin().offsets)) + 1.0)
    assert len(stopped.offsets)
    # One value of the tail, the stop, as those versions wrote it.
    parts = [[stopped.position, stopped.rows], stopped.base, stopped.moved, stopped.last, stopped.means.ravel()]
    read = series.state_of(np.concatenate([*parts, stopped.offsets, [5]]))
    assert (read.stopped, read.episode, read.quiet) == (5, 0, 0)
    np.testing.assert_array_equal(read.offsets, stopped.offsets)
    np.testing.assert_array_equal(read.means, stopped.means)


def test_rows_of_one_value_raise_no_alarm_by_rounding() -> None:
    seconds = np.arange(600) * 60.0
    for window, times in ((0, seconds), (1, None), (5, None)):
        values = np.full((600, 1), 24.1)
        settings_of = SensorTraining(window=window, epochs=5)
        model = train(values, ("supply",), settings_of, period_s=60.0, seconds=times).model
        later = np.full((40, 1), 24.1 + 1e-9)
        assert not score_rows(model, later, None if times is None else 36_000 + times[:40]).alarms.any()
        later[20:] = 26.0
        assert score_rows(model, later, None if times is None else 36_000 + times[:40]).alarms[20:].any()


def test_a_stream_has_the_scores_of_the_table() -> None:
    values, seconds = temperature(2, seed=4, first_day=28)
    values[50:53] = np.nan
    seconds[100:] += 40 * PERIOD_S
    wanted = series_model().score(values[:260], seconds[:260])
    stream, found = SensorStream(series_model()), []
    for row, at in zip(values[:260].tolist(), seconds[:260].tolist(), strict=True):
        if np.isnan(row[0]):
            with pytest.raises(InvalidInput, check=has_code("sensor-too-many-missing")):
                stream.push(row, at)
            found.append(np.nan)
        else:
            found.append(stream.push(row, at).score)
        stream = SensorStream(series_model(), stream.state())
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_a_machine_that_comes_back_after_a_long_gap_is_judged_anew() -> None:
    values, seconds = temperature(4, seed=5, first_day=28)
    values[: 2 * DAY] += 8
    seconds[2 * DAY :] += 3 * DAY * PERIOD_S
    alarms = score_rows(series_model(), values, seconds).alarms
    assert alarms[: 2 * DAY].any()
    assert not alarms[2 * DAY :].any()


def test_a_model_of_a_series_is_the_same_after_its_file() -> None:
    model = series_model()
    values, seconds = temperature(3, seed=6, first_day=28)
    again = model_from_bytes(model_bytes(model), "oil.npz")
    np.testing.assert_array_equal(again.score(values, seconds), model.score(values, seconds))
    assert again.metadata == model.metadata


@pytest.mark.parametrize("spans", [(1, 2), (3, 3, 9), ()])
def test_a_file_with_wrong_scales_is_refused(spans: tuple[int, ...]) -> None:
    model = series_model()
    assert model.metadata.series is not None
    series = model.metadata.series.model_copy(update={"spans": spans})
    wrong = replace(model, metadata=model.metadata.model_copy(update={"series": series}))
    with pytest.raises(InvalidInput, check=has_code("sensor-model-damaged")):
        model_from_bytes(model_bytes(wrong), "oil.npz")


def test_a_difference_between_related_sensors_is_found_within_their_ranges() -> None:
    rng = np.random.default_rng(0)
    load = np.repeat(rng.normal(size=250), 20)
    pair = np.stack([12 + 1.5 * load, 1480 - 4 * load], axis=1) + rng.normal(scale=[0.15, 0.5], size=(5000, 2))
    model = train(pair[:3500], ("current", "speed"), SensorTraining(window=0)).model
    later = pair[3500:].copy()
    later[800:, 0] += 1.2
    scored = score_rows(model, later)
    assert not scored.alarms[:800].any()
    assert scored.alarms[800:1200].any()


def test_rows_without_order_are_learned_row_by_row() -> None:
    assert not is_series(machine_rows(500), None)
    assert train(machine_rows(500), COLUMNS, SensorTraining(window=0, epochs=3)).model.metadata.window == 1


def pulses(rows: int, seed: int) -> NDArray[np.float64]:
    """Return one sensor with two strokes in every 20 rows, which hardly follow from the row before."""
    phase = np.arange(rows) % 20
    stroke = np.select([phase == 2, phase == 4], [7.0, -2.0], 0.0)
    return (stroke + np.random.default_rng(seed).normal(0, 0.05, rows))[:, None]


def test_rows_that_repeat_a_cycle_are_a_series_though_unlike_their_neighbours() -> None:
    model = train(pulses(2000, 0), ("stroke",), SensorTraining(window=0)).model
    assert model.series is not None
    later = pulses(1000, 1)
    later[500:600] = 0.0
    alarms = score_rows(model, later).alarms
    assert (alarms[:500].any(), alarms[500:600].any()) == (False, True)


@pytest.mark.parametrize("period", [30, 110, 150])
def test_rare_strokes_that_repeat_are_a_series(period: int) -> None:
    rows = np.random.default_rng(0).normal(0, 0.05, 1500)
    rows[np.arange(1500) % period == 2] += 7
    assert is_series(rows[:, None], None)


def noise(seed: int, rows: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(rows, 3))


def mostly_missing(seed: int, rows: int) -> NDArray[np.float64]:
    values = noise(seed, rows)
    values[np.random.default_rng(seed).random(rows) > 0.1, 2] = np.nan
    return values


def two_outliers(seed: int, rows: int) -> NDArray[np.float64]:
    values = noise(seed, rows)
    values[np.random.default_rng(seed).choice(rows, 2, replace=False), 0] = -9999
    return values


def two_events(seed: int, rows: int) -> NDArray[np.float64]:
    values = noise(seed, rows)
    values[:, 0] = 0
    values[np.random.default_rng(seed).choice(rows, 2, replace=False), 0] = 1
    return values


@pytest.mark.parametrize("rows", [120, 300, 1000])
@pytest.mark.parametrize("made", [noise, mostly_missing, two_outliers, two_events])
def test_independent_rows_are_no_series_without_times(
    made: Callable[[int, int], NDArray[np.float64]], rows: int
) -> None:
    assert not any(is_series(made(seed, rows), None) for seed in range(40))


def test_a_sensor_that_fell_silent_long_ago_does_not_hide_the_others() -> None:
    values = np.concatenate([pulses(25_000, 0), pulses(25_000, 1)], axis=1)
    values[1000:, 0] = np.nan
    assert is_series(values, None)


def test_the_bottleneck_is_narrower_than_the_features() -> None:
    sizes = series_model().network.sizes
    assert min(sizes) < sizes[0]


def test_a_sensor_that_never_moves_is_found_when_it_does() -> None:
    values, seconds = temperature(28)
    pair = np.concatenate([values, np.full_like(values, 24.0)], axis=1)
    model = train(pair, ("oil", "supply"), SensorTraining(window=0), period_s=PERIOD_S, seconds=seconds).model
    later, at = temperature(4, seed=7, first_day=28)
    later = np.concatenate([later, np.full_like(later, 24.0)], axis=1)
    assert not score_rows(model, later, at).alarms.any()
    later[300:, 1] = 25.0
    scored = score_rows(model, later, at)
    assert scored.alarms[300:310].any()
    assert scored.leading(int(scored.alarms.argmax()), 1)[0][0] == "supply"


def test_online_learning_is_not_for_a_model_that_follows_by_itself() -> None:
    with pytest.raises(ValueError, match="by itself"):
        OnlineLearner(series_model())


def test_a_model_of_a_series_is_not_trained_further() -> None:
    values, seconds = temperature(28)
    with pytest.raises(InvalidInput, check=has_code("sensor-start-series")):
        train(values, ("oil",), SensorTraining(window=0), seconds=seconds, start=series_model())


def test_a_level_is_no_lower_than_by_the_blocks_of_the_longest_memory() -> None:
    rows = np.random.default_rng(0).normal(size=(4000, 2))
    maxima, block = block_maxima(rows, 150)
    longest = return_level(maxima, 10 * len(rows) / block)
    levels = return_levels(rows, np.array([4000.0, 4.0]), 150, 10)
    assert (levels >= longest).all()


def test_a_feature_with_a_short_memory_has_the_level_of_all_its_maxima() -> None:
    rng = np.random.default_rng(1)
    levels = [return_levels(rng.normal(size=(6000, 1)), np.array([6000.0]), 600, 10)[0] for _ in range(40)]
    coarse = [return_level(block_maxima(rng.normal(size=(6000, 1)), 600)[0], 100)[0] for _ in range(40)]
    assert np.std(levels) < np.std(coarse)


def test_the_return_level_is_that_of_the_distribution() -> None:
    rng = np.random.default_rng(0)
    levels = [return_level(rng.gumbel(2.0, 0.5, size=(60, 1)), 400)[0] for _ in range(50)]
    assert np.mean(levels) == pytest.approx(2 + 0.5 * np.log(400), rel=0.03)


def test_blocks_are_as_long_as_twice_the_memory() -> None:
    maxima, rows = block_maxima(np.arange(1000.0)[:, None], 20)
    assert (len(maxima), rows) == (25, 40)
    assert maxima[-1, 0] == 999


def test_fewer_false_alarms_a_week_give_a_higher_threshold() -> None:
    values, seconds = temperature(28)
    thresholds = [
        train(
            values,
            ("oil",),
            SensorTraining(window=0, false_alarms_per_week=rate),
            period_s=PERIOD_S,
            seconds=seconds,
        ).model.metadata.threshold
        for rate in (2.0, 0.2)
    ]
    assert thresholds[0] < thresholds[1]


def test_files_of_rows_keep_the_first_format() -> None:
    model = train(machine_rows(100), COLUMNS, SensorTraining(epochs=1)).model
    assert model.metadata.format == 1
    assert b'"series"' not in model_bytes(model)
