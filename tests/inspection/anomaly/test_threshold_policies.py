import itertools
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from inspection.anomaly.threshold.defects import cost_threshold, f1_threshold
from inspection.anomaly.threshold.effect import NOMINAL_RATES, Evidence, Proportion, candidates, effect
from inspection.anomaly.threshold.estimate import MAX_EXTRAPOLATION, Threshold, prediction_limit
from inspection.anomaly.threshold.policy import PolicyName, ThresholdPolicy
from inspection.anomaly.threshold.tail import excess_quantile, fit_pareto, tail_threshold
from inspection.recipe.thresholds import ChosenThreshold, applied_threshold
from models.errors import InvalidInput
from tests.support.errors import raised_in

SCORES = st.lists(st.floats(0.1, 100), min_size=2, max_size=120)
SOME = st.lists(st.floats(0.1, 100), min_size=1, max_size=40)
DIGESTS = ("a" * 64, "b" * 64)


@settings(deadline=None, max_examples=30)
@given(scores=SCORES, rate=st.floats(0.0005, 0.49))
def test_a_tail_threshold_is_never_absurd(scores: list[float], rate: float) -> None:
    chosen = tail_threshold(scores, rate)
    assert 0 < chosen.value <= MAX_EXTRAPOLATION * max(scores) * (1 + 1e-9)
    assert math.isfinite(chosen.value)
    assert chosen == tail_threshold(list(reversed(scores)), rate)


@settings(deadline=None, max_examples=20)
@given(scores=SCORES)
def test_a_lower_rate_never_gives_a_lower_tail_threshold(scores: list[float]) -> None:
    values = [tail_threshold(scores, rate).value for rate in (0.4, 0.2, 0.1, 0.05, 0.01, 0.001)]
    assert all(later >= earlier * (1 - 1e-9) for earlier, later in itertools.pairwise(values))


@pytest.mark.parametrize(("shape", "scale"), [(-0.3, 1.0), (0.0, 2.0), (0.3, 0.5)])
def test_a_pareto_tail_is_found_again_in_its_own_samples(shape: float, scale: float) -> None:
    drawn = np.random.default_rng(0).random((300, 400))
    excesses = excess_quantile(np.array(scale), np.array(shape), 1 - drawn)
    scales, shapes = fit_pareto(excesses)
    assert shapes.mean() == pytest.approx(shape, abs=0.03)
    assert scales.mean() == pytest.approx(scale, rel=0.03)


@pytest.mark.parametrize("rate", [0.01, 0.05])
def test_new_good_parts_pass_a_tail_threshold_as_often_as_stated(rate: float) -> None:
    generator = np.random.default_rng(2)
    rejected = []
    for _ in range(150):
        scores = np.exp(generator.normal(2.0, 0.2, 1100))
        rejected.append((scores[100:] > tail_threshold(scores[:100].tolist(), rate).value).mean())
    assert np.mean(rejected) == pytest.approx(rate, rel=0.25)


def test_too_few_scores_for_a_tail_give_a_prediction_limit() -> None:
    scores = [1.0 + place / 10 for place in range(12)]
    assert tail_threshold(scores, 0.01) == prediction_limit(scores, 0.01)
    assert prediction_limit(scores, 0.01).method == "log-normal"
    assert tail_threshold(scores, 0.01).sample_too_small


def test_scores_that_are_all_equal_give_that_score() -> None:
    assert tail_threshold([5.0] * 100, 0.01).value == 5.0


def f1_of(value: float, good: list[float], defects: list[float]) -> float:
    found = sum(score > value for score in defects)
    alarms = sum(score > value for score in good)
    return 2 * found / (2 * found + alarms + len(defects) - found)


@given(good=SOME, defects=SOME)
def test_no_score_would_be_a_threshold_with_a_better_f1(good: list[float], defects: list[float]) -> None:
    chosen = f1_threshold(good, defects)
    best = max(f1_of(value, good, defects) for value in [*good, *defects, min(*good, *defects) / 2])
    assert f1_of(chosen.value, good, defects) == pytest.approx(best)
    assert chosen.value > 0
    assert 0 < chosen.false_alarm_rate < 1


