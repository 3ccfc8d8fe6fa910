"""Pipelines of every kind of value: checked before they run, run in order, reported in one result."""

import json
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from inspection.components import component, components
from inspection.components.registry import StepContext
from inspection.components.values import (
    AnomalyFinding,
    CodeList,
    ColourFinding,
    DetectionList,
    Kind,
    MeasurementList,
    StepValue,
)
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.picture import Picture
from inspection.judging.criteria import CodeRule, ColourLimits, Criteria, Limits
from inspection.pipeline import (
    INPUT,
    InProcess,
    InspectionCancelled,
    PipelineDefinition,
    Runner,
    StepProgress,
    validate_definition,
)
from inspection.pipeline.validation import ValidatedStep
from models.errors import InvalidInput
from models.results import InspectionResult, StepTiming
from models.states import Verdict
from sync.shared.schemas import storable_object
from tests.support.codes import draw_code
from tests.support.shapes import disc, drawn

PARAMETERS: dict[str, dict[str, Any]] = {
    "resize": {"width": 64, "height": 64},
    "crop": {"rectangle": {"x": 2, "y": 2, "width": 50, "height": 50}},
    "ignore": {"rectangles": [{"x": 0, "y": 0, "width": 5, "height": 5}]},
    "filter": {"filter_type": "overlay"},
    "barcode": {"effort": "quick"},
    "measure": {"quantity": "count"},
    "color": {"srgb": "#808080"},
}
WITHOUT_MODEL = sorted(PARAMETERS)
KIND_OF: dict[type, Kind] = {
    Picture: Kind.IMAGE,
    AnomalyFinding: Kind.ANOMALY,
    DetectionList: Kind.DETECTIONS,
    CodeList: Kind.CODES,
    MeasurementList: Kind.MEASUREMENTS,
    ColourFinding: Kind.COLOUR,
}


def parsed(steps: list[dict[str, Any]]) -> PipelineDefinition:
    return PipelineDefinition.parse({"name": "p", "steps": steps})


