"""Periods are found under noise, trends and longer cycles, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inspection.sensor.training.cycles import find_cycles
from inspection.sensor.training.independence import few_rows_factor, independent_rows
from inspection.sensor.training.periods import moving_mean
from inspection.sensor.training.phases import phase_walks, refined_period

ROWS = 3000
PLACE = np.arange(float(ROWS))
Vector = NDArray[np.float64]


def found(column: Vector, positions: Vector = PLACE) -> list[float]:
    return [cycle.period for cycle in find_cycles(column[:, None], positions, None)]


def noise(rng: np.random.Generator, period: int) -> Vector:
    del period
    return rng.normal(scale=np.sqrt(0.5), size=ROWS)


def trend(rng: np.random.Generator, period: int) -> Vector:
    return 20 * PLACE / ROWS + 0.5 * noise(rng, period)


def season(rng: np.random.Generator, period: int) -> Vector:
    return 5 * np.sin(2 * np.pi * PLACE / (9.3 * period)) + 0.5 * noise(rng, period)


@pytest.mark.parametrize("under", [noise, trend, season])
@given(seed=st.integers(0, 10_000), period=st.integers(8, 75))
@settings(max_examples=20, deadline=None)
def test_a_period_of_forty_cycles_is_found_under(
    under: Callable[[np.random.Generator, int], Vector], seed: int, period: int
) -> None:
    values = np.sin(2 * np.pi * PLACE / period) + under(np.random.default_rng(seed), period)
    assert any(one == pytest.approx(period, rel=0.02) for one in found(values))


def test_a_period_that_is_no_whole_number_is_found_to_a_thousandth() -> None:
    rng = np.random.default_rng(0)
    (period,) = found(np.sin(2 * np.pi * PLACE / 40.37) + 0.3 * rng.normal(size=ROWS))
    assert period == pytest.approx(40.37, rel=1e-3)


def test_missing_rows_do_not_hide_a_period() -> None:
    rng = np.random.default_rng(0)
    kept = np.flatnonzero(rng.random(ROWS) < 0.7)
    values = np.sin(2 * np.pi * PLACE / 30) + 0.3 * rng.normal(size=ROWS)
    assert found(values[kept], PLACE[kept]) == pytest.approx([30], rel=0.01)


@given(seed=st.integers(0, 10_000), rows=st.sampled_from([300, 1000, 3000]))
@settings(max_examples=25, deadline=None)
def test_white_noise_has_no_period(seed: int, rows: int) -> None:
    assert found(np.random.default_rng(seed).normal(size=rows), np.arange(float(rows))) == []


def test_random_walks_hardly_ever_have_a_period() -> None:
    walks = [np.cumsum(np.random.default_rng(seed).normal(size=1000)) for seed in range(40)]
    assert sum(bool(found(walk, np.arange(1000.0))) for walk in walks) <= 2


def test_a_moving_mean_has_whole_windows_at_the_ends() -> None:
    column = np.array([1.0, np.nan, 3.0, 4.0, 5.0, 6.0])
    np.testing.assert_allclose(moving_mean(column, 3), [2, 2, 3.5, 4, 5, 5])


def test_rows_of_a_slow_process_are_worth_few_independent_ones() -> None:
    rng = np.random.default_rng(0)
    slow = np.repeat(rng.normal(size=1000), 8)
    count = independent_rows(np.stack([rng.normal(size=8000), slow], axis=1))
    assert count[0] > 6000
    # A value held for 8 rows has an integrated autocorrelation time of 8.
    assert count[1] == pytest.approx(1000, rel=0.3)


def test_the_factor_of_few_rows_is_that_of_students_t() -> None:
    # Quantiles at 0.99: 3.747 of 4 degrees of freedom, 2.821 of 9.
    factor = few_rows_factor(np.array([5.0, 10.0, 1e9]))
    wanted = [3.747 * np.sqrt(6 / 5) / 2.3263, 2.821 * np.sqrt(1.1) / 2.3263, 1.0]
    np.testing.assert_allclose(factor, wanted, rtol=0.01)


def test_a_sensor_that_comes_late_leaves_the_period_of_the_others() -> None:
    turns = np.sin(2 * np.pi * np.arange(4000) / 37.25)
    late = np.where(np.arange(4000) < 3999, np.nan, 1.0)
    both = np.stack([turns, np.full(4000, np.nan)], axis=1)
    positions = np.arange(4000.0)
    assert refined_period(both, positions, 37.0) == refined_period(turns[:, None], positions, 37.0)
    assert refined_period(late[:2000, None], positions[:2000], 37.0) == 37.0


def turns_of(lengths: Vector, rows: int) -> Vector:
    """Return a sawtooth whose cycles take so many rows each."""
    ends = np.cumsum(lengths)
    place = np.searchsorted(ends, np.arange(rows), side="right")
    return (np.arange(rows) - (ends - lengths)[place]) / lengths[place]


@pytest.mark.parametrize("jitter", [0.02, 0.03])
@pytest.mark.parametrize("seed", range(4))
def test_a_machine_whose_cycles_vary_has_no_clock_to_expect_them_by(seed: int, jitter: float) -> None:
    rng = np.random.default_rng(seed)
    lengths = 60 * (1 + jitter * rng.normal(size=150))
    values = turns_of(lengths, 8000) + 0.1 * rng.normal(size=8000)
    assert phase_walks(values[:, None], np.arange(8000.0), 60.0)
    assert found(values, np.arange(8000.0)) == []


@pytest.mark.parametrize("seed", range(4))
def test_a_machine_of_steady_cycles_keeps_its_phase_whatever_the_load(seed: int) -> None:
    rng = np.random.default_rng(seed)
    load = np.repeat(rng.uniform(0.5, 1.5, size=20), 400)
    values = load * turns_of(np.full(150, 60.0), 8000) + 0.1 * rng.normal(size=8000)
    assert not phase_walks(values[:, None], np.arange(8000.0), 60.0)
    assert found(values, np.arange(8000.0)) == pytest.approx([60])


def test_a_machine_that_stood_still_keeps_its_phase() -> None:
    rng = np.random.default_rng(0)
    values = turns_of(np.full(150, 60.0), 8000) - 0.5 + 0.1 * rng.normal(size=8000)
    values[np.arange(8000) // 720 % 5 == 4] = np.nan
    assert not phase_walks(values[:, None], np.arange(8000.0), 60.0)


def test_thirty_uneven_cycles_mostly_show_that_the_phase_wanders() -> None:
    walks = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        lengths = 300 * (1 + 0.03 * rng.normal(size=50))
        values = turns_of(lengths, 10_000) + 0.05 * rng.normal(size=10_000)
        walks.append(phase_walks(values[:, None], np.arange(10_000.0), 300.0))
    assert sum(walks) >= 8
