import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from inspection.judging.criteria import CodeRule, ColourLimits, Limits
from inspection.judging.judgement import ANOMALY_CLASS, Criteria, judge, verdict_confidence
from inspection.judging.wildcards import matches
from models.results import BoundingBox, CodeReading, ColourDifference, Detection, Measurement
from models.states import Verdict
from tests.support.errors import raised_in

scores = st.floats(0.001, 1e6)


def found(name: str, confidence: float = 0.9, side: float = 10) -> Detection:
    return Detection(class_name=name, confidence=confidence, bbox=BoundingBox(x=0, y=0, width=side, height=side))


detection_lists = st.lists(
    st.builds(found, st.sampled_from(["scratch", "dent", ANOMALY_CLASS]), st.floats(0, 1), st.floats(0, 100)),
    max_size=8,
)


@given(score=scores, threshold=scores)
def test_the_score_alone_decides_strictly_above_the_threshold(score: float, threshold: float) -> None:
    judged = judge(score=score, threshold=threshold)
    assert (judged.verdict is Verdict.NG) == (score > threshold)


@given(score=scores, model=scores, override=scores)
def test_the_threshold_of_the_criteria_goes_before_that_of_the_model(
    score: float, model: float, override: float
) -> None:
    judged = judge(score=score, threshold=model, criteria=Criteria(threshold=override))
    assert judged.threshold == override
    assert (judged.verdict is Verdict.NG) == (score > override)


@given(score=scores, more=st.floats(1.0, 10.0), threshold=scores, detections=detection_lists)
def test_a_stranger_part_is_never_judged_better(
    score: float, more: float, threshold: float, detections: list[Detection]
) -> None:
    first = judge(score=score, threshold=threshold, detections=detections)
    second = judge(score=score * more, threshold=threshold, detections=detections)
    assert not (first.verdict is Verdict.NG and second.verdict is Verdict.OK)


@given(detections=detection_lists, one_more=detection_lists)
def test_more_detections_are_never_judged_better(detections: list[Detection], one_more: list[Detection]) -> None:
    first, second = judge(detections=detections), judge(detections=detections + one_more)
    assert set(first.reasons) <= set(second.reasons)


@given(
    score=st.none() | scores,
    threshold=scores,
    detections=detection_lists,
    area=st.floats(0, 5000),
    allowed=st.integers(0, 3),
)
def test_a_verdict_agrees_with_its_reasons(
    score: float | None, threshold: float, detections: list[Detection], area: float, allowed: int
) -> None:
    rule = Criteria(minimum_defect_area=area, default_max_detections=allowed)
    judged = judge(score=score, threshold=threshold, detections=detections, criteria=rule)
    assert (judged.verdict is Verdict.OK) == (not judged.reasons)
    assert 0.5 <= judged.confidence <= 1.0
    assert judged == judge(score=score, threshold=threshold, detections=detections, criteria=rule)


@given(ratio=st.floats(1.0, 100.0), threshold=st.floats(0.01, 1000))
def test_twice_the_threshold_is_as_sure_as_half_of_it(ratio: float, threshold: float) -> None:
    assert math.isclose(
        verdict_confidence(threshold * ratio, threshold), verdict_confidence(threshold / ratio, threshold), rel_tol=1e-6
    )


def test_a_score_on_the_threshold_is_an_unsure_ok() -> None:
    judged = judge(score=5.0, threshold=5.0)
    assert (judged.verdict, judged.confidence) == (Verdict.OK, 0.5)


def test_regions_do_not_count_as_detections_unless_they_are_limited() -> None:
    assert judge(score=1.0, threshold=5.0, detections=[found(ANOMALY_CLASS)]).verdict is Verdict.OK
    listed = Criteria(max_detections={ANOMALY_CLASS: 0})
    judged = judge(score=1.0, threshold=5.0, detections=[found(ANOMALY_CLASS)], criteria=listed)
    assert judged.reasons == ("too-many:anomaly",)


def test_an_anomaly_smaller_than_the_least_area_is_forgiven() -> None:
    rule = Criteria(minimum_defect_area=400)
    small, large = found(ANOMALY_CLASS, side=19), found(ANOMALY_CLASS, side=20)
    assert judge(score=9, threshold=5, detections=[small], criteria=rule).verdict is Verdict.OK
    assert judge(score=9, threshold=5, detections=[small, large], criteria=rule).verdict is Verdict.NG
    assert judge(score=9, threshold=5, detections=[], criteria=rule).verdict is Verdict.NG


def test_each_class_has_its_own_number_that_is_tolerated() -> None:
    rule = Criteria(max_detections={"scratch": 2}, minimum_confidence=0.5)
    three = [found("scratch", 0.9), found("scratch", 0.8), found("scratch", 0.7), found("dent", 0.4)]
    assert judge(detections=three[:2], criteria=rule).verdict is Verdict.OK
    judged = judge(detections=three, criteria=rule)
    assert judged.reasons == ("too-many:scratch",)
    assert judged.confidence == 0.7


