import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.benchmarks.inspection.anomaly import add_pixels
from inspection.anomaly import AnomalyModel
from inspection.evaluation import evaluate
from inspection.evaluation.masks import read_mask
from inspection.imaging.datasets import image_files
from inspection.imaging.files import encode_png, read_image
from inspection.imaging.opencv import cv2
from inspection.metrics import PixelScores, f1_score, image_auroc, percentiles, rate
from models.errors import InvalidInput, NotFound
from models.messages import error_text

numbers = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=30)


@given(good=numbers, defect=numbers)
def test_auroc_is_the_share_of_pairs_in_the_right_order(good: list[float], defect: list[float]) -> None:
    pairs = [(g < d) + 0.5 * (g == d) for g in good for d in defect]
    assert image_auroc(good, defect) == pytest.approx(np.mean(pairs))


@given(seed=st.integers(0, 999), images=st.integers(1, 4))
def test_pixel_auroc_agrees_with_that_of_all_pixels_together(seed: int, images: int) -> None:
    generator = np.random.default_rng(seed)
    area, good, defect = PixelScores(), [], []
    for index in range(images):
        heat = generator.uniform(0, 20, (40, 50)).astype(np.float32)
        mask = generator.random((40, 50)) < 0.3 if index else np.eye(40, 50, dtype=bool)
        heat[mask] += 3
        area.add(heat, mask)
        good.append(heat[~mask])
        defect.append(heat[mask])
    expected = image_auroc(np.concatenate(good), np.concatenate(defect))
    assert area.auroc() == pytest.approx(expected, abs=1e-3)


def test_pixel_auroc_needs_both_kinds_of_pixels() -> None:
    area = PixelScores()
    area.add(np.ones((2, 2), np.float32), None)
    assert area.auroc() is None


def test_nothing_of_nothing_has_no_rate() -> None:
    assert rate(0, 0) == {"count": 0, "total": 0, "rate": None}
    assert rate(1, 4)["rate"] == 0.25
    assert image_auroc([], [1.0]) is None
    assert percentiles([]) == {"p50": None, "p95": None}
    assert f1_score(rate(0, 0), rate(0, 5)) is None


def test_f1_is_the_harmonic_mean_of_precision_with_recall() -> None:
    # 8 of 10 found, 2 good ones rejected: precision 0.8, recall 0.8.
    assert f1_score(rate(2, 10), rate(2, 50)) == pytest.approx(0.8)


