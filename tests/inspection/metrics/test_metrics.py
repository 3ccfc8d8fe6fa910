from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inspection.evaluation.curves import histogram_of, resampled, thinned
from inspection.evaluation.thresholds import OVERKILL_STEPS, threshold_effects
from inspection.imaging.opencv import cv2
from inspection.metrics import (
    Curve,
    PixelScores,
    ScoreCounts,
    average_precision,
    best_f1,
    image_intervals,
    precision_recall_curve,
    roc_curve,
    wilson_interval,
)
from inspection.metrics.areas import area_up_to
from inspection.metrics.intervals import pixel_intervals

scores = st.lists(st.integers(1, 8).map(float), min_size=1, max_size=25)
Truth = list[tuple[NDArray[np.float32], NDArray[np.bool_] | None]]


def plain_average_precision(good: list[float], defect: list[float]) -> float:
    total, before = 0.0, 0.0
    for threshold in sorted({*good, *defect}, reverse=True):
        found = sum(score >= threshold for score in defect)
        called = found + sum(score >= threshold for score in good)
        recall = found / len(defect)
        total += (recall - before) * found / called
        before = recall
    return total


def plain_aupro(images: Truth, limit: float) -> float:
    """The definition word for word: every threshold, every region, every pixel."""
    regions = []
    for image, (_, mask) in enumerate(images):
        if mask is not None:
            count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
            regions += [(image, labels == index) for index in range(1, count)]
    clean = [np.ones(heat.shape, bool) if mask is None else ~mask for heat, mask in images]
    points = [(0.0, 0.0)]
    for threshold in sorted({float(value) for heat, _ in images for value in heat.ravel()}, reverse=True):
        marked = [heat >= threshold for heat, _ in images]
        false = sum(int((mark & free).sum()) for mark, free in zip(marked, clean, strict=True))
        overlap = np.mean([(marked[image] & region).sum() / region.sum() for image, region in regions])
        points.append((false / sum(int(free.sum()) for free in clean), float(overlap)))
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 >= limit:
            break
        end = min(x1, limit)
        y_end = y0 + (y1 - y0) * (end - x0) / (x1 - x0) if x1 > x0 else y1
        area += (end - x0) * (y0 + y_end) / 2
    return area / limit


def drawn_images(seed: int, count: int) -> Truth:
    generator = np.random.default_rng(seed)
    images: Truth = []
    for index in range(count):
        # Steps of 0.25 between 1 and 8: ties, and values the bins tell apart.
        heat = (generator.integers(4, 28, (9, 11)) / 4).astype(np.float32)
        mask = generator.random((9, 11)) < 0.15
        mask[index % 9, 3] = True
        if index == 0:
            images.append((heat, None))
        else:
            heat[mask] += generator.integers(0, 3)
            images.append((heat, mask))
    return images


@given(good=scores, defect=scores)
def test_average_precision_is_precision_times_the_recall_it_adds(good: list[float], defect: list[float]) -> None:
    assert average_precision(good, defect) == pytest.approx(plain_average_precision(good, defect))


@given(good=scores, defect=scores)
def test_no_threshold_gives_a_better_f1_than_the_best(good: list[float], defect: list[float]) -> None:
    def f1(threshold: float) -> float:
        found = sum(score > threshold for score in defect)
        return 2 * found / (found + sum(score > threshold for score in good) + len(defect))

    best = best_f1(ScoreCounts.of(good, defect))
    assert f1(best.threshold) == pytest.approx(best.f1)
    assert best.f1 == pytest.approx(max(f1(threshold) for threshold in (0.0, *good, *defect)))


@given(good=scores, defect=scores)
def test_curves_go_from_nothing_called_to_everything_called(good: list[float], defect: list[float]) -> None:
    counts = ScoreCounts.of(good, defect)
    roc = roc_curve(counts)
    assert (roc.across[0], roc.up[0], roc.across[-1], roc.up[-1]) == (0.0, 0.0, 1.0, 1.0)
    assert (np.diff(roc.across) >= 0).all()
    assert (np.diff(roc.up) >= 0).all()
    recall, precision = precision_recall_curve(counts)
    assert (recall[0], recall[-1]) == (0.0, 1.0)
    assert precision[-1] == pytest.approx(len(defect) / (len(good) + len(defect)))


@settings(max_examples=30, deadline=None)  # the plain way takes its time
@given(seed=st.integers(0, 9999), count=st.integers(2, 4), limit=st.sampled_from([0.05, 0.3, 1.0]))
def test_aupro_is_what_its_definition_gives(seed: int, count: int, limit: float) -> None:
    images = drawn_images(seed, count)
    pixels = PixelScores()
    for heat, mask in images:
        pixels.add(heat, mask)
    assert pixels.aupro(limit) == pytest.approx(plain_aupro(images, limit), abs=1e-9)