@st.composite
def pipelines(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Steps whose inputs are of the right kinds, in any order."""
    steps: list[dict[str, Any]] = []
    sources: dict[Kind, list[str]] = {kind: [] for kind in Kind}
    sources[Kind.IMAGE].append(INPUT)
    for number in range(draw(st.integers(1, 9))):
        name = draw(st.sampled_from(WITHOUT_MODEL))
        inputs = {}
        for port, wanted in component(name).inputs.items():
            if sources[wanted.kind] and (wanted.required or draw(st.booleans())):
                inputs[port] = draw(st.sampled_from(sources[wanted.kind]))
        steps.append({"id": f"s{number}", "component": name, "parameters": PARAMETERS[name], "inputs": inputs})
        sources[component(name).output].append(f"s{number}")
    return draw(st.permutations(steps))


class Watching(InProcess):
    def __init__(self) -> None:
        self.values: dict[str, StepValue] = {}

    def execute(self, step: ValidatedStep, inputs: Mapping[str, StepValue], context: StepContext) -> StepValue:
        assert context.step_id == step.id
        for port, source in step.inputs.items():
            assert KIND_OF[type(inputs[port])] is step.component.inputs[port].kind
            assert source == INPUT or inputs[port] is self.values[source]
        value = super().execute(step, inputs, context)
        assert KIND_OF[type(value)] is step.component.output
        self.values[step.id] = value
        return value


@settings(max_examples=30, deadline=None)
@given(steps=pipelines())
def test_any_graph_of_fitting_steps_runs_each_once_after_what_it_needs(steps: list[dict[str, Any]]) -> None:
    watching = Watching()
    outcome = Runner(validate_definition(parsed(steps)), executor=watching).run(drawn(60, 80, disc(40, 30, 12)))
    assert sorted(watching.values) == sorted(step["id"] for step in steps)
    assert [timing.step_id for timing in outcome.result.steps] == list(watching.values)
    assert InspectionResult.model_validate_json(outcome.result.model_dump_json()) == outcome.result


@settings(max_examples=60, deadline=None)
@given(
    steps=pipelines(),
    how=st.sampled_from(["circle", "kind", "source", "parameter", "port", "component"]),
    data=st.data(),
)
def test_a_graph_broken_in_any_way_is_refused_by_its_field(
    steps: list[dict[str, Any]], how: str, data: st.DataObject
) -> None:
    broken = data.draw(st.sampled_from(steps))["id"]
    step = next(step for step in steps if step["id"] == broken)
    step["inputs"], step["parameters"] = dict(step["inputs"]), dict(step["parameters"])
    if how == "circle":
        pair = [{"id": f"x{one}", "component": "resize", "inputs": {"image": f"x{1 - one}"}} for one in (0, 1)]
        steps = [*steps, *pair]
        expected = ("pipeline-cycle", "steps.x0.inputs")
    elif how == "kind":
        steps = [*steps, {"id": "x", "component": "barcode", "inputs": {"image": INPUT}}]
        step["inputs"]["image"] = "x"
        expected = ("pipeline-wrong-kind", f"steps.{broken}.inputs.image")
    elif how == "source":
        step["inputs"]["image"] = "nowhere"
        expected = ("pipeline-unknown-source", f"steps.{broken}.inputs.image")
    elif how == "parameter":
        step["parameters"]["unheard_of"] = 1
        expected = ("pipeline-parameter", f"steps.{broken}.parameters.unheard_of")
    elif how == "port":
        step["inputs"]["sound"] = INPUT
        expected = ("pipeline-unknown-input", f"steps.{broken}.inputs.sound")
    else:
        step["component"] = "melt"
        expected = ("pipeline-unknown-component", f"steps.{broken}.component")
    with pytest.raises(InvalidInput) as caught:
        validate_definition(parsed(steps))
    reported = caught.value.members["validation_errors"]
    assert isinstance(reported, list)
    assert caught.value.code == expected[0]
    assert expected[1] in {entry["field"] for entry in reported}


def test_parameters_that_contradict_each_other_name_the_step() -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_definition(parsed([{"id": "width", "component": "measure", "inputs": {"image": INPUT}}]))
    assert caught.value.code == "pipeline-parameter"
    listed = caught.value.members["validation_errors"]
    assert isinstance(listed, list)
    assert listed[0]["message"].in_language("ja") == caught.value.text("ja").detail
    assert (caught.value.values["step"], caught.value.values["field"]) == ("width", "parameters")
    assert getattr(caught.value.values["reason"], "code", None) == "value-length-without-line"


@pytest.fixture(scope="module")
def scene() -> Pixels:
    """A grey part with two holes, a red patch and a code."""
    pixels = np.repeat(drawn(340, 420, disc(90, 90, 40), disc(200, 90, 20), ground=190)[:, :, None], 3, axis=2)
    pixels[200:260, 40:120] = (180, 30, 40)
    code = draw_code("qr")
    pixels[180 : 180 + code.shape[0], 280 : 280 + code.shape[1]] = code[:, :, None]
    return pixels


STEPS: list[dict[str, Any]] = [
    {
        "id": "bore",
        "component": "measure",
        "inputs": {"image": "holes"},
        "parameters": {"quantity": "diameter", "mm_per_pixel": 0.1},
    },
    {
        "id": "holes",
        "component": "crop",
        "inputs": {"image": INPUT},
        "parameters": {"rectangle": {"x": 20, "y": 20, "width": 240, "height": 140}},
    },
    {
        "id": "count",
        "component": "measure",
        "inputs": {"image": "holes"},
        "parameters": {"quantity": "count", "name": "holes"},
    },
    {
        "id": "paint",
        "component": "color",
        "inputs": {"image": INPUT},
        "parameters": {"srgb": "#b41e28", "region": {"x": 50, "y": 210, "width": 60, "height": 40}},
    },
    {"id": "lot", "component": "barcode", "inputs": {"image": INPUT}},
    {
        "id": "shown",
        "component": "filter",
        "inputs": {"image": INPUT, "codes": "lot", "measurements": "bore", "colour": "paint"},
        "parameters": {"filter_type": "overlay"},
    },
]
GOOD = Criteria(
    measurements={"bore": Limits(lower=7.9, upper=8.1), "holes": Limits(lower=2, upper=2)},
    codes={"lot": CodeRule(pattern="LOT-####")},
    colours={"paint": ColourLimits(mean=1.0)},
)


def test_one_result_has_every_finding_in_coordinates_of_the_original(scene: Pixels) -> None:
    outcome = Runner(validate_definition(parsed(STEPS))).run(scene, GOOD)
    result = outcome.result
    assert (result.overall_result, result.reasons) == (Verdict.OK, [])
    values = {found.name: (found.value, found.unit) for found in result.measurements}
    assert values == {"bore": (pytest.approx(8.0, abs=0.01), "mm"), "holes": (2, "")}
    ring = np.array([(point.x, point.y) for point in result.measurements[0].geometry[0]])
    assert ring.mean(axis=0) == pytest.approx([90, 90], abs=1.5)
    assert [code.text for code in result.codes] == ["LOT-0815"]
    assert result.colours[0].mean == 0
    assert outcome.overlay is not None
    assert (outcome.overlay[85:95, 47:53] != scene[85:95, 47:53]).any(axis=(1, 2)).all()
    assert np.array_equal(outcome.overlay[85:95, 20:44], scene[85:95, 20:44])


def test_a_part_that_is_wrong_in_everything_has_a_reason_for_each(scene: Pixels) -> None:
    wrong = cv2.flip(scene, 1).astype(np.uint8)
    wrong[:, :160] = 190  # no code
    result = Runner(validate_definition(parsed(STEPS))).run(wrong, GOOD).result
    assert result.overall_result is Verdict.NG
    assert result.reasons == [
        "measurement-low:bore",
        "measurement-low:holes",
        "code-missing:lot",
        "colour-difference:paint",
    ]


def test_a_record_keeps_each_finding_beside_its_step(scene: Pixels) -> None:
    result = Runner(validate_definition(parsed(STEPS))).run(scene, GOOD).result
    spoiled = result.codes[0].model_copy(update={"text": "a\0b"})
    steps = result.model_copy(update={"codes": [spoiled]}).recorded_steps()
    by_step = {step["step_id"]: step for step in steps}
    assert by_step["bore"]["measurements"][0]["value"] == result.measurements[0].value
    assert "geometry" not in by_step["bore"]["measurements"][0]
    assert by_step["lot"]["codes"][0]["text"] == "a\u2400b"
    assert by_step["paint"]["colours"][0]["mean"] == 0
    assert "measurements" not in by_step["shown"]
    storable_object({"steps": json.loads(json.dumps(steps))})
    read = TypeAdapter(list[StepTiming]).validate_python(steps)
    assert [step.model_dump(mode="json") for step in read] == steps


def test_results_of_other_releases_are_still_read() -> None:
    before = {"overall_result": "OK", "confidence": 0.9, "detections": []}
    assert InspectionResult.model_validate(before).measurements == []
    later = InspectionResult.model_validate({**before, "sounds": [1]})
    assert later.model_dump(mode="json")["sounds"] == [1]


@pytest.mark.parametrize("step", [step["id"] for step in STEPS])
def test_a_run_is_cancelled_before_any_of_its_steps(scene: Pixels, step: str) -> None:
    cancel = threading.Event()
    seen: list[StepProgress] = []

    def stop(progress: StepProgress) -> None:
        seen.append(progress)
        if progress.step_id == before and progress.status == "completed":
            cancel.set()

    order = [found.id for found in validate_definition(parsed(STEPS)).steps]
    place = order.index(step)
    before = order[place - 1] if place else ""
    if not place:
        cancel.set()
    with pytest.raises(InspectionCancelled):
        Runner(validate_definition(parsed(STEPS))).run(scene, on_progress=stop, cancel=cancel)
    assert [progress.step_id for progress in seen if progress.status == "completed"] == order[:place]
    assert all(progress.done <= progress.total == len(STEPS) for progress in seen)


def test_every_parameter_of_every_component_is_described_with_its_bounds() -> None:
    for name, found in components().items():
        schema = found.describe()["parameters"]
        assert schema["additionalProperties"] is False
        for kind in [schema, *schema.get("$defs", {}).values()]:
            for field, reported in kind.get("properties", {}).items():
                assert reported.get("description") or "$ref" in reported, f"{name}.{field}"
        json.dumps(found.describe())
