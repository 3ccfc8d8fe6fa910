import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from inspection.judgement import ANOMALY_CLASS, Criteria, border_distance, judge
from models.results import BoundingBox, Detection
from models.states import Verdict

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
def test_a_verdict_agrees_with_its_reasons_and_confidence(
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
        border_distance(threshold * ratio, threshold), border_distance(threshold / ratio, threshold), rel_tol=1e-6
    )


def test_a_score_on_the_threshold_is_unsure_and_ok() -> None:
    judged = judge(score=5.0, threshold=5.0)
    assert (judged.verdict, judged.confidence) == (Verdict.OK, 0.5)


def test_regions_are_evidence_and_do_not_count_as_detections() -> None:
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


def test_a_score_without_a_threshold_is_a_bug() -> None:
    with pytest.raises(ValueError, match="threshold"):
        judge(score=1.0)


@pytest.mark.parametrize(
    "wrong", [{"threshold": 0}, {"threshold": float("inf")}, {"minimum_confidence": 1.5}, {"unknown": 1}]
)
def test_criteria_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Criteria.model_validate(wrong)


def test_every_criterion_is_described_in_its_schema() -> None:
    schema = Criteria.model_json_schema()
    assert all(field.get("description") for field in schema["properties"].values())