def test_a_small_region_counts_for_aupro_as_much_as_a_large_one() -> None:
    mask = np.zeros((40, 40), bool)
    mask[:20, :20] = True
    mask[30, 30] = True
    for found, expected in ((np.s_[:20, :20], 0.5), (np.s_[30:31, 30:31], 0.5), (np.s_[:, :], 1.0)):
        heat = np.where(mask, 1.0, 2.0).astype(np.float32)
        heat[found] = np.where(mask[found], 3.0, 2.0)
        pixels = PixelScores()
        pixels.add(heat, mask)
        curve = pixels.pro_curve()
        assert pixels.regions == 2
        # Before the first good pixel is marked.
        assert curve.up[curve.across == 0].max() == pytest.approx(expected)


def test_a_perfect_map_has_areas_of_one_unlike_a_constant_map() -> None:
    mask = np.zeros((30, 30), bool)
    mask[10:15, 10:15] = True
    perfect, constant = PixelScores(), PixelScores()
    perfect.add(np.where(mask, 5.0, 1.0).astype(np.float32), mask)
    constant.add(np.ones((30, 30), np.float32), mask)
    assert (perfect.auroc(), perfect.aupro()) == (1.0, 1.0)
    assert constant.auroc() == 0.5
    assert constant.aupro() == pytest.approx(0.15)  # the diagonal up to 0.3


def test_an_area_ends_at_the_limit_between_two_points() -> None:
    assert area_up_to(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 0.5) == pytest.approx(0.25)


def test_intervals_narrow_with_more_images() -> None:
    generator = np.random.default_rng(3)
    width = []
    for count in (20, 500):
        counts = ScoreCounts.of(generator.normal(1, 0.3, count), generator.normal(1.5, 0.3, count))
        bounds = image_intervals(counts, 1.3, replicates=400)
        area = bounds["image_auroc"]
        assert area.low < 0.88 < area.high
        assert bounds == image_intervals(counts, 1.3, replicates=400)
        width.append(area.high - area.low)
    assert width[1] < width[0] / 3


def test_pixel_intervals_hold_the_figure() -> None:
    pixels = PixelScores()
    generator = np.random.default_rng(5)
    for index in range(30):
        heat = generator.uniform(1, 4, (24, 24)).astype(np.float32)
        mask = np.zeros((24, 24), bool)
        mask[4:9, 6:12] = True
        heat[mask] += generator.uniform(0, 3)
        pixels.add(heat, None if index % 2 else mask)
    bounds = pixel_intervals(pixels.images, replicates=200)
    for name, value in (("pixel_auroc", pixels.auroc()), ("aupro", pixels.aupro())):
        assert value is not None
        assert bounds[name].low < value < bounds[name].high


def test_intervals_of_one_kind_alone_are_none() -> None:
    assert image_intervals(ScoreCounts.of([1.0], []), 1.0) == {}
    pixels = PixelScores()
    pixels.add(np.ones((3, 3), np.float32), None)
    assert pixel_intervals(pixels.images) == {}
    assert wilson_interval(0, 0) is None


def test_no_mistake_among_a_few_is_no_proof_of_none() -> None:
    bounds = wilson_interval(0, 20)
    assert bounds is not None
    assert bounds.low == 0.0
    assert bounds.high == pytest.approx(0.161, abs=1e-3)  # Brown, Cai, DasGupta 2001: z² / (n + z²)


@given(good=scores, defect=scores, in_use=st.floats(0.5, 9.0))
def test_the_table_of_thresholds_keeps_what_each_row_promises(
    good: list[float], defect: list[float], in_use: float
) -> None:
    rows = threshold_effects(good, defect, in_use, own=4.0)
    assert [row.threshold for row in rows] == sorted(row.threshold for row in rows)
    by_reason = {row.reason: row for row in rows}
    assert by_reason["in-use"].overkill["count"] == sum(score > in_use for score in good)
    assert by_reason["no-escapes"].escapes["count"] == 0
    limits = [row for row in rows if row.reason == "overkill-at-most"]
    assert sorted(row.limit for row in limits if row.limit is not None) == list(OVERKILL_STEPS)
    for row in limits:
        assert row.limit is not None
        assert row.overkill["rate"] is not None
        assert row.overkill["rate"] <= row.limit


def test_a_thinned_curve_keeps_its_ends() -> None:
    curve = Curve(np.linspace(0, 1, 5000), np.linspace(0, 1, 5000) ** 0.5)
    for made in (thinned(curve), resampled(curve)):
        assert made.across.size <= 200
        assert (made.across[0], made.across[-1], made.up[-1]) == (0.0, 1.0, 1.0)


def test_a_histogram_holds_every_score() -> None:
    histogram = histogram_of([1.0, 2.0], [3.0, 9.0], 12.0)
    assert (histogram.good.sum(), histogram.defect.sum()) == (2, 2)
    assert histogram.edges[-1] == 12.0


def test_the_best_f1_threshold_separates_adjacent_floats() -> None:
    below, above = np.nextafter(100.0, 0.0), 100.0
    best = best_f1(ScoreCounts.of([below], [above]))
    assert (best.f1, best.threshold < above) == (1.0, True)