def test_the_figures_of_an_evaluation_agree_with_each_other(model: AnomalyModel, parts: Path) -> None:
    seen: list[tuple[int, int]] = []
    found = evaluate(
        model,
        parts / "test" / "good",
        parts / "test",
        parts / "masks",
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert found["images"] == {"good": 8, "defect": 9}
    assert found["masks"] == 9
    # How well the engine does is asked elsewhere; here it is only far from chance, on a model of 24 images.
    assert found["image_auroc"] >= 0.9
    assert found["pixel_auroc"] >= 0.8
    assert found["threshold"] == model.threshold
    assert found["escapes"]["total"] == 9
    assert found["overkill"]["total"] == 8
    assert sum(values["escapes"]["count"] for values in found["classes"].values()) == found["escapes"]["count"]
    assert set(found["classes"]) == {"scratch", "contamination", "deformation"}
    assert found["aupro"] >= 0.5
    assert found["regions"] >= 9
    for name in ("image_auroc", "average_precision", "f1", "pixel_auroc", "aupro"):
        low, high = found["intervals"][name]
        assert low <= found[name] <= high, name
    assert found["best_f1"]["f1"] >= found["f1"]
    counts = found["confusion"]
    assert (counts["defect"]["OK"], counts["good"]["NG"]) == (found["escapes"]["count"], found["overkill"]["count"])
    assert sum(counts["good"].values()) == 8
    kinds = [mistake["kind"] for mistake in found["mistakes"]]
    assert kinds.count("escape") == found["escapes"]["count"]
    assert kinds.count("overkill") == found["overkill"]["count"]
    assert 0 < found["latency_ms"]["p50"] <= found["latency_ms"]["p95"]
    assert seen[-1] == (17, 17)
    assert json.loads(json.dumps(found)) == found


def test_the_threshold_given_is_the_one_that_counts(model: AnomalyModel, parts: Path) -> None:
    found = evaluate(model, parts / "test" / "good", parts / "test" / "scratch", threshold=0.001)
    assert found["overkill"]["rate"] == 1.0
    assert found["escapes"]["rate"] == 0.0
    assert found["pixel_auroc"] is None
    assert set(found["classes"]) == {"defect"}


def test_images_that_cannot_be_scored_are_left_out_by_name(model: AnomalyModel, parts: Path, tmp_path: Path) -> None:
    shutil.copytree(parts / "test" / "good", tmp_path / "good")
    (tmp_path / "good" / "broken.png").write_bytes(b"junk")
    (tmp_path / "good" / "giant.png").write_bytes(encode_png(np.zeros((3000, 3000), np.uint8)))
    found = evaluate(model, tmp_path / "good", parts / "test" / "scratch", language="ja")
    assert set(found["skipped"]) == {str(tmp_path / "good" / name) for name in ("broken.png", "giant.png")}
    assert found["left_out"] == {"good": 2, "defect": 0}
    unknown = error_text("image-unknown-format", {"name": "broken.png"}, "ja")
    assert found["skipped"][str(tmp_path / "good" / "broken.png")] in {unknown.title, unknown.detail}
    assert found["images"]["good"] == 8


def test_wrong_folders_or_masks_are_refused(model: AnomalyModel, parts: Path, tmp_path: Path) -> None:
    good, scratch = parts / "test" / "good", parts / "test" / "scratch"
    with pytest.raises(NotFound):
        evaluate(model, tmp_path / "none", scratch)
    with pytest.raises(NotFound):
        evaluate(model, good, scratch, tmp_path / "none")
    with pytest.raises(InvalidInput) as caught:
        evaluate(model, good, scratch, tmp_path)
    assert caught.value.code == "masks-not-found"
    for path in scratch.iterdir():
        (tmp_path / path.name).write_bytes(encode_png(np.zeros((3, 3), np.uint8)))
    with pytest.raises(InvalidInput) as caught:
        evaluate(model, good, scratch, tmp_path)
    assert caught.value.code == "mask-size"


def test_photographs_in_the_place_of_masks_are_refused_before_an_image_is_scored(
    model: AnomalyModel, parts: Path
) -> None:
    seen: list[tuple[int, int]] = []
    with pytest.raises(InvalidInput) as caught:
        # The folder of the defects itself: each image lies under its own name.
        evaluate(
            model,
            parts / "test" / "good",
            parts / "test",
            parts / "test",
            on_progress=lambda done, total: seen.append((done, total)),
        )
    assert caught.value.code == "mask-photograph"
    assert Path(str(caught.value.values["mask"])).name == "800.png"
    assert not seen


@pytest.mark.parametrize(
    ("values", "is_mask"),
    [
        ([0, 255], True),
        ([0, 1, 2, 3], True),
        ([0], True),
        ([255], True),
        # Nothing of it is 0, so all of it would be a defect.
        ([1, 255], False),
        (list(range(0, 250, 10)), False),
    ],
)
def test_a_mask_has_few_values_with_0_where_nothing_is_marked(tmp_path: Path, values: list[int], is_mask: bool) -> None:
    path = tmp_path / "mask.png"
    path.write_bytes(encode_png(np.resize(np.array(values, np.uint8), (20, 20))))
    if is_mask:
        assert (read_mask(path) == (np.resize(values, (20, 20)) > 0)).all()
    else:
        with pytest.raises(InvalidInput) as caught:
            read_mask(path)
        assert caught.value.code == "mask-photograph"


def test_a_picture_of_many_colours_is_no_mask(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    drawn = np.zeros((60, 60, 3), np.uint8)
    drawn[20:40, 20:40, 0] = np.arange(0, 200, 10)
    drawn[20:40, 20:40, 1] = 90
    path.write_bytes(encode_png(drawn))
    with pytest.raises(InvalidInput):
        read_mask(path)


def test_a_mask_may_have_blended_edges(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    drawn = np.zeros((60, 60, 3), np.uint8)
    drawn[20:40, 20:40, 0] = 255
    soft = cv2.GaussianBlur(drawn[:, :, 0], (0, 0), 1.0).astype(np.uint8)
    assert len(np.unique(soft)) > 16
    path.write_bytes(encode_png(soft))
    assert read_mask(path)[20:40, 20:40].all()


def test_every_real_mask_is_one_unlike_any_photograph(data: Path) -> None:
    masks = image_files(data / "magnetic_tile" / "ground_truth")
    empty = [path for path in masks if not read_mask(path).any()]
    assert (len(masks), len(empty)) == (392, 4)
    for photograph in image_files(data / "magnetic_tile" / "good")[::10]:
        with pytest.raises(InvalidInput):
            read_mask(photograph)


def test_the_benchmark_leaves_out_the_pixels_of_a_defect_that_nobody_marked() -> None:
    pixels, heat = PixelScores(), np.ones((8, 8), np.float32)
    add_pixels(pixels, heat, np.zeros((8, 8), np.bool_))
    assert not pixels.images
    add_pixels(pixels, heat, None)
    add_pixels(pixels, heat, np.eye(8, dtype=np.bool_))
    assert len(pixels.images) == 2
    assert pixels.regions == 1


def test_masks_that_mark_nothing_at_all_are_reported(model: AnomalyModel, parts: Path, tmp_path: Path) -> None:
    scratch = parts / "test" / "scratch"
    for path in scratch.iterdir():
        (tmp_path / path.name).write_bytes(encode_png(np.zeros(read_image(path).shape[:2], np.uint8)))
    with pytest.raises(InvalidInput) as caught:
        evaluate(model, parts / "test" / "good", scratch, tmp_path)
    assert caught.value.code == "masks-without-mark"


def test_no_image_counts_on_both_sides_of_an_evaluation(model: AnomalyModel, parts: Path) -> None:
    # Beside a folder of good ones the classes of defects are not taken for good.
    assert evaluate(model, parts / "test", parts / "test")["images"] == {"good": 8, "defect": 9}
    with pytest.raises(InvalidInput) as caught:
        evaluate(model, parts / "test" / "scratch", parts / "test")
    assert caught.value.code == "evaluation-same-images"
    assert (caught.value.values["count"], caught.value.values["name"]) == (3, "800.png")


def test_a_mask_that_marks_nothing_does_not_count_for_its_pixels(
    model: AnomalyModel, parts: Path, tmp_path: Path
) -> None:
    shutil.copytree(parts / "masks" / "scratch", tmp_path, dirs_exist_ok=True)
    blank = tmp_path / "800_mask.png"
    blank.write_bytes(encode_png(np.zeros_like(read_image(blank, mode="grey"))))
    scratch = parts / "test" / "scratch"
    found = evaluate(model, parts / "test" / "good", scratch, tmp_path)
    assert found["empty_masks"] == [str(scratch / "800.png")]
    assert (found["masks"], found["images"]["defect"]) == (2, 3)
