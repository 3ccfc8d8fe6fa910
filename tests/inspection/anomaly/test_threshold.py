import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection.anomaly.threshold.estimate import choose_threshold, least_sample, student_quantile
from tests.support.errors import raised_in


@given(scores=st.lists(st.floats(0.1, 100), min_size=2, max_size=80), false_alarm_rate=st.floats(0.001, 0.49))
def test_no_more_of_the_sample_than_the_rate_allows_lies_above_the_threshold(
    scores: list[float], false_alarm_rate: float
) -> None:
    chosen = choose_threshold(scores, false_alarm_rate)
    assert sum(score > chosen.value for score in scores) < false_alarm_rate * (len(scores) + 1) + 1e-9
    assert chosen.sample_too_small == (len(scores) < least_sample(false_alarm_rate))


@given(scores=st.lists(st.floats(0.1, 100), min_size=2, max_size=80))
def test_a_lower_rate_never_gives_a_lower_threshold_within_one_method(scores: list[float]) -> None:
    rates = [0.4, 0.3, 0.2, 0.1, 0.05, 0.01]
    chosen = [choose_threshold(scores, rate) for rate in rates]
    for method in ("quantile", "log-normal"):
        values = [threshold.value for threshold in chosen if threshold.method == method]
        assert values == sorted(values)


@pytest.mark.parametrize("sample", [8, 60, 150])
@pytest.mark.parametrize("rate", [0.05, 0.1])
def test_new_good_parts_are_rejected_no_more_often_than_stated(sample: int, rate: float) -> None:
    generator = np.random.default_rng(1)
    rejected = []
    for _ in range(600):
        scores = np.exp(generator.normal(2.0, 0.15, sample + 50))
        chosen = choose_threshold(scores[:sample].tolist(), rate)
        rejected.append((scores[sample:] > chosen.value).mean())
    assert np.mean(rejected) < rate * 1.1
    assert np.mean(rejected) > rate * 0.25


def test_a_group_of_many_images_counts_as_one_part() -> None:
    scores = [float(score) for score in range(1, 20)] + [100.0] * 50
    groups = [*range(19), *[19] * 50]
    chosen = choose_threshold(scores, 0.1, groups)
    # 21 · 0.9 = 18.9 of 20 groups.
    assert (chosen.value, chosen.sample, chosen.method) == (pytest.approx(18.9), 20, "quantile")


# 41 · (1 - α) is 38.95, 39.36 and 39.77. The two images of the last group weigh ½ each: they are at 39.75 and 40.25.
@pytest.mark.parametrize(
    ("rate", "value"), [(0.05, 38.95), (0.04, 39 + 0.36 / 0.75 * 11), (0.03, 50 + 0.02 / 0.5 * 10)]
)
def test_images_of_a_group_share_its_weight(rate: float, value: float) -> None:
    scores = [float(score) for score in range(1, 40)] + [50.0, 60.0]
    assert choose_threshold(scores, rate, [*range(39), 39, 39]).value == pytest.approx(value)


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3])
def test_equal_scores_are_their_own_threshold(rate: float) -> None:
    assert choose_threshold([0.1 + 0.2] * 150, rate).value == 0.1 + 0.2


# Rounded up to a whole score, 5 % of 22, 36 and 47 parts would be 4.3, 2.7 and 4.2 %.
@pytest.mark.parametrize("sample", [19, 22, 36, 47, 60])
def test_new_parts_are_rejected_as_often_as_stated_on_average(sample: int) -> None:
    generator = np.random.default_rng(3)
    rejected = []
    for _ in range(4000):
        scores = np.exp(generator.normal(2.0, 0.15, sample + 50))
        rejected.append((scores[sample:] > choose_threshold(scores[:sample].tolist(), 0.05).value).mean())
    assert 0.045 < np.mean(rejected) < 0.055


def test_the_highest_score_is_the_threshold_where_rounded_weights_fall_short() -> None:
    # Added one by one, the shares of a group may be less than 1, and the position of the last score less than 2,000.
    shares = 39_425
    scores = [float(score) for score in range(1999 + shares)]
    chosen = choose_threshold(scores, 1 / 2001, [*[0] * shares, *range(1, 2000)])
    assert chosen.value == pytest.approx(scores[-1])


@pytest.mark.parametrize("rate", [0.05, 0.6])
def test_one_group_gives_no_threshold(rate: float) -> None:
    with pytest.raises(ValueError, check=raised_in(choose_threshold)):
        choose_threshold([1.0, 2.0, 3.0], rate, [0, 0, 0])


def test_too_few_groups_give_a_limit_above_their_highest_scores() -> None:
    scores = np.random.default_rng(0).normal(10, 1, 60).tolist()
    groups = [place // 6 for place in range(60)]
    chosen = choose_threshold(scores, 0.05, groups)
    highest = [max(scores[start : start + 6]) for start in range(0, 60, 6)]
    assert chosen == choose_threshold(highest, 0.05)
    assert (chosen.method, chosen.sample, chosen.sample_too_small) == ("log-normal", 10, True)


@pytest.mark.parametrize(("groups", "size"), [(10, 4), (30, 3)])
def test_images_of_new_groups_are_rejected_no_more_often_than_stated(groups: int, size: int) -> None:
    generator = np.random.default_rng(2)
    rejected = []
    for _ in range(500):
        centres = generator.normal(2.0, 0.15, (groups + 20, 1))
        scores = np.exp(centres + generator.normal(0, 0.03, (groups + 20, size)))
        numbers = np.repeat(np.arange(groups), size).tolist()
        chosen = choose_threshold(scores[:groups].ravel().tolist(), 0.05, numbers)
        rejected.append((scores[groups:] > chosen.value).mean())
    assert 0.01 < np.mean(rejected) < 0.055


@pytest.mark.parametrize(("rate", "needed"), [(0.05, 19), (0.1, 9), (0.01, 99), (0.02, 49), (0.5, 1)])
def test_the_sample_a_rate_needs_is_stated(rate: float, needed: int) -> None:
    assert least_sample(rate) == needed


# Tables of Student's t distribution.
@pytest.mark.parametrize(
    ("probability", "degrees", "value"),
    [(0.95, 1, 6.3138), (0.95, 2, 2.9200), (0.95, 4, 2.1318), (0.99, 7, 2.9980), (0.95, 30, 1.6973), (0.9, 5, 1.4759)],
)
def test_quantiles_of_student_agree_with_the_tables(probability: float, degrees: int, value: float) -> None:
    assert math.isclose(student_quantile(probability, degrees), value, rel_tol=0.005)


@pytest.mark.parametrize(("scores", "rate"), [([1.0], 0.05), ([], 0.05), ([1.0, 2.0], 0.0), ([1.0, 2.0], 1.0)])
def test_what_cannot_give_a_threshold_is_refused(scores: list[float], rate: float) -> None:
    with pytest.raises(ValueError, check=raised_in(choose_threshold)):
        choose_threshold(scores, rate)