@given(confidence=st.floats(0, 1), bound=st.floats(0, 1))
def test_only_a_bound_that_is_stated_ignores_what_a_step_let_pass(confidence: float, bound: float) -> None:
    seen = [found("scratch", confidence)]
    assert judge(detections=seen).detections == tuple(seen)
    assert judge(detections=seen, criteria=Criteria.model_validate({"minimum_confidence": None})).detections
    stated = judge(detections=seen, criteria=Criteria(minimum_confidence=bound))
    assert stated.detections == (tuple(seen) if confidence >= bound else ())


def test_a_score_without_a_threshold_is_a_bug() -> None:
    with pytest.raises(ValueError, check=raised_in(judge)):
        judge(score=1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0},
        {"threshold": float("inf")},
        {"minimum_confidence": 1.5},
        {"max_detections": {"scratch": -2}},
        {"threshold": 1, "threshold_model": "a" * 63},
        {"threshold": 1, "threshold_model": "A" * 64},
        {"threshold": 1, "threshold_model": 5},
        {"unknown": 1},
    ],
)
def test_criteria_out_of_bounds_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Criteria.model_validate(wrong)


def test_every_criterion_is_described_in_its_schema() -> None:
    schema = Criteria.model_json_schema()
    assert all(field.get("description") for field in schema["properties"].values())


def measured(value: float | None, name: str = "bore") -> Measurement:
    return Measurement(name=name, quantity="diameter", value=value, unit="mm")


def code(text: str, kind: str = "qr") -> CodeReading:
    return CodeReading(text=text, format=kind)


def colour(mean: float | None, maximum: float | None = None) -> ColourDifference:
    most = maximum if maximum is not None else mean
    return ColourDifference(name="paint", mean=mean, maximum=most, lab=None, reference=(50, 0, 0))


@given(value=st.floats(-1e6, 1e6), lower=st.floats(-1e6, 1e6), more=st.floats(0, 1e6))
def test_a_measurement_is_good_up_to_its_limits(value: float, lower: float, more: float) -> None:
    rule = Criteria(measurements={"bore": Limits(lower=lower, upper=lower + more)})
    judged = judge(measurements=[measured(value)], criteria=rule)
    assert (judged.verdict is Verdict.OK) == (lower <= value <= lower + more)
    assert 0.5 <= judged.confidence <= 1
    expected = "measurement-low:bore" if value < lower else "measurement-high:bore"
    assert judged.reasons == (() if judged.verdict is Verdict.OK else (expected,))


def test_one_limit_leaves_the_other_side_open() -> None:
    upper = Criteria(measurements={"bore": Limits(upper=5)})
    lower = Criteria(measurements={"bore": Limits(lower=5)})
    assert judge(measurements=[measured(-100)], criteria=upper).verdict is Verdict.OK
    assert judge(measurements=[measured(5.1)], criteria=upper).reasons == ("measurement-high:bore",)
    assert judge(measurements=[measured(4.9)], criteria=lower).reasons == ("measurement-low:bore",)


@pytest.mark.parametrize("measurements", [[], [measured(None)], [measured(5), measured(None)], [measured(5, "other")]])
def test_what_was_not_measured_though_it_should_be_is_ng(measurements: list[Measurement]) -> None:
    rule = Criteria(measurements={"bore": Limits(lower=4, upper=6)})
    judged = judge(measurements=measurements, criteria=rule)
    assert (judged.verdict, judged.reasons) == (Verdict.NG, ("measurement-missing:bore",))


def test_findings_without_a_criterion_do_not_count() -> None:
    judged = judge(measurements=[measured(None)], codes=[code("x")], colours=[colour(80)])
    assert (judged.verdict, judged.confidence) == (Verdict.OK, 1.0)


def test_where_codes_were_looked_for_one_must_be_read_unless_criteria_say_otherwise() -> None:
    judged = judge(codes=[])
    assert (judged.verdict, judged.confidence, judged.reasons) == (Verdict.NG, 1.0, ("code-none",))
    assert judge(score=9, threshold=5, codes=[]).reasons == ("anomaly-score", "code-none")
    assert judge(codes=[code("x")]).verdict is Verdict.OK
    assert judge(codes=[], criteria=Criteria(codes={"any": CodeRule(least=0)})).verdict is Verdict.OK
    assert judge().verdict is Verdict.OK


@pytest.mark.parametrize(
    ("rule", "codes", "reason"),
    [
        (CodeRule(), [code("a")], None),
        (CodeRule(), [], "code-missing:lot"),
        (CodeRule(formats=("ean-13",)), [code("a")], "code-missing:lot"),
        (CodeRule(text="LOT-1"), [code("LOT-1"), code("other")], None),
        (CodeRule(text="LOT-1"), [code("LOT-2")], "code-wrong:lot"),
        (CodeRule(pattern="LOT-##-*"), [code("LOT-07-b")], None),
        (CodeRule(pattern="LOT-##-*"), [code("LOT-7-b")], "code-wrong:lot"),
        (CodeRule(least=2), [code("a")], "code-missing:lot"),
        (CodeRule(least=0, most=0), [code("a")], "code-too-many:lot"),
        (CodeRule(most=1), [code("a"), code("b")], "code-too-many:lot"),
    ],
)
def test_a_code_must_say_what_it_should(rule: CodeRule, codes: list[CodeReading], reason: str | None) -> None:
    judged = judge(codes=codes, criteria=Criteria(codes={"lot": rule}))
    assert judged.reasons == (() if reason is None else (reason,))


