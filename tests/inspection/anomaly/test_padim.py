from pathlib import Path

import numpy as np
import pytest

from inspection.anomaly import TrainingReport, TrainingSettings, load_bundle, train_images
from inspection.anomaly.methods.padim import DIMENSIONS, RIDGE, SHRINKAGE, fit
from inspection.anomaly.methods.registry import MethodSettings, find_method
from inspection.imaging.datasets import image_files
from inspection.imaging.files import encode_png, read_image
from inspection.imaging.opencv import cv2
from inspection.metrics import image_auroc
from inspection.model_files.reference import ReferenceImage
from inspection.pipeline import PipelineDefinition, Runner, validate_definition
from models.errors import DoesNotFit, InvalidInput
from models.storage import write_atomically
from tests.support.errors import raised_in
from tests.support.trained_model import SMALL

PADIM = SMALL.model_copy(update={"method": "padim", "backbone": "efficientnet-lite0", "folds": 2})


@pytest.fixture(scope="module")
def padim(good_paths: list[Path], backbone: object, tmp_path_factory: pytest.TempPathFactory) -> TrainingReport:
    return train_images(good_paths[:12], tmp_path_factory.mktemp("padim") / "padim.model", PADIM)


def images(count: int, seed: int, size: int = 6) -> list[np.ndarray]:
    """Grids of 3 by 4 places, each with a mean of its own."""
    places = np.random.default_rng(99).standard_normal((3, 4, size)) * 5
    generator = np.random.default_rng(seed)
    return [(places + generator.standard_normal(places.shape)).astype(np.float32) for _ in range(count)]


def test_a_distance_is_that_of_mahalanobis_by_the_textbook() -> None:
    grids = images(30, seed=0)
    model = fit(np.concatenate([grid.reshape(-1, 6) for grid in grids]), lambda: grids, seed=0)
    reduced = np.stack([grid.reshape(-1, 6) @ model.projection + model.offset for grid in grids]).astype(np.float64)
    residuals = reduced - reduced.mean(axis=0)
    shared = np.einsum("npi,npj->ij", residuals, residuals) / (29 * 12)
    new = images(1, seed=7)[0].reshape(-1, 6)
    found = model.distances(new)
    for place in range(12):
        own = residuals[:, place].T @ residuals[:, place] / 29
        covariance = (1 - SHRINKAGE) * own + SHRINKAGE * shared + RIDGE * np.eye(6)
        away = new[place] @ model.projection + model.offset - reduced[:, place].mean(axis=0)
        assert found[place] == pytest.approx(np.sqrt(away @ np.linalg.inv(covariance) @ away), rel=1e-3)


def test_a_patch_is_compared_with_its_own_place_only() -> None:
    grids = images(30, seed=0)
    model = fit(np.concatenate([grid.reshape(-1, 6) for grid in grids]), lambda: grids, seed=0)
    right = images(1, seed=5)[0]
    moved = np.ascontiguousarray(right[:, ::-1])
    assert model.map(moved.reshape(-1, 6), (3, 4)).min() > 3 * model.map(right.reshape(-1, 6), (3, 4)).max()


def test_two_images_whose_features_never_change_give_a_model() -> None:
    grids = [np.ones((2, 2, 200), np.float32) for _ in range(2)]
    model = fit(np.concatenate([grid.reshape(-1, 200) for grid in grids]), lambda: grids, seed=0)
    assert model.means.shape == (4, DIMENSIONS)
    assert np.isfinite(model.distances(np.full((4, 200), 2.0, np.float32))).all()


def test_grids_that_differ_are_refused() -> None:
    grids = [np.ones((2, 2, 6), np.float32), np.ones((2, 3, 6), np.float32)]
    with pytest.raises(ValueError, check=raised_in(fit)):
        fit(np.ones((4, 6), np.float32), lambda: grids, seed=0)


def test_an_unknown_method_is_rejected_with_the_names_of_all_methods() -> None:
    settings = MethodSettings(bank_size=100, seed=0)
    assert [find_method(name, settings).name for name in ("patchcore", "padim")] == ["patchcore", "padim"]
    with pytest.raises(InvalidInput) as caught:
        find_method("autoencoder", settings)
    assert caught.value.code == "anomaly-method-unknown"
    assert caught.value.values == {"name": "autoencoder", "known": "patchcore, padim"}


