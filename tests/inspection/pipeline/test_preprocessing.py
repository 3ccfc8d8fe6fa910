"""A model is trained on what the step ``anomaly`` of its pipeline is given, and is scored on the same."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspection.anomaly import Backbone, TrainingReport, load_bundle, train_images
from inspection.anomaly.masking import mask_score
from inspection.imaging.files import encode_png, read_image
from inspection.imaging.opencv import cv2
from inspection.model_files.reference import ReferenceImage
from inspection.pipeline import (
    PipelineDefinition,
    PreprocessingPrefix,
    Runner,
    anomaly_step,
    ready_definition,
    steps_before,
    validate_definition,
)
from models.errors import DoesNotFit, InvalidInput
from models.storage import write_atomically
from resources.parts import draw_part
from tests.support.command import run
from tests.support.messages import says
from tests.support.pipelines import ALIGN, CLAHE, CROP, IGNORE, QUICK, RESIZE, pipeline, prefix_of
from tests.support.trained_model import SMALL


def inspected(
    report: TrainingReport, definition: PipelineDefinition, paths: list[Path], reference: Path
) -> list[float]:
    """The scores of images by the whole pipeline."""
    models = {"default": load_bundle(report.path), "reference": ReferenceImage.of(read_image(reference))}
    runner = Runner(validate_definition(definition), models)
    scores = [runner.run(read_image(path)).result.anomaly_score for path in paths]
    return [score for score in scores if score is not None]


@pytest.mark.slow
@pytest.mark.parametrize(
    "steps",
    [(CROP,), (CLAHE,), (RESIZE, CROP), (IGNORE,), (ALIGN,), (RESIZE, ALIGN, IGNORE)],
    ids=lambda steps: "-".join(name for name, _ in steps),
)
def test_an_image_scores_in_the_training_as_it_does_when_it_is_inspected(
    steps: tuple[tuple[str, dict[str, Any]], ...], good_paths: list[Path], parts: Path, tmp_path: Path
) -> None:
    definition = pipeline(*steps)
    others = sorted((parts / "test" / "good").iterdir())[:3] + sorted((parts / "test" / "scratch").iterdir())[:1]
    # What the finished model scores in a training without having learnt it, good or not, is given as defects.
    report = train_images(
        good_paths[:6], tmp_path / "m.model", QUICK, defects=others, preprocessor=prefix_of(definition, good_paths[0])
    )
    found = inspected(report, definition, others, good_paths[0])
    assert report.skipped == {}
    assert report.manifest.defect_scores == pytest.approx(sorted(found), rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("step", [CROP, CLAHE], ids=lambda step: step[0])
def test_new_good_parts_are_rejected_about_as_often_as_was_asked_for(
    step: tuple[str, dict[str, Any]], good_paths: list[Path], report: TrainingReport, tmp_path: Path
) -> None:
    definition = pipeline(step)
    trained = train_images(good_paths, tmp_path / "m.model", SMALL, preprocessor=prefix_of(definition))
    new = [tmp_path / f"{index}.png" for index in range(600, 630)]
    for path in new:
        write_atomically(path, encode_png(draw_part(int(path.stem)).image))
    scores = inspected(trained, definition, new, new[0])
    assert np.median(scores) == pytest.approx(np.median(trained.manifest.scores), rel=0.1)
    assert np.mean(np.array(scores) > trained.threshold.value) <= 2.5 * SMALL.false_alarm_rate
    # Learnt from images as they are, the threshold belongs to other scores.
    wrong = inspected(report, definition, new, new[0])
    assert np.mean(np.array(wrong) > report.threshold.value) > 0.5


@pytest.mark.slow
def test_shrinking_to_the_working_size_gives_the_file_of_images_as_they_are(
    backbone: Backbone, good_paths: list[Path], tmp_path: Path
) -> None:
    large = [tmp_path / path.name for path in good_paths[:5]]
    for path, source in zip(large, good_paths, strict=False):
        write_atomically(path, encode_png(np.asarray(cv2.resize(read_image(source), (1200, 1000)), np.uint8)))
    plain = train_images(large, tmp_path / "plain.model", QUICK)
    through = train_images(large, tmp_path / "through.model", QUICK, preprocessor=prefix_of(pipeline(("resize", {}))))
    assert through.digest == plain.digest
    assert (tmp_path / "through.model").read_bytes() == plain.path.read_bytes()


@pytest.mark.slow
def test_the_scale_stays_that_of_the_original_image(good_paths: list[Path], tmp_path: Path) -> None:
    half = pipeline(("resize", {"width": 160, "height": 160}))
    report = train_images(good_paths[:5], tmp_path / "m.model", QUICK, preprocessor=prefix_of(half))
    size = report.manifest.preprocessing
    assert (size.median_height, size.median_width, size.scale) == (320, 320, pytest.approx(384 / 320))


@pytest.mark.slow
def test_the_digest_of_the_data_is_that_of_the_files(
    good_paths: list[Path], report: TrainingReport, tmp_path: Path
) -> None:
    prefix = prefix_of(pipeline(CROP))
    one, other = (train_images(good_paths[:5], tmp_path / f"{name}.model", QUICK, **more) for name, more in (
        ("raw", {}), ("through", {"preprocessor": prefix})
    ))  # fmt: skip
    assert one.manifest.data == other.manifest.data
    assert one.digest != other.digest


@pytest.mark.slow
def test_an_image_that_a_step_refuses_is_skipped_with_its_reason(good_paths: list[Path], tmp_path: Path) -> None:
    empty = tmp_path / "empty.png"
    write_atomically(empty, encode_png(np.random.default_rng(0).integers(90, 110, (320, 320), dtype=np.uint8)))
    prefix = prefix_of(pipeline(ALIGN), good_paths[0])
    report = train_images([*good_paths[:5], empty], tmp_path / "m.model", QUICK, preprocessor=prefix)
    assert report.images == 5
    assert {path: error.code for path, error in report.skipped.items()} == {str(empty): "align-not-found"}
    assert "skipped" in report.warnings


def test_steps_that_refuse_every_image_are_named_with_what_they_say(good_paths: list[Path], tmp_path: Path) -> None:
    outside = pipeline(("crop", {"rectangle": {"x": 900, "y": 0, "width": 9, "height": 9}}))
    with pytest.raises(InvalidInput) as caught:
        train_images(good_paths[:6], tmp_path / "m.model", QUICK, preprocessor=prefix_of(outside))
    assert caught.value.code == "too-few-images-left"
    for language in ("en", "ja"):
        reported = caught.value.text(language).detail
        assert "crop-0" in reported
        assert good_paths[0].name in reported
    assert not (tmp_path / "m.model").exists()


def test_only_the_steps_before_the_step_are_run() -> None:
    with_codes = validate_definition(ready_definition("codes-and-anomaly"))
    assert "barcode" not in {step.component.name for step in steps_before(with_codes, anomaly_step(with_codes))}
    every_branch = validate_definition(pipeline(RESIZE, CROP, CLAHE))
    assert [step.id for step in steps_before(every_branch, "anomaly")] == ["resize-0", "crop-1", "filter-2"]
    assert steps_before(every_branch, "resize-0") == ()


def test_a_step_before_it_without_its_reference_image_is_reported_by_name() -> None:
    with pytest.raises(DoesNotFit) as caught:
        prefix_of(ready_definition("aligned-anomaly"))
    assert caught.value.code == "preprocessing-model-missing"
    assert caught.value.values == {"step": "align", "name": "reference", "before": "anomaly"}


def test_a_model_in_place_of_the_reference_image_is_refused(report: TrainingReport) -> None:
    models = {"reference": load_bundle(report.path)}
    aligned = validate_definition(ready_definition("aligned-anomaly"))
    with pytest.raises(DoesNotFit) as caught:
        PreprocessingPrefix(aligned, anomaly_step(aligned), models)
    assert caught.value.code == "pipeline-model-kind"


def test_several_anomaly_steps_count_as_one_only_where_they_are_given_the_same() -> None:
    steps = [
        {"id": "one", "component": "anomaly", "inputs": {"image": "input"}},
        {"id": "crop", "component": "crop", "parameters": CROP[1], "inputs": {"image": "input"}},
        {"id": "two", "component": "anomaly", "inputs": {"image": "crop"}},
    ]
    with pytest.raises(InvalidInput) as caught:
        anomaly_step(validate_definition(PipelineDefinition.parse({"name": "Two", "steps": steps})))
    assert caught.value.code == "pipeline-several-anomaly-steps"
    steps[2]["inputs"] = {"image": "input"}
    same = validate_definition(PipelineDefinition.parse({"name": "Two", "steps": steps}))
    assert anomaly_step(same) in {"one", "two"}
    with pytest.raises(DoesNotFit) as missing:
        anomaly_step(validate_definition(ready_definition("codes")))
    assert missing.value.code == "pipeline-without-anomaly"


def test_an_empty_prefix_returns_the_image_itself() -> None:
    pixels = np.zeros((20, 30, 3), np.uint8)
    picture = prefix_of(pipeline())(pixels)
    assert picture.pixels is pixels
    assert (picture.resized, picture.placement.identity, picture.ignored) == ((1.0, 1.0), True, None)


def test_a_score_goes_down_with_what_is_ignored_alone() -> None:
    heat = np.array([[4.0, 1.0], [2.0, 3.0]], np.float32)
    everything, but_highest = np.ones((2, 2), np.bool_), heat < 4
    assert mask_score(5.0, heat, None)[0] == mask_score(5.0, heat, everything)[0] == 5.0
    score, left = mask_score(5.0, heat, but_highest)
    assert score == pytest.approx(5.0 * 3 / 4)
    assert left[0, 0] == 0


@pytest.mark.slow
def test_the_command_trains_as_the_pipeline_file_sees(
    capsys: pytest.CaptureFixture[str], good_paths: list[Path], parts: Path, tmp_path: Path
) -> None:
    good, own, out = tmp_path / "good", tmp_path / "own.json", tmp_path / "m.model"
    good.mkdir()
    for path in good_paths[:5]:
        shutil.copy(path, good)
    own.write_text(pipeline(ALIGN, CROP).model_dump_json())
    arguments = ("train", "images", "--good", good, "--out", out, "--bank-size", 200, "--folds", 2, "--pipeline", own,
                 "--rotation", SMALL.rotation)  # fmt: skip
    code, _, reported = run(capsys, *arguments)
    assert (code, out.exists()) == (1, False)
    assert says(reported, "preprocessing-model-missing", member="advice", name="reference")
    code, printed, _ = run(capsys, *arguments, "--json", "--name", "small", "--model", good_paths[0],
                           "--false-alarm-rate", SMALL.false_alarm_rate)  # fmt: skip
    prefix = prefix_of(pipeline(ALIGN, CROP), good_paths[0])
    expected = train_images(good_paths[:5], tmp_path / "expected.model", QUICK, preprocessor=prefix)
    assert code == 0
    assert json.loads(printed)["digest"] == expected.digest
    # A threshold is looked at on what the step sees, too.
    new = inspected(expected, pipeline(ALIGN, CROP), sorted((parts / "test" / "good").iterdir()), good_paths[0])
    value = float(np.median(new))
    looked = ("model", "threshold", out, "--try", value, "--good", parts / "test" / "good", "--json")
    code, printed, _ = run(capsys, *looked, "--pipeline", own, "--model", good_paths[0])
    found = {row["name"]: row for row in json.loads(printed)["thresholds"]}["tried"]
    assert (code, found["overkill"]["count"], found["overkill"]["total"]) == (0, 4, 8)
    # So is a model measured; its heatmap lies over the image as it was, where the masks are.
    measured = ("evaluate", "--model", out, "--model", good_paths[0], "--pipeline", own, "--threshold", value, "--json")
    sets = ("--good", parts / "test" / "good", "--defect", parts / "test" / "scratch")
    code, printed, _ = run(capsys, *measured, *sets, "--masks", parts / "masks" / "scratch")
    report = json.loads(printed)
    assert (code, report["overkill"]["count"], report["masks"]) == (0, 4, 3)
    assert report["pixel_auroc"] > 0.8


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--model", "good.png"), "--pipeline"),
        (("--pipeline", "anomaly", "--model", "good.png"), "--model"),
        (("--pipeline", "no-such"), "aligned-anomaly"),
        (("--pipeline", "codes"), "anomaly"),
    ],
)
def test_a_pipeline_that_cannot_be_trained_for_is_reported(
    capsys: pytest.CaptureFixture[str], parts: Path, tmp_path: Path, options: tuple[str, ...], word: str
) -> None:
    out = tmp_path / "m.model"
    code, _, reported = run(capsys, "train", "images", "--good", parts / "good", "--out", out, *options)
    assert code in {1, 2}
    assert word in reported
    assert not out.exists()


def test_the_help_says_that_photographs_of_one_part_count_once(capsys: pytest.CaptureFixture[str]) -> None:
    code, reported, _ = run(capsys, "train", "images", "--help")
    assert code == 0
    assert "several photographs of one part, count as one image" in " ".join(reported.split())