def cheapest(good: list[float], defects: list[float]) -> Threshold:
    return cost_threshold(good, defects, escape_cost=1.0, overkill_cost=1.0, defect_rate=0.5)


@pytest.mark.parametrize("choose", [f1_threshold, cheapest])
def test_scores_that_are_adjacent_floats_are_separated(choose: Callable[[list[float], list[float]], Threshold]) -> None:
    below, above = math.nextafter(100.0, 0.0), 100.0
    assert below <= choose([below], [above]).value < above


@given(
    good=SOME, defects=SOME, escape=st.floats(0.1, 1000), overkill=st.floats(0.1, 1000), share=st.floats(0.001, 0.999)
)
def test_no_score_would_be_a_cheaper_threshold(
    good: list[float], defects: list[float], escape: float, overkill: float, share: float
) -> None:
    def cost(value: float) -> float:
        escapes = sum(score <= value for score in defects) / len(defects)
        alarms = sum(score > value for score in good) / len(good)
        return share * escape * escapes + (1 - share) * overkill * alarms

    chosen = cost_threshold(good, defects, escape_cost=escape, overkill_cost=overkill, defect_rate=share)
    cheapest = min(cost(value) for value in [*good, *defects, min(*good, *defects) / 2])
    assert cost(chosen.value) == pytest.approx(cheapest, abs=1e-9 * (escape + overkill))


@given(good=SOME, defects=SOME)
def test_a_dearer_escape_never_raises_the_escapes(good: list[float], defects: list[float]) -> None:
    def escapes(price: float) -> int:
        chosen = cost_threshold(good, defects, escape_cost=price, overkill_cost=1, defect_rate=0.1)
        return sum(score <= chosen.value for score in defects)

    counts = [escapes(price) for price in (0.1, 1.0, 10.0, 100.0)]
    assert counts == sorted(counts, reverse=True)


def test_between_scores_that_do_not_overlap_the_threshold_keeps_away_from_both() -> None:
    chosen = f1_threshold([1.0, 1.2], [3.0, 4.0])
    assert chosen == Threshold(2.1, 0.5 / 3, "f1", 2, 5, 2)
    assert chosen.sample_too_small


def test_a_policy_with_defects_is_refused_without_them() -> None:
    for name in ("f1", "cost"):
        with pytest.raises(InvalidInput) as caught:
            ThresholdPolicy(name=name).choose([1.0, 2.0])
        assert caught.value.code == "threshold-needs-defects"
        assert ThresholdPolicy(name=name).choose([1.0, 2.0], [3.0]).method == name
    assert ThresholdPolicy().choose([1.0, 2.0]).method == "log-normal"