@given(mean=st.floats(0, 100), limit=st.floats(0.1, 100))
def test_a_colour_is_good_up_to_its_limit(mean: float, limit: float) -> None:
    judged = judge(colours=[colour(mean)], criteria=Criteria(colours={"paint": ColourLimits(mean=limit)}))
    assert judged.reasons == (() if mean <= limit else ("colour-difference:paint",))


def test_a_colour_may_be_limited_where_it_differs_most() -> None:
    rule = Criteria(colours={"paint": ColourLimits(maximum=3)})
    assert judge(colours=[colour(1, 2.9)], criteria=rule).verdict is Verdict.OK
    assert judge(colours=[colour(1, 3.1)], criteria=rule).reasons == ("colour-difference:paint",)
    assert judge(colours=[colour(None)], criteria=rule).reasons == ("colour-missing:paint",)
    assert judge(criteria=rule).reasons == ("colour-missing:paint",)


def test_all_reasons_are_reported_in_a_fixed_order() -> None:
    rule = Criteria(
        measurements={"b": Limits(lower=1), "a": Limits(upper=1)},
        codes={"lot": CodeRule()},
        colours={"paint": ColourLimits(mean=1)},
    )
    judged = judge(score=2, threshold=1, detections=[found("dent")], measurements=[measured(2, "a")], criteria=rule)
    assert judged.reasons == (
        "anomaly-score",
        "too-many:dent",
        "measurement-high:a",
        "measurement-missing:b",
        "code-missing:lot",
        "colour-missing:paint",
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"measurements": {"a": {}}},
        {"measurements": {"a": {"lower": 2, "upper": 1}}},
        {"measurements": {"a": {"lower": math.nan}}},
        {"codes": {"a": {"least": 2, "most": 1}}},
        {"codes": {"a": {"formats": ["codabar"]}}},
        {"colours": {"a": {}}},
        {"colours": {"a": {"mean": 0}}},
    ],
)
def test_limits_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Criteria.model_validate(wrong)


def test_criteria_of_before_are_still_read() -> None:
    assert Criteria.model_validate({"threshold": 3.5, "max_detections": {"dent": 1}}).measurements == {}


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("", "", True),
        ("*", "", True),
        ("*", "anything\n", True),
        ("?", "", False),
        ("a?c", "abc", True),
        ("###", "123", True),
        ("###", "12a", False),
        ("#", "٣", False),
        ("@@", "éZ", True),
        ("@", "1", False),
        ("*-*-*", "a-b-c-d", True),
        ("*ab", "aab", True),
        ("*ab", "aba", False),
        ("\\*", "*", True),
        ("\\*", "x", False),
        ("a\\", "a\\", True),
        ("(a+)+$", "aaaa", False),
    ],
)
def test_patterns_stand_for_what_they_say(pattern: str, text: str, fits: bool) -> None:
    assert matches(pattern, text) is fits


@pytest.mark.slow
@given(text=st.text(max_size=40), split=st.integers(0, 40))
def test_a_text_fits_itself_escaped_or_with_a_star_for_any_part(text: str, split: int) -> None:
    assert matches("".join(f"\\{letter}" for letter in text), text)
    assert matches("".join(f"\\{letter}" for letter in text[:split]) + "*", text)


@pytest.mark.timeout(60)  # for longer than the universe lasts, if it tried every way
def test_a_spiteful_pattern_on_a_long_text_ends() -> None:
    assert not matches("*a" * 250 + "b", "a" * 7000)


@pytest.mark.parametrize(
    ("format_read", "text", "rule"),
    [
        ("ean-13", "0036000291452", {"formats": ["upc-a"]}),
        ("ean-13", "0036000291452", {"text": "036000291452"}),
        ("upc-a", "036000291452", {"formats": ["ean-13"], "text": "0036000291452"}),
    ],
)
def test_a_upc_a_code_counts_as_the_ean_13_code_that_it_is(
    format_read: str, text: str, rule: dict[str, object]
) -> None:
    criteria = Criteria.model_validate({"codes": {"gtin": rule}})
    codes = [CodeReading(text=text, format=format_read)]
    assert judge(codes=codes, criteria=criteria).verdict is Verdict.OK


def test_another_ean_13_code_is_no_upc_a_code() -> None:
    criteria = Criteria.model_validate({"codes": {"gtin": {"formats": ["upc-a"]}}})
    codes = [CodeReading(text="4006381333931", format="ean-13")]
    assert judge(codes=codes, criteria=criteria).reasons == ("code-missing:gtin",)
