from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from inspection.pipeline import default_definition, ready_definition, validate_definition
from inspection.recipe.criteria import item_criteria, parse_criteria
from inspection.recipe.models import KnownModel, names_before
from inspection.recipe.overrides import merge_overrides, resolve_pipeline
from inspection.recipe.recipe import ItemSource, make_recipe
from inspection.recipe.thresholds import AppliedThreshold, ChosenThreshold, station_threshold
from models.errors import DoesNotFit, InvalidInput

DEFINITION = default_definition().model_dump(mode="json")
ALIGNED = ready_definition("aligned-anomaly").model_dump(mode="json")
MODEL = KnownModel("m1", "anomaly", "a" * 64, 3.0)
REFERENCE = KnownModel("r1", "reference-image", "b" * 64)
CHOSEN: dict[str, Any] = {"anomaly": {"model": "m1"}}


def source(definition: dict[str, Any] | None = DEFINITION, overrides: Any = CHOSEN, criteria: Any = None) -> ItemSource:
    return ItemSource("Surface", definition, overrides, criteria or {})


def refused(work: Any) -> str:
    with pytest.raises(DoesNotFit) as caught:
        work()
    return caught.value.code


def test_overrides_leave_the_definition_as_it_was() -> None:
    merged = merge_overrides(DEFINITION, {"overlay": {"opacity": 0.3}})
    assert next(step for step in merged["steps"] if step["id"] == "overlay")["parameters"]["opacity"] == 0.3
    assert default_definition().model_dump(mode="json") == DEFINITION


def test_a_pipeline_that_does_not_run_with_overrides_names_the_reason() -> None:
    with pytest.raises(DoesNotFit) as caught:
        resolve_pipeline(DEFINITION, {"overlay": {"filter_type": "none"}})
    assert caught.value.code == "pipeline-does-not-fit"
    assert caught.value.values["reason"].code == "pipeline-parameter"  # type: ignore[attr-defined]  # a LocalText


def test_every_wrong_criterion_is_listed() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_criteria({"threshold": -1, "minimum_confidence": 2})
    entries = caught.value.members["validation_errors"]
    assert isinstance(entries, list)
    assert [entry["field"] for entry in entries] == ["criteria.threshold", "criteria.minimum_confidence"]


def test_a_stored_items_wrong_criterion_is_named_without_its_column() -> None:
    with pytest.raises(DoesNotFit) as caught:
        item_criteria("Surface", {"threshold": -1})
    assert (caught.value.code, caught.value.values["setting"]) == ("item-criteria-invalid", "threshold")


def test_names_of_models_are_found_in_the_pipeline_too() -> None:
    definition = merge_overrides(DEFINITION, CHOSEN)
    assert source(definition, {}).model_names == source().model_names == ("m1",)


def test_the_default_name_means_that_none_is_chosen() -> None:
    assert (source(overrides={}).model_names, source(overrides={}).lacks_model) == ((), True)
    assert not source().lacks_model
    aligned = source(ALIGNED)
    assert (aligned.model_names, aligned.lacks_model) == (("m1",), True)


def test_the_models_of_an_item_that_cannot_run_are_still_found() -> None:
    broken = {**DEFINITION, "steps": [*DEFINITION["steps"], {"id": "x", "component": "of a later version"}]}
    assert source(broken, {**CHOSEN, "overlay": 5, "gone": {}}).model_names == ("m1",)


def test_preprocessing_needs_only_the_models_before_its_step() -> None:
    pipeline = resolve_pipeline(ALIGNED, {**CHOSEN, "align": {"reference": "r1"}})
    assert names_before(pipeline, "anomaly") == ("r1",)
    assert names_before(validate_definition(default_definition()), "anomaly") == ()


def test_a_recipe_has_the_threshold_that_applies() -> None:
    recipe = make_recipe(source(), [MODEL], ChosenThreshold(5.0))
    assert recipe.threshold == AppliedThreshold(5.0, "station")
    assert recipe.criteria.threshold == 5.0
    assert make_recipe(source(), [MODEL]).criteria.threshold is None
    own = source(criteria={"threshold": 4.0, "threshold_model": "c" * 64})
    assert make_recipe(own, [MODEL]).skipped_thresholds == ("item",)


def test_a_recipe_knows_what_it_lacks() -> None:
    assert make_recipe(source()).unknown_models == ("m1",)
    assert not make_recipe(source()).lacks_anomaly_model
    assert make_recipe(source(overrides={})).lacks_anomaly_model


