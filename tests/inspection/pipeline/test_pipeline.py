import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspection.anomaly import AnomalyModel, TrainingReport
from inspection.anomaly.bundle import read_bundle
from inspection.components.registry import StepContext
from inspection.components.values import StepValue
from inspection.imaging.files import encode_png
from inspection.imaging.frames import Frame, Pixels
from inspection.imaging.picture import Picture
from inspection.judging.judgement import Criteria
from inspection.model_files.reference import ReferenceImage
from inspection.model_library.loading import load_model
from inspection.pipeline import (
    InProcess,
    InspectionCancelled,
    PipelineDefinition,
    Runner,
    StepProgress,
    default_definition,
    validate_definition,
)
from inspection.pipeline.validation import ValidatedStep
from models.errors import DoesNotFit, InvalidInput, NotFound
from models.states import Verdict
from models.storage import write_atomically
from resources.parts import draw_part


def blur(step: str, source: str, **parameters: Any) -> dict[str, Any]:
    return {"id": step, "component": "filter", "parameters": parameters, "inputs": {"image": source}}


def pipeline(*steps: dict[str, Any]) -> PipelineDefinition:
    return PipelineDefinition.parse({"name": "test", "steps": list(steps)})


def refused(*steps: dict[str, Any]) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        validate_definition(pipeline(*steps))
    return caught.value


def fields(error: InvalidInput) -> list[str]:
    listed = error.members["validation_errors"]
    assert isinstance(listed, list)
    return [item["field"] for item in listed]


@pytest.fixture
def image() -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)


def test_the_default_pipeline_is_valid() -> None:
    assert [step.id for step in validate_definition(default_definition()).steps] == ["anomaly", "overlay"]


def test_a_definition_survives_json() -> None:
    text = default_definition().model_dump_json()
    assert PipelineDefinition.parse(text) == default_definition()


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("{", "pipeline-not-json"),
        ("[" * 100_000, "pipeline-not-json"),
        ({"format_version": 2, "name": "x", "steps": []}, "pipeline-too-new"),
        ({"name": "x", "steps": []}, "pipeline-malformed"),
        ({"name": "x", "steps": [{"id": "a"}]}, "pipeline-malformed"),
        ({"name": "x", "steps": [blur("a b", "input")]}, "pipeline-malformed"),
        ({"name": "x", "steps": [blur("a", "input")], "more": 1}, "pipeline-malformed"),
        (None, "pipeline-malformed"),
        (3, "pipeline-malformed"),
    ],
)
def test_a_malformed_definition_is_refused(value: object, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        PipelineDefinition.parse(value)
    assert caught.value.code == code


def test_a_malformed_step_is_named_by_its_id() -> None:
    with pytest.raises(InvalidInput) as caught:
        PipelineDefinition.parse({"name": "x", "steps": [{"id": "smooth", "inputs": {"image": "input"}}]})
    assert fields(caught.value) == ["steps.smooth.component"]


def test_an_unknown_component_is_named_by_its_field() -> None:
    error = refused({"id": "a", "component": "melt"})
    assert (error.code, fields(error)) == ("pipeline-unknown-component", ["steps.a.component"])


def test_each_wrong_parameter_is_named_by_its_field() -> None:
    error = refused(blur("a", "input", radius=-1, colour="red"))
    assert error.code == "pipeline-parameter"
    assert set(fields(error)) == {"steps.a.parameters.radius", "steps.a.parameters.colour"}


def test_an_input_that_leads_nowhere_is_named_by_its_field() -> None:
    assert refused(blur("a", "b")).code == "pipeline-unknown-source"
    assert refused({"id": "a", "component": "filter"}).code == "pipeline-missing-input"
    error = refused({"id": "a", "component": "filter", "inputs": {"image": "input", "picture": "input"}})
    assert (error.code, fields(error)) == ("pipeline-unknown-input", ["steps.a.inputs.picture"])


def test_an_input_of_the_wrong_kind_is_refused() -> None:
    anomaly = {"id": "a", "component": "anomaly", "inputs": {"image": "input"}}
    assert refused(anomaly, blur("b", "a")).code == "pipeline-wrong-kind"
    overlay = blur("b", "input", filter_type="overlay")
    overlay["inputs"]["anomaly"] = "input"
    assert refused(anomaly, overlay).code == "pipeline-wrong-kind"


def test_a_step_may_not_bear_the_name_of_another_or_of_the_input() -> None:
    assert refused(blur("a", "input"), blur("a", "input")).code == "pipeline-duplicate-step"
    assert refused(blur("input", "input")).code == "pipeline-duplicate-step"


def test_a_circle_is_refused_by_the_steps_in_it() -> None:
    error = refused(blur("a", "b"), blur("b", "c"), blur("c", "a"), blur("d", "input"))
    assert error.code == "pipeline-cycle"
    assert error.values["circle"] == "a, b, c"
    assert refused(blur("a", "a")).code == "pipeline-cycle"


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[dict[str, Any]], bool]:
    """Filters that take their image from any step or the input; and whether there is a circle."""
    count = draw(st.integers(1, 8))
    sources = [draw(st.integers(-1, count - 1)) for _ in range(count)]
    steps = [blur(f"s{i}", "input" if s < 0 else f"s{s}") for i, s in enumerate(sources)]
    circle = False
    for start in range(count):
        seen, place = set(), start
        while place >= 0 and place not in seen:
            seen.add(place)
            place = sources[place]
        circle = circle or place >= 0
    return draw(st.permutations(steps)), circle


