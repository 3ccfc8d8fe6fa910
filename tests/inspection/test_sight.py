"""A model file tells how its images were taken, and who uses it otherwise is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from inspection.anomaly import AnomalyModel, TrainingReport, load_bundle, read_manifest, train_images
from inspection.anomaly.manifest import BundleManifest, SeenRecord
from inspection.images import read_image
from inspection.pipeline import (
    PipelineDefinition,
    ready_definition,
    seen_otherwise,
    sight_of,
    taken_otherwise,
    validate_definition,
)
from inspection.reference import ReferenceImage
from tests.command import run
from tests.inspection.test_viewpoint import ALIGN, CLAHE, CROP, QUICK, RESIZE, pipeline, view_of

REFERENCES = {"reference": "a" * 64}


def sight(definition: PipelineDefinition, references: dict[str, str] | None = None) -> SeenRecord:
    return sight_of(validate_definition(definition), "anomaly", references or REFERENCES)


def renamed(definition: PipelineDefinition, **names: str) -> PipelineDefinition:
    """The pipeline with its steps under other names and in the opposite order."""
    text = definition.model_dump_json()
    for before, after in names.items():
        text = text.replace(f'"{before.replace("_", "-")}"', f'"{after}"')
    changed = json.loads(text)
    return PipelineDefinition.parse({**changed, "steps": changed["steps"][::-1]})


def test_images_as_they_are_and_images_only_made_smaller_as_a_model_does_are_the_same() -> None:
    as_they_are = SeenRecord()
    assert sight(pipeline()) == as_they_are
    for name in ("anomaly", "codes-and-anomaly"):
        assert sight(ready_definition(name)) == as_they_are
    assert sight(pipeline(("resize", {"width": 1024, "height": 2000}))) == as_they_are


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
    found = sight(pipeline(step))
    assert found.steps == (step[0],)
    assert len(found.digest) == 64


def test_names_and_order_in_the_file_do_not_matter_what_is_done_does() -> None:
    whole = pipeline(RESIZE, CROP, CLAHE)
    found = sight(whole)
    assert found.steps == ("resize", "crop", "filter")
    assert sight(renamed(whole, resize_0="small", crop_1="middle", filter_2="contrast")) == found
    narrower = ("crop", {"rectangle": {**CROP[1]["rectangle"], "width": 239}})
    for other in (pipeline(CROP, RESIZE, CLAHE), pipeline(RESIZE, narrower, CLAHE), pipeline(RESIZE, CROP)):
        assert sight(other).digest != found.digest


def test_a_default_that_is_written_out_is_the_same_as_one_that_is_left_out() -> None:
    assert sight(pipeline(("resize", {"width": 300, "mode": "fit"}))) == sight(pipeline(("resize", {"width": 300})))


def test_another_reference_image_is_another_sight_its_name_is_not() -> None:
    first = sight(pipeline(ALIGN))
    assert sight(pipeline(ALIGN), {"reference": "b" * 64}) != first
    assert sight(pipeline(("align", {**ALIGN[1], "reference": "good"})), {"good": "a" * 64}) == first


def test_a_training_keeps_how_its_images_were_taken(good_paths: list[Path], tmp_path: Path) -> None:
    seen = view_of(pipeline(ALIGN, CROP), good_paths[0])
    report = train_images(good_paths[:5], tmp_path / "m.model", QUICK, seen=seen)
    assert report.manifest.seen == read_manifest(report.path).seen == seen.record
    assert seen.record.steps == ("align", "crop")
    reference = ReferenceImage.of(read_image(good_paths[0]))
    models = {"default": load_bundle(report.path), "reference": reference}
    assert seen_otherwise(validate_definition(pipeline(ALIGN, CROP)), models) == ()
    (told,) = seen_otherwise(validate_definition(pipeline(ALIGN)), models)
    assert "align, crop" in told.text("en").detail
    moved = models | {"reference": ReferenceImage.of(read_image(good_paths[1]))}
    assert len(seen_otherwise(validate_definition(pipeline(ALIGN, CROP)), moved)) == 1


def test_what_was_taken_otherwise_is_told_in_both_languages(report: TrainingReport) -> None:
    told = taken_otherwise(report.manifest, "part.model", sight(pipeline(CROP)))
    assert told is not None
    assert "taken as they are; here they are taken through crop" in told.text("en").detail
    assert "画像をそのまま使い、ここでは crop に通して使っています" in told.text("ja").detail
    assert taken_otherwise(report.manifest, "part.model", SeenRecord()) is None


def test_of_a_file_from_before_this_was_kept_nothing_is_said(report: TrainingReport) -> None:
    written = report.manifest.model_dump(mode="json")
    del written["seen"]
    older = BundleManifest.model_validate(written)
    assert older.seen is None
    assert taken_otherwise(older, "old.model", sight(pipeline(CROP))) is None


@pytest.fixture
def through_crop(good_paths: list[Path], tmp_path: Path) -> tuple[Path, Path]:
    """A model trained through a crop, and the pipeline."""
    own, model = tmp_path / "own.json", tmp_path / "cropped.model"
    own.write_text(pipeline(CROP).model_dump_json())
    train_images(good_paths[:6], model, QUICK, seen=view_of(pipeline(CROP)))
    return model, own


def test_commands_tell_that_a_model_is_used_without_its_pipeline(
    capsys: pytest.CaptureFixture[str],
    model: AnomalyModel,
    through_crop: tuple[Path, Path],
    parts: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", "en")
    cropped, own = through_crop
    said = "The model cropped.model was trained on images taken through crop; here they are taken as they are."
    image = parts / "test" / "scratch" / "800.png"
    folders = ("--good", parts / "test" / "good", "--defect", parts / "test" / "scratch")
    for command in (
        ("inspect", "--model", cropped, image),
        ("evaluate", "--model", cropped, *folders, "--out", tmp_path / "report.html"),
        ("model", "threshold", cropped, *folders),
    ):
        code, _, told = run(capsys, *command)
        assert (code, said in told) == (0, True), told
        code, _, told = run(capsys, *command, "--pipeline", own)
        assert (code, "was trained on" in told) == (0, False), told
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Images went through crop" in page
    assert "was trained on" not in page
    code, _, told = run(capsys, "model", "threshold", cropped)
    assert (code, "was trained on" in told) == (0, False)
    code, printed, _ = run(capsys, "model", "show", cropped)
    assert "through     crop" in printed


def test_the_figures_of_an_evaluation_tell_how_images_were_taken(
    capsys: pytest.CaptureFixture[str], through_crop: tuple[Path, Path], parts: Path, tmp_path: Path
) -> None:
    cropped, own = through_crop
    out = tmp_path / "report"
    folders = ("--good", parts / "test" / "good", "--defect", parts / "test" / "scratch")
    for options, steps, as_trained in (((), [], False), (("--pipeline", own), ["crop"], True)):
        code, printed, _ = run(capsys, "evaluate", "--model", cropped, *folders, "--json", "--out", out, *options)
        assert code == 0
        for found in (json.loads(printed), json.loads((out / "evaluation.json").read_text(encoding="utf-8"))):
            assert (found["steps"], found["taken_as_trained"]) == (steps, as_trained)
        page = (out / "report.html").read_text(encoding="utf-8")
        assert ("was trained on images taken through crop" in page) is not as_trained
        shutil.rmtree(out)


def test_images_that_are_scored_as_they_are_are_told_where_the_model_is_used_to_others(
    capsys: pytest.CaptureFixture[str], through_crop: tuple[Path, Path], parts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", "en")
    cropped, _ = through_crop
    against = ("model", "verify", cropped, "--against", cropped)
    code, _, told = run(capsys, *against, "--images", parts / "test" / "scratch")
    assert (code, "trained on images taken through crop; here they are taken as they are" in told) == (0, True)
    code, _, told = run(capsys, *against)
    assert (code, "was trained on" in told) == (0, False)