def test_results_are_recorded_with_the_model_that_scores() -> None:
    aligned = source(ALIGNED, {**CHOSEN, "align": {"reference": "r1"}})
    assert make_recipe(aligned, [REFERENCE, MODEL]).recorded_model == MODEL


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (source(None), "item-without-pipeline"),
        (source(criteria={"threshold": -1}), "item-criteria-invalid"),
        (source(overrides={"gone": {}}), "pipeline-without-step"),
        (source(overrides={"overlay": 5}), "pipeline-does-not-fit"),
        (source(overrides={"anomaly": {"model": "r1"}}), "pipeline-model-kind"),
    ],
)
def test_no_recipe_is_made_of_what_does_not_fit(found: ItemSource, code: str) -> None:
    assert refused(lambda: make_recipe(found, [MODEL, REFERENCE])) == code


def test_a_stations_threshold_belongs_to_one_item() -> None:
    settings = {"thresholds": {"i": 2.0, "other": -1}, "threshold_models": {"i": "a" * 64}}
    assert station_threshold("i", "Surface", settings) == ChosenThreshold(2.0, "a" * 64)
    assert station_threshold("j", "Surface", settings) is None
    assert refused(lambda: station_threshold("other", "Surface", settings)) == "item-criteria-invalid"
    assert refused(lambda: station_threshold("i", "Surface", {"thresholds": 5})) == "item-criteria-invalid"


DETECTION = ready_definition("detection").model_dump(mode="json")
LAMP = KnownModel("d1", "detector", "d" * 64, classes=("off", "on"))


def lamp(criteria: dict[str, Any], **parameters: Any) -> ItemSource:
    step = next(step["id"] for step in DETECTION["steps"] if step["component"] == "ai_detection")
    return source(DETECTION, {step: {"model": "d1", **parameters}}, criteria)


def test_criteria_that_count_a_class_the_model_lacks_are_refused() -> None:
    wrong = lamp({"max_detections": {"False": 0}})
    assert refused(lambda: make_recipe(wrong, (LAMP,))) == "criteria-class-unknown"
    assert make_recipe(lamp({"max_detections": {"off": 0, "anomaly": 1}}), (LAMP,)).criteria.max_detections["off"] == 0


def test_criteria_that_count_a_class_the_step_does_not_report_are_refused() -> None:
    narrowed = lamp({"max_detections": {"off": 0}}, classes=["on"])
    assert refused(lambda: make_recipe(narrowed, (LAMP,))) == "criteria-class-unknown"


def test_classes_of_a_model_without_a_list_of_them_are_not_checked() -> None:
    unknown = KnownModel("d1", "detector", "d" * 64)
    assert make_recipe(lamp({"max_detections": {"scratch": 0}}), (unknown,)).criteria.max_detections == {"scratch": 0}


@pytest.mark.parametrize(
    ("metrics", "classes"),
    [
        ({"classes": ["a", "b"]}, ("a", "b")),
        ({"classes": {"a": {"map50": 0.9}}}, ("a",)),
        ({"classes": [1]}, None),
        ({"classes": "ab"}, None),
        ({}, None),
    ],
)
def test_the_classes_of_a_record_are_those_of_its_figures(metrics: dict[str, Any], classes: Any) -> None:
    record = SimpleNamespace(id="d1", model_kind="detector", sha256="d" * 64, metrics=metrics)
    assert KnownModel.of(record).classes == classes


def labels(criteria: dict[str, Any], **parameters: Any) -> ItemSource:
    step = {"id": "codes", "component": "barcode", "inputs": {"image": "input"}, "parameters": parameters}
    return source({"format_version": 1, "name": "Codes", "steps": [step]}, {}, {"codes": criteria})


@pytest.mark.parametrize(
    ("criteria", "parameters", "code"),
    [
        ({"a": {"formats": ["qr"]}}, {"formats": ["code-128"]}, "criteria-code-format"),
        ({"a": {"formats": ["qr"]}, "b": {"formats": ["itf"]}}, {"expected": 1}, "criteria-code-count"),
        ({"a": {"formats": ["qr"], "least": 2}}, {"expected": 1}, "criteria-code-count"),
    ],
)
def test_codes_that_the_steps_cannot_read_are_refused(
    criteria: dict[str, Any], parameters: dict[str, Any], code: str
) -> None:
    assert refused(lambda: make_recipe(labels(criteria, **parameters))) == code


@pytest.mark.parametrize(
    ("criteria", "parameters"),
    [
        ({"a": {"formats": ["qr"]}, "b": {"formats": ["itf"]}}, {}),
        ({"a": {"pattern": "A*"}, "b": {"pattern": "*B"}}, {"expected": 1}),
        ({"a": {"formats": ["upc-a"]}}, {"formats": ["ean-13"]}),
        ({"a": {"formats": ["qr"], "least": 0}}, {"formats": ["ean-13"]}),
    ],
)
def test_codes_that_the_steps_may_read_are_accepted(criteria: dict[str, Any], parameters: dict[str, Any]) -> None:
    assert list(make_recipe(labels(criteria, **parameters)).criteria.codes) == list(criteria)
