"""A model file records its preprocessing, and its use with other steps is reported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from inspection.anomaly import AnomalyModel, TrainingReport, load_bundle, read_manifest, train_images
from inspection.anomaly.bundle import pack, read_bundle
from inspection.anomaly.manifest import BundleManifest, PreprocessingRecord
from inspection.components import components
from inspection.evaluation.wording import phrases
from inspection.imaging.files import read_image
from inspection.model_files.reference import ReferenceImage
from inspection.pipeline import (
    PipelineDefinition,
    preprocessing_mismatch,
    preprocessing_mismatches,
    preprocessing_record,
    ready_definition,
    validate_definition,
)
from tests.support.command import run
from tests.support.messages import says
from tests.support.pipelines import ALIGN, CLAHE, CROP, QUICK, RESIZE, pipeline, prefix_of

REFERENCES = {"reference": "a" * 64}


def differing(written: str) -> list[str]:
    """Return the codes of what a command wrote of a model that was trained through other steps."""
    codes = ("model-preprocessing-differs", "model-preprocessing-settings-differ", "model-images-differ")
    return [code for code in codes if says(written, code)]


def recorded(definition: PipelineDefinition, references: dict[str, str] | None = None) -> PreprocessingRecord:
    return preprocessing_record(validate_definition(definition), "anomaly", references or REFERENCES)


def renamed(definition: PipelineDefinition, **names: str) -> PipelineDefinition:
    """The pipeline with its steps under other names and in the opposite order."""
    text = definition.model_dump_json()
    for before, after in names.items():
        text = text.replace(f'"{before.replace("_", "-")}"', f'"{after}"')
    changed = json.loads(text)
    return PipelineDefinition.parse({**changed, "steps": changed["steps"][::-1]})


def test_images_only_made_smaller_as_a_model_does_count_as_they_are() -> None:
    as_they_are = PreprocessingRecord()
    assert recorded(pipeline()) == as_they_are
    for name in ("anomaly", "codes-and-anomaly"):
        assert recorded(ready_definition(name)) == as_they_are
    assert recorded(pipeline(("resize", {"width": 1024, "height": 2000}))) == as_they_are


@pytest.mark.parametrize(
    "step",
    [
        ("resize", {"width": 1023}),
        ("resize", {"mode": "fill"}),
        ("resize", {"mode": "stretch"}),
        ("resize", {"enlarge": True}),
        CROP,
        CLAHE,
        ALIGN,
    ],
)
def test_what_changes_what_a_model_sees_is_kept(step: tuple[str, dict[str, Any]]) -> None:
    found = recorded(pipeline(step))
    assert found.components == (step[0],)
    assert len(found.digest) == 64


def test_names_in_the_file_do_not_change_the_record() -> None:
    whole = pipeline(RESIZE, CROP, CLAHE)
    found = recorded(whole)
    assert found.components == ("resize", "crop", "filter")
    assert recorded(renamed(whole, resize_0="small", crop_1="middle", filter_2="contrast")) == found
    narrower = ("crop", {"rectangle": {**CROP[1]["rectangle"], "width": 239}})
    for other in (pipeline(CROP, RESIZE, CLAHE), pipeline(RESIZE, narrower, CLAHE), pipeline(RESIZE, CROP)):
        assert recorded(other).digest != found.digest


def test_a_default_that_is_written_out_is_the_same_as_one_that_is_left_out() -> None:
    assert recorded(pipeline(("resize", {"width": 300, "mode": "fit"}))) == recorded(
        pipeline(("resize", {"width": 300}))
    )


def test_another_reference_image_changes_the_record_unlike_its_name() -> None:
    first = recorded(pipeline(ALIGN))
    assert recorded(pipeline(ALIGN), {"reference": "b" * 64}) != first
    assert recorded(pipeline(("align", {**ALIGN[1], "reference": "good"})), {"good": "a" * 64}) == first


@pytest.mark.slow
def test_a_training_keeps_what_its_images_went_through(good_paths: list[Path], tmp_path: Path) -> None:
    prefix = prefix_of(pipeline(ALIGN, CROP), good_paths[0])
    report = train_images(good_paths[:5], tmp_path / "m.model", QUICK, preprocessor=prefix)
    assert report.manifest.preprocessing_record == read_manifest(report.path).preprocessing_record == prefix.record
    assert prefix.record.components == ("align", "crop")
    reference = ReferenceImage.of(read_image(good_paths[0]))
    models = {"default": load_bundle(report.path), "reference": reference}
    assert preprocessing_mismatches(validate_definition(pipeline(ALIGN, CROP)), models) == ()
    (other,) = preprocessing_mismatches(validate_definition(pipeline(ALIGN)), models)
    assert other.error().code == "model-preprocessing-differs"
    assert (other.trained.components, other.here.components) == (("align", "crop"), ("align",))
    moved = models | {"reference": ReferenceImage.of(read_image(good_paths[1]))}
    (other,) = preprocessing_mismatches(validate_definition(pipeline(ALIGN, CROP)), moved)
    assert other.error().code == "model-preprocessing-settings-differ"
    assert other.error().values["differing"] == "align"
    kept = {"step": "anomaly", "model": report.digest, "trained": prefix.record.digest, "here": other.here.digest}
    assert other.as_json() == kept


def test_the_step_whose_settings_differ_is_named(report: TrainingReport) -> None:
    narrower = ("crop", {"rectangle": {**CROP[1]["rectangle"], "width": 239}})
    trained = report.manifest.model_copy(update={"preprocessing_record": recorded(pipeline(ALIGN, CROP, CLAHE))})
    reported = preprocessing_mismatch(trained, "part.model", report.digest, recorded(pipeline(ALIGN, narrower, CLAHE)))
    assert reported is not None
    assert reported.error().code == "model-preprocessing-settings-differ"
    assert reported.error().values["differing"] == "crop"
    assert reported.error("window-", "Plate").values["item"] == "Plate"


def test_other_steps_are_reported(report: TrainingReport) -> None:
    found = preprocessing_mismatch(report.manifest, "part.model", report.digest, recorded(pipeline(CROP)))
    assert found is not None
    assert found.error().code == "model-preprocessing-differs"
    assert (found.trained.components, found.here.components) == ((), ("crop",))
    assert preprocessing_mismatch(report.manifest, "part.model", report.digest, PreprocessingRecord()) is None


def test_of_a_file_from_before_this_was_kept_nothing_is_reported(report: TrainingReport) -> None:
    written = report.manifest.model_dump(mode="json")
    del written["view"]
    older = BundleManifest.model_validate(written)
    assert older.preprocessing_record is None
    assert preprocessing_mismatch(older, "old.model", "0" * 64, recorded(pipeline(CROP))) is None


@pytest.fixture
def through_crop(good_paths: list[Path], tmp_path: Path) -> tuple[Path, Path]:
    """A model trained through a crop, and the pipeline."""
    own, model = tmp_path / "own.json", tmp_path / "cropped.model"
    own.write_text(pipeline(CROP).model_dump_json())
    train_images(good_paths[:6], model, QUICK, preprocessor=prefix_of(pipeline(CROP)))
    return model, own


@pytest.fixture
def older_model(through_crop: tuple[Path, Path], tmp_path: Path) -> Path:
    """A model file from before it was kept what its images went through."""
    bundle = read_bundle(through_crop[0])
    older = tmp_path / "older.model"
    older.write_bytes(
        pack(bundle.manifest.model_copy(update={"preprocessing_record": None}), bundle.graph, bundle.weights)
    )
    return older


@pytest.mark.slow
def test_commands_report_that_a_model_is_used_without_its_pipeline(
    capsys: pytest.CaptureFixture[str],
    model: AnomalyModel,
    through_crop: tuple[Path, Path],
    parts: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", "en")
    cropped, own = through_crop
    image = parts / "test" / "scratch" / "800.png"
    folders = ("--good", parts / "test" / "good", "--defect", parts / "test" / "scratch")
    for command in (
        ("inspect", "--model", cropped, image),
        ("evaluate", "--model", cropped, *folders, "--out", tmp_path / "report.html"),
        ("model", "threshold", cropped, *folders),
    ):
        code, _, reported = run(capsys, *command)
        assert (code, differing(reported)) == (0, ["model-preprocessing-differs"]), reported
        code, _, reported = run(capsys, *command, "--pipeline", own)
        assert (code, differing(reported)) == (0, []), reported
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert phrases("en")["method-steps"].format(steps="crop") in page
    assert differing(page) == []
    code, _, reported = run(capsys, "model", "threshold", cropped)
    assert (code, differing(reported)) == (0, [])
    code, printed, _ = run(capsys, "model", "show", cropped)
    assert ["steps", "crop"] in [line.split() for line in printed.splitlines()]


@pytest.mark.slow
def test_the_figures_of_an_evaluation_have_what_images_went_through(
    capsys: pytest.CaptureFixture[str],
    through_crop: tuple[Path, Path],
    older_model: Path,
    parts: Path,
    tmp_path: Path,
) -> None:
    cropped, own = through_crop
    out = tmp_path / "report"
    folders = ("--good", parts / "test" / "good", "--defect", parts / "test" / "scratch")
    for model, options, steps, as_trained in (
        (cropped, (), [], False),
        (cropped, ("--pipeline", own), ["crop"], True),
        (older_model, (), [], None),
    ):
        code, printed, _ = run(capsys, "evaluate", "--model", model, *folders, "--json", "--out", out, *options)
        assert code == 0
        for found in (json.loads(printed), json.loads((out / "evaluation.json").read_text(encoding="utf-8"))):
            assert (found["steps"], found["as_trained"]) == (steps, as_trained)
        page = (out / "report.html").read_text(encoding="utf-8")
        assert bool(differing(page.partition('id="confusion"')[0])) is (as_trained is False)
        assert (phrases("en")["method-steps-unknown"] in page) is (as_trained is None)
        shutil.rmtree(out)


@pytest.mark.slow
def test_images_that_are_scored_as_they_are_are_reported_where_the_training_had_steps(
    capsys: pytest.CaptureFixture[str], through_crop: tuple[Path, Path], parts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", "en")
    cropped, _ = through_crop
    against = ("model", "verify", cropped, "--against", cropped)
    code, _, reported = run(capsys, *against, "--images", parts / "test" / "scratch")
    assert (code, says(reported, "model-images-differ")) == (0, True)
    code, _, reported = run(capsys, *against)
    assert (code, differing(reported)) == (0, [])


def test_parallel_steps_are_recorded_in_the_order_of_the_ports() -> None:
    def blended(first: str, second: str, *, turned: bool = False) -> PipelineDefinition:
        """``filter`` draws what a detector found on one picture over another."""
        steps: list[dict[str, Any]] = [
            {"id": "a", "component": "crop", "parameters": CROP[1], "inputs": {"image": "input"}},
            {"id": "b", "component": "filter", "parameters": CLAHE[1], "inputs": {"image": "input"}},
            {"id": "codes", "component": "barcode", "inputs": {"image": second}},
            {
                "id": "drawn",
                "component": "filter",
                "parameters": {"filter_type": "overlay"},
                "inputs": {"image": first, "codes": "codes"},
            },
            {"id": "anomaly", "component": "anomaly", "inputs": {"image": "drawn"}},
        ]
        return PipelineDefinition.parse({"name": "Blended", "steps": steps[::-1] if turned else steps})

    one = recorded(blended("a", "b"))
    assert one == recorded(blended("a", "b", turned=True))
    assert one.components == ("filter", "barcode", "crop", "filter")
    other = recorded(blended("b", "a"))
    assert other.components != one.components
    assert other.digest != one.digest


@pytest.mark.slow
def test_a_file_from_before_this_was_kept_is_used_without_a_word(
    capsys: pytest.CaptureFixture[str], older_model: Path, parts: Path
) -> None:
    good = parts / "test" / "good"
    for command in (("inspect", "--model", older_model, good), ("model", "threshold", older_model, "--good", good)):
        code, _, reported = run(capsys, *command)
        assert (code, differing(reported)) == (0, []), reported
    code, printed, _ = run(capsys, "model", "show", older_model)
    (steps,) = (set(line.split()[1:]) for line in printed.splitlines() if line.startswith("steps"))
    assert (code, steps & set(components())) == (0, set())


def test_two_steps_that_use_a_model_alike_are_reported_in_one_line(
    capsys: pytest.CaptureFixture[str], through_crop: tuple[Path, Path], parts: Path, tmp_path: Path
) -> None:
    twice = tmp_path / "twice.json"
    steps = [{"id": name, "component": "anomaly", "inputs": {"image": "input"}} for name in ("one", "two")]
    twice.write_text(json.dumps({"name": "Twice", "steps": steps}))
    image = parts / "test" / "scratch" / "800.png"
    code, _, reported = run(capsys, "inspect", "--pipeline", twice, "--model", through_crop[0], image)
    assert (code, reported.count("cropped.model")) == (0, 1)
