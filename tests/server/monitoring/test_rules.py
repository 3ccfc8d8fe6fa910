"""Decisions of alert rules, without a store."""

from __future__ import annotations

import pytest

from server.daily_counts.contribution import ScoreSums
from server.monitoring.rules import Decision, ng_rate, ng_run, score_shift, with_hysteresis


@pytest.mark.parametrize(
    ("value", "decision"),
    [
        (5.01, Decision.RAISE),
        (5.0, Decision.LEAVE),
        (4.01, Decision.LEAVE),
        (4.0, Decision.CLEAR),
        (None, Decision.LEAVE),
    ],
)
def test_between_the_thresholds_an_alert_stays_as_it_is(value: float | None, decision: Decision) -> None:
    assert with_hysteresis(value, 5.0, None) is decision


def test_a_lower_threshold_above_the_upper_one_counts_as_the_upper_one() -> None:
    assert with_hysteresis(6.0, 5.0, 9.0) is Decision.RAISE
    assert with_hysteresis(5.0, 5.0, 9.0) is Decision.CLEAR


@pytest.mark.parametrize(("ok", "ng", "rate"), [(0, 0, 0.0), (9, 1, None), (95, 5, 5.0)])
def test_a_rate_needs_its_least_number_of_parts(ok: int, ng: int, rate: float | None) -> None:
    assert ng_rate(ok, ng, min_count=20) == rate


@pytest.mark.parametrize(
    ("newest_first", "decision"),
    [
        (["NG", "NG", "NG"], Decision.RAISE),
        (["NG", "HOLD", "NG", "NG"], Decision.RAISE),
        (["NG", "NG", "OK"], Decision.LEAVE),
        (["OK", "NG", "NG"], Decision.CLEAR),
        ([], Decision.LEAVE),
    ],
)
def test_a_run_ends_with_a_part_that_is_ok(newest_first: list[str], decision: Decision) -> None:
    assert ng_run(newest_first, 3) is decision


def test_the_shift_is_in_standard_deviations_of_before() -> None:
    before = ScoreSums(4, 40, 420)  # mean 10, sum of squared deviations 20
    assert score_shift(ScoreSums(2, 26, 338), before, 2) == pytest.approx(3 / (20 / 3) ** 0.5)


@pytest.mark.parametrize("before", [ScoreSums(1, 10, 100), ScoreSums(4, 40, 400)])
def test_too_few_scores_or_equal_ones_give_no_shift(before: ScoreSums) -> None:
    assert score_shift(ScoreSums(20, 400, 8_000), before, 2) is None