@settings(max_examples=200, deadline=None)
@given(graphs())
def test_a_graph_is_valid_exactly_when_it_has_no_circle(
    graph: tuple[list[dict[str, Any]], bool],
) -> None:
    steps, circle = graph
    if circle:
        assert refused(*steps).code == "pipeline-cycle"
        return
    ordered = validate_definition(pipeline(*steps)).steps
    assert {step.id for step in ordered} == {step["id"] for step in steps}
    seen = {"input"}
    for step in ordered:
        assert set(step.inputs.values()) <= seen
        seen.add(step.id)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    json_values
    | st.fixed_dictionaries(
        {
            "name": st.text(min_size=1, max_size=5),
            "steps": st.lists(
                st.fixed_dictionaries(
                    {
                        "id": st.sampled_from(["a", "b", "input"]),
                        "component": st.sampled_from(["resize", "filter", "anomaly", "x"]),
                        "parameters": st.dictionaries(
                            st.sampled_from(["width", "mode", "radius", "model"]), json_values, max_size=3
                        ),
                        "inputs": st.dictionaries(
                            st.sampled_from(["image", "anomaly"]), st.sampled_from(["input", "a", "b"]), max_size=2
                        ),
                    }
                ),
                max_size=3,
            ),
        }
    )
)
def test_nothing_from_outside_raises_anything_but_invalid_input(value: object) -> None:
    for given_value in (value, json.dumps(value)):
        reported = "valid"
        try:
            validate_definition(PipelineDefinition.parse(given_value))
        except InvalidInput as error:
            reported = error.text("en").detail
        assert reported


def test_steps_are_reported_in_their_order(image: Pixels) -> None:
    seen: list[StepProgress] = []
    runner = Runner(validate_definition(pipeline(blur("b", "a"), blur("a", "input", filter_type="edge"))))
    outcome = runner.run(image, on_progress=seen.append)
    assert [(found.step_id, found.status, found.done) for found in seen] == [
        ("a", "running", 0),
        ("a", "completed", 1),
        ("b", "running", 1),
        ("b", "completed", 2),
    ]
    assert [timing.step_id for timing in outcome.result.steps] == ["a", "b"]
    assert outcome.result.processing_time_ms >= sum(timing.milliseconds for timing in outcome.result.steps)
    assert outcome.result.overall_result is Verdict.OK
    assert outcome.heatmap is None
    assert outcome.overlay is not None


def test_a_cancelled_run_stops_before_the_next_step(image: Pixels) -> None:
    cancel = threading.Event()
    seen: list[str] = []

    def stop_after_first(progress: StepProgress) -> None:
        seen.append(progress.step_id)
        if progress.status == "completed":
            cancel.set()

    runner = Runner(validate_definition(pipeline(blur("a", "input"), blur("b", "a"))))
    with pytest.raises(InspectionCancelled):
        runner.run(image, on_progress=stop_after_first, cancel=cancel)
    assert set(seen) == {"a"}


def test_steps_run_where_the_executor_says(image: Pixels) -> None:
    class Counting(InProcess):
        ran: list[str]

        def __init__(self) -> None:
            self.ran = []

        def execute(self, step: ValidatedStep, inputs: Mapping[str, StepValue], context: StepContext) -> StepValue:
            self.ran.append(step.id)
            assert all(isinstance(value, Picture) for value in inputs.values())
            return super().execute(step, inputs, context)

    executor = Counting()
    Runner(validate_definition(pipeline(blur("a", "input"), blur("b", "a"))), executor=executor).run(image)
    assert executor.ran == ["a", "b"]


def test_a_pipeline_without_its_model_is_refused_before_it_runs() -> None:
    with pytest.raises(DoesNotFit) as caught:
        Runner(validate_definition(default_definition()), {})
    assert caught.value.code == "pipeline-model-missing"


@pytest.mark.parametrize("as_finder", [False, True])
def test_a_model_of_the_wrong_kind_is_refused_by_its_field(image: Pixels, as_finder: bool) -> None:
    reference = ReferenceImage.of(image)

    def run() -> None:
        Runner(
            validate_definition(default_definition()),
            (lambda name: reference) if as_finder else {"default": reference},
        ).run(image)

    with pytest.raises(DoesNotFit) as caught:
        run()
    assert caught.value.code == "pipeline-model-kind"
    expected = {"step": "anomaly", "field": "parameters.model", "name": "default", "given": "reference-image"}
    assert expected.items() <= caught.value.values.items()


