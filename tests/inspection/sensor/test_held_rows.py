"""The base line of a series does not follow what is an alarm, unless it lasts as long as the training."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inspection.sensor import SensorModel, SensorStream, SensorTraining, score_rows, train
from inspection.sensor.model.held_rows import Holding
from inspection.sensor.model.metadata import SeriesMetadata
from inspection.sensor.model.series import Series
from inspection.sensor.model.series_state import SeriesState
from inspection.sensor.scoring.episodes import episodes_of
from inspection.sensor.scoring.rows import RowScores
from tests.support.sensor_series import DAY, PERIOD_S, series_model, temperature

ONSET, BACK = 4 * DAY, 16 * DAY
"""Three times the memory of the base line lie between."""
STATES = st.lists(st.booleans(), min_size=1, max_size=60)


def with_shift(by: float, days: int = 20, back: int = BACK) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    values, seconds = temperature(days, seed=1, first_day=28)
    values[ONSET:back] += by
    return values, seconds


def holding(rows: int) -> SensorModel:
    metadata = series_model().metadata
    series = cast("SeriesMetadata", metadata.series).model_copy(update={"held": rows})
    return replace(series_model(), metadata=metadata.model_copy(update={"series": series}))


def test_a_fault_is_an_alarm_as_long_as_it_lasts() -> None:
    assert score_rows(series_model(), *with_shift(8)).alarms[ONSET + DAY : BACK].all()


def test_rows_back_at_normal_after_a_long_fault_are_no_alarms() -> None:
    assert not score_rows(series_model(), *with_shift(8)).alarms[BACK + 2 * DAY :].any()


def test_a_model_written_before_rows_were_held_follows_a_fault() -> None:
    assert SeriesMetadata(origin_s=None).held == 0
    alarms = score_rows(holding(0), *with_shift(8)).alarms
    assert alarms[BACK + 2 * DAY :].any()


def test_a_state_that_outlasts_the_training_becomes_normal() -> None:
    alarms = score_rows(series_model(), *with_shift(4, days=56, back=56 * DAY)).alarms
    assert alarms[ONSET + DAY : ONSET + 28 * DAY].any()
    assert not alarms[-7 * DAY :].any()


def test_a_moved_threshold_changes_no_score() -> None:
    rows, moved = with_shift(8), series_model().with_threshold(series_model().metadata.threshold * 100)
    np.testing.assert_array_equal(score_rows(moved, *rows).scores, score_rows(series_model(), *rows).scores)


@pytest.mark.slow
def test_slow_drift_is_followed_by_whatever_threshold() -> None:
    values, seconds = temperature(120, seed=1, first_day=28)
    values += 0.05 * np.arange(len(values))[:, None] / DAY
    held, free = (
        score_rows(model.with_threshold(model.threshold_at(95)), values, seconds).alarms[60 * DAY :].mean()
        for model in (holding(28 * DAY), holding(0))
    )
    assert held <= free + 0.01


def test_a_model_trained_by_a_percentile_holds_by_what_it_would_promise() -> None:
    values, seconds = temperature(28)
    settings = SensorTraining(window=0, percent=95)
    model = train(values, ("oil",), settings, period_s=PERIOD_S, seconds=seconds).model
    found, promised = cast("SeriesMetadata", model.metadata.series), cast("SeriesMetadata", holding(1).metadata.series)
    assert found.held_above == promised.held_above == series_model().metadata.threshold > model.metadata.threshold


@pytest.mark.slow
@pytest.mark.parametrize("rows", [0, 3 * DAY, 28 * DAY])
def test_a_stream_holds_the_same_rows_as_a_table(rows: int) -> None:
    values, seconds = with_shift(8, days=12, back=9 * DAY)
    stream = SensorStream(holding(rows))
    found = [stream.push(row, at).score for row, at in zip(values.tolist(), seconds.tolist(), strict=True)]
    np.testing.assert_allclose(found, score_rows(holding(rows), values, seconds).scores, rtol=1e-9)


@pytest.mark.slow
def test_a_stream_goes_on_within_an_episode() -> None:
    values, seconds = with_shift(8, days=12, back=9 * DAY)
    rows = list(zip(values.tolist(), seconds.tolist(), strict=True))
    first = SensorStream(series_model())
    for row, at in rows[: 8 * DAY]:
        first.push(row, at)
    then = SensorStream(series_model(), first.state())
    found = [then.push(row, at).score for row, at in rows[8 * DAY :]]
    np.testing.assert_allclose(found, score_rows(series_model(), values, seconds).scores[8 * DAY :], rtol=1e-9)


def test_a_state_of_before_episodes_were_kept_is_read() -> None:
    series = cast("Series", series_model().series)
    state = replace(series.begin(), stopped=5, episode=7, quiet=2, offsets=np.ones(len(series.cycles)))
    read = series.state_of(state.flattened()[:-2])
    np.testing.assert_array_equal(read.flattened(), replace(state, episode=0, quiet=0).flattened())
    assert (read.stopped, read.offsets.tolist()) == (5, state.offsets.tolist())


def test_a_state_of_a_model_that_holds_no_rows_is_as_before() -> None:
    stream, other = SensorStream(holding(0)), series_model().series
    values, seconds = with_shift(8, days=5)
    for row, at in zip(values[ONSET - 10 :].tolist(), seconds[ONSET - 10 :].tolist(), strict=True):
        stream.push(row, at)
    assert len(stream.state().mean) == len(cast("Series", other).begin().flattened())


@given(alarms=STATES, hold_off=st.integers(1, 6), longest=st.integers(0, 20), piece=st.integers(1, 60))
def test_rows_of_an_episode_are_held_until_it_is_too_long(
    alarms: list[bool], hold_off: int, longest: int, piece: int
) -> None:
    series = cast("Series", series_model().series)
    state, final = series.begin(), np.zeros(len(alarms), np.bool_)
    for begin in range(0, len(alarms), piece):
        squares = np.array(alarms[begin : begin + piece], np.float64)[:, None]

        def squares_of(
            part: slice,
            held: NDArray[np.bool_],
            _: SeriesState,
            squares: NDArray[np.float64] = squares,
            at: int = begin,
        ) -> NDArray[np.float64]:
            # The last mask that a row is scored with is the one that holds.
            final[at + part.start : at + part.start + len(held)] = held
            return squares[part]

        Holding(0.5, hold_off, longest).squares(series, len(squares), state, squares_of)
    assert final.tolist() == rows_of_episodes(alarms, hold_off, longest)


def rows_of_episodes(alarms: list[bool], hold_off: int, longest: int) -> list[bool]:
    """Return the first rows of each episode as it is shown to people, with the hold-off that it stays open."""
    found = np.array(alarms)
    scored = RowScores(("one",), 0.5, found.astype(np.float64), found, np.ones((len(found), 1)))
    out = np.zeros(len(found), np.bool_)
    for episode in episodes_of(scored, hold_off):
        out[episode.start : min(episode.end + hold_off, episode.start + longest)] = True
    return out.tolist()