def test_a_padim_file_says_what_it_is(padim: TrainingReport) -> None:
    manifest = load_bundle(padim.path).manifest
    assert (manifest.kind, manifest.preprocessing.aligned, manifest.precision) == ("padim", True, "fp32")
    assert manifest.backbone.name == "efficientnet-lite0"
    assert manifest.metrics["parity"] <= 1e-3
    assert manifest.metrics["dimensions"] == DIMENSIONS
    assert len(manifest.scores) == padim.images


@pytest.mark.slow
def test_the_same_seed_gives_the_same_padim_file(padim: TrainingReport, good_paths: list[Path], tmp_path: Path) -> None:
    again = train_images(list(reversed(good_paths[:12])), tmp_path / "again.model", PADIM)
    assert again.digest == padim.digest
    other = train_images(good_paths[:12], tmp_path / "other.model", PADIM.model_copy(update={"seed": 3}))
    assert other.digest != padim.digest


def test_padim_scores_defects_above_good_parts(padim: TrainingReport, parts: Path) -> None:
    model = load_bundle(padim.path)
    good = [model.score(read_image(path)).score for path in image_files(parts / "test" / "good")]
    found = [path for path in image_files(parts / "test") if path.parent.name != "good"]
    area = image_auroc(good, [model.score(read_image(path)).score for path in found])
    assert area is not None
    assert area >= 0.9
    scored = model.score(read_image(found[0]))
    assert scored.heatmap.shape == read_image(found[0]).shape[:2]


def test_images_of_several_sizes_are_refused_for_padim_with_one_of_them(good_paths: list[Path], tmp_path: Path) -> None:
    odd = tmp_path / "odd.png"
    write_atomically(odd, encode_png(np.ascontiguousarray(read_image(good_paths[0])[:280])))
    stages: set[str] = set()
    with pytest.raises(DoesNotFit) as caught:
        train_images([*good_paths[:6], odd], tmp_path / "m.model", PADIM, on_progress=lambda now: stages.add(now.stage))
    assert caught.value.code == "images-not-aligned"
    assert stages == {"reading"}
    assert caught.value.values["name"] == "odd.png"
    assert (caught.value.values["width"], caught.value.values["height"]) == (320, 320)
    assert not (tmp_path / "m.model").exists()


def test_an_image_of_another_size_is_refused_by_a_padim_model(padim: TrainingReport, good_paths: list[Path]) -> None:
    model = load_bundle(padim.path)
    pixels = read_image(good_paths[0])
    with pytest.raises(DoesNotFit) as caught:
        model.score(np.ascontiguousarray(pixels[:300]))
    assert caught.value.code == "image-not-aligned"
    # Reduced by an earlier step it is the same part in the same places.
    half = np.ascontiguousarray(pixels[::2, ::2])
    assert np.isfinite(model.score(half, scale_x=0.5, scale_y=0.5).score)


def test_a_part_brought_to_the_size_of_the_reference_fits_a_padim_model(padim: TrainingReport, parts: Path) -> None:
    good = read_image(image_files(parts / "test" / "good")[0])
    nearer = np.ascontiguousarray(cv2.resize(good, None, fx=1.08, fy=1.08, interpolation=cv2.INTER_CUBIC))
    steps = [
        {"id": "align", "component": "align", "parameters": {"motion": "similarity"}, "inputs": {"image": "input"}},
        {"id": "anomaly", "component": "anomaly", "inputs": {"image": "align"}},
    ]
    model = load_bundle(padim.path)
    runner = Runner(
        validate_definition(PipelineDefinition.parse({"name": "p", "steps": steps})),
        {"default": model, "reference": ReferenceImage.of(good)},
    )
    outcome = runner.run(nearer.astype(np.uint8))
    assert outcome.result.anomaly_score == pytest.approx(model.score(good).score, rel=0.2)
    assert outcome.heatmap is not None
    assert outcome.heatmap.shape == nearer.shape[:2]


def test_training_refuses_a_method_it_does_not_know(good_paths: list[Path], tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        train_images(good_paths[:6], tmp_path / "m.model", TrainingSettings(method="none"))