@pytest.mark.parametrize(
    "wrong",
    [{"name": "best"}, {"false_alarm_rate": 0.5}, {"escape_cost": 0}, {"overkill_cost": math.inf}, {"defect_rate": 1}],
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ThresholdPolicy.model_validate(wrong)


@pytest.mark.parametrize(
    ("item", "station", "model", "expected"),
    [
        (1.0, 2.0, 3.0, (1.0, "item")),
        (None, 2.0, 3.0, (2.0, "station")),
        (None, None, 3.0, (3.0, "model")),
        (1.0, None, None, (1.0, "item")),
    ],
)
def test_the_threshold_of_an_item_wins_over_the_stations_over_the_models(
    item: float | None, station: float | None, model: float | None, expected: tuple[float, str]
) -> None:
    found = applied_threshold(
        item=None if item is None else ChosenThreshold(item),
        station=None if station is None else ChosenThreshold(station),
        model=model,
        model_sha256=DIGESTS[0],
    )
    assert found is not None
    assert (found.value, found.origin, found.skipped) == (*expected, ())


def test_nothing_set_is_no_threshold() -> None:
    assert applied_threshold() is None


@given(
    item=st.none() | st.builds(ChosenThreshold, st.just(1.0), st.sampled_from([None, *DIGESTS])),
    station=st.none() | st.builds(ChosenThreshold, st.just(2.0), st.sampled_from([None, *DIGESTS])),
    model=st.none() | st.just(3.0),
    in_use=st.sampled_from([None, *DIGESTS]),
)
def test_a_threshold_of_another_model_never_holds(
    item: ChosenThreshold | None, station: ChosenThreshold | None, model: float | None, in_use: str | None
) -> None:
    found = applied_threshold(item=item, station=station, model=model, model_sha256=in_use)
    strangers = {
        origin: chosen is not None and chosen.model_sha256 not in (None, in_use)
        for origin, chosen in (("item", item), ("station", station))
    }
    left = applied_threshold(
        item=None if strangers["item"] else item,
        station=None if strangers["station"] else station,
        model=model,
        model_sha256=in_use,
    )
    assert (found is None) == (left is None)
    if found is not None and left is not None:
        assert replace(found, skipped=()) == left
        assert found.model_sha256 in (None, in_use)
        before = ("item", "station", "model").index(found.origin)
        assert found.skipped == tuple(origin for origin in ("item", "station")[:before] if strangers[origin])


# Wilson's interval as in Newcombe (1998), table I.
@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_intervals_agree_with_the_published_ones(count: int, total: int, low: float, high: float) -> None:
    share = Proportion.of(count, total)
    assert (share.low, share.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(total=st.integers(1, 500), part=st.floats(0, 1))
def test_an_interval_holds_the_rate_it_is_for(total: int, part: float) -> None:
    share = Proportion.of(round(part * total), total)
    assert 0 <= share.low <= share.rate <= share.high <= 1


@pytest.mark.parametrize(("count", "total"), [(0, 0), (-1, 3), (4, 3)])
def test_what_is_no_share_is_refused(count: int, total: int) -> None:
    with pytest.raises(ValueError, check=raised_in(Proportion)):
        Proportion.of(count, total)


def test_a_score_on_the_threshold_counts_as_an_escape_not_a_false_alarm() -> None:
    found = effect(2.0, Evidence((1.0, 2.0, 3.0), defects=(2.0, 5.0), good=(1.0,)))
    assert (found.false_alarms.count, found.false_alarms.total) == (1, 3)
    assert found.escapes is not None
    assert (found.escapes.count, found.escapes.total) == (1, 2)
    assert found.overkill is not None
    assert (found.overkill.count, found.overkill.total) == (0, 1)
    bare = effect(2.0, Evidence((1.0, 3.0)))
    assert (bare.escapes, bare.overkill) == (None, None)


@settings(deadline=None, max_examples=30)
@given(scores=st.lists(st.floats(0.1, 100), min_size=2, max_size=80), method=st.sampled_from(["quantile", "tail"]))
def test_candidates_go_from_the_strictest_rate_to_the_loosest(scores: list[float], method: str) -> None:
    found = candidates(Evidence(tuple(scores)), "tail" if method == "tail" else "quantile")
    assert [candidate.nominal_rate for candidate in found] == list(NOMINAL_RATES)
    counts = [candidate.false_alarms.count for candidate in found]
    if len(scores) > 60:  # fewer mix the two methods
        assert counts == sorted(counts)
    assert all(candidate.value > 0 for candidate in found)


@pytest.mark.parametrize("rule", ["quantile", "tail"])
@pytest.mark.parametrize("rate", [1e-12, 1e-17, 5e-324])
@pytest.mark.parametrize("count", [2, 3, 6, 60])
def test_a_rate_that_nobody_can_show_still_gives_a_bounded_threshold(rule: PolicyName, rate: float, count: int) -> None:
    scores = [1.0 + index / 100 for index in range(count)]
    chosen = ThresholdPolicy(name=rule, false_alarm_rate=rate).choose(scores)
    assert scores[-1] < chosen.value <= MAX_EXTRAPOLATION * scores[-1] * (1 + 1e-9)
    assert chosen.sample_too_small


def test_scores_of_nought_neither_warn_nor_give_a_threshold_of_nought() -> None:
    assert 0 < f1_threshold([0.0, 0.0], [0.0]).value < 1e-6
    assert f1_threshold([0.0, 0.0], [5.0]).value == 2.5
    costly = cost_threshold([0.0, 1.0], [0.0, 1.0], escape_cost=1e6, overkill_cost=1.0, defect_rate=0.5)
    assert costly.value == 0.5