def test_a_model_file_is_loaded_as_what_its_bytes_say(report: TrainingReport, image: Pixels, tmp_path: Path) -> None:
    write_atomically(tmp_path / "pose.model", encode_png(image))
    reference = load_model(tmp_path / "pose.model")
    assert isinstance(reference, ReferenceImage)
    assert np.array_equal(reference.pixels, image)
    assert reference.digest == ReferenceImage.of(image).digest
    assert isinstance(load_model(report.path), AnomalyModel)
    with pytest.raises(NotFound) as caught:
        load_model(tmp_path / "none.model")
    assert caught.value.code == "model-missing"


def test_the_default_pipeline_finds_a_defect_where_it_is(model: AnomalyModel) -> None:
    runner = Runner(validate_definition(default_definition()), {"default": model})
    part = draw_part(801, defect="scratch")
    outcome = runner.run(Frame(part.image, "test", 0))
    assert outcome.result.overall_result is Verdict.NG
    assert outcome.result.reasons == ["anomaly-score"]
    assert outcome.result.threshold == model.threshold
    assert outcome.heatmap is not None
    assert outcome.heatmap.shape == part.image.shape[:2]
    assert outcome.heatmap[part.mask].mean() > 1.2 * outcome.heatmap[~part.mask].mean()
    assert outcome.overlay is not None
    assert outcome.overlay.shape == part.image.shape
    assert [found.class_name for found in outcome.result.detections][:1] == ["anomaly"]
    assert abs(outcome.heatmap.max() / outcome.result.anomaly_score - 1) < 0.05


def test_the_threshold_of_the_criteria_decides_what_is_found(model: AnomalyModel) -> None:
    runner = Runner(validate_definition(default_definition()), lambda name: model)
    part = draw_part(800, defect="scratch").image
    loose = runner.run(part, Criteria(threshold=1e6))
    assert (loose.result.overall_result, loose.result.threshold) == (Verdict.OK, 1e6)
    assert loose.result.detections == []
    assert runner.run(part, Criteria(threshold=0.01)).result.overall_result is Verdict.NG


def test_a_threshold_counts_for_the_step_whose_model_it_was_chosen_for_alone(
    model: AnomalyModel, report: TrainingReport
) -> None:
    bundle = replace(read_bundle(report.path), digest="b" * 64)
    other = AnomalyModel(bundle, "other.model")
    steps = [
        {"id": name, "component": "anomaly", "parameters": {"model": name}, "inputs": {"image": "input"}}
        for name in ("first", "second")
    ]
    runner = Runner(validate_definition(pipeline(*steps)), {"first": model, "second": other})
    part = draw_part(800, defect="scratch").image
    # Both score the same: the step with the lower threshold is the one that decides.
    for threshold_model, high, low in (
        (model.digest, model.threshold, 0.01),
        (other.digest, model.threshold, 0.01),
        (None, 1e6, 0.01),
        ("c" * 64, model.threshold, model.threshold),
    ):
        for chosen, used in ((1e6, high), (0.01, low)):
            found = runner.run(part, Criteria(threshold=chosen, threshold_model=threshold_model)).result
            assert found.threshold == used
            assert (found.overall_result is Verdict.NG) == (found.anomaly_score > used)


def test_an_image_made_larger_scores_nearly_the_same_through_a_shrinking_step(model: AnomalyModel) -> None:
    part = draw_part(800, defect="scratch").image
    shrunk = {
        "id": "small",
        "component": "resize",
        "parameters": {"width": part.shape[1] * 3 // 4, "height": 4096},
        "inputs": {"image": "input"},
    }
    anomaly = {"id": "anomaly", "component": "anomaly", "inputs": {"image": "small"}}
    direct = Runner(validate_definition(default_definition()), {"default": model}).run(part)
    outcome = Runner(validate_definition(pipeline(shrunk, anomaly)), {"default": model}).run(part)
    assert outcome.heatmap is not None
    assert outcome.heatmap.shape == part.shape[:2]
    assert outcome.result.anomaly_score == pytest.approx(direct.result.anomaly_score, rel=0.15)


def test_one_runner_serves_several_threads(model: AnomalyModel) -> None:
    runner = Runner(validate_definition(default_definition()), {"default": model})
    images = [draw_part(index).image for index in range(900, 904)]
    alone = [runner.run(image).result.anomaly_score for image in images]
    together: dict[int, float | None] = {}

    def work(place: int) -> None:
        together[place] = runner.run(images[place]).result.anomaly_score

    threads = [threading.Thread(target=work, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[place] for place in range(4)] == alone
