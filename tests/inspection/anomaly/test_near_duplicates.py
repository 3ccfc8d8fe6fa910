"""Groups of near-duplicate training images, and folds that keep them together."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection.anomaly import TrainingProgress, TrainingReport, TrainingSettings, train_images
from inspection.anomaly.training.manifest_builder import has_few_groups
from inspection.anomaly.training.near_duplicates import (
    coarse_means,
    grouped_folds,
    held_out_groups,
    linked_groups,
)
from inspection.anomaly.training.progress import OnProgress, ProgressTracker
from inspection.runtime.cancellation import TrainingCancelled
from tests.support.photographs import save_photographs
from tests.support.trained_model import SMALL

PARTS, PHOTOGRAPHS = 12, 3


def test_noisy_copies_are_grouped_with_their_original() -> None:
    generator = np.random.default_rng(0)
    originals = generator.normal(size=(20, 400)).astype(np.float32)
    copies = np.repeat(originals, 3, axis=0) + generator.normal(0, 0.3, (60, 400)).astype(np.float32)
    assert linked_groups(copies).tolist() == np.repeat(np.arange(20), 3).tolist()


@pytest.mark.parametrize("count", [5, 20, 200])
def test_independent_images_are_groups_of_their_own(count: int) -> None:
    descriptors = np.random.default_rng(count).normal(7.0, 2.0, (count, 400)).astype(np.float32)
    assert linked_groups(descriptors).tolist() == list(range(count))


def test_images_linked_through_others_are_one_group() -> None:
    angles = np.linspace(0, np.pi, 10)
    path = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    scattered = np.random.default_rng(1).normal(size=(30, 40))
    frames = np.zeros((40, 42), np.float32)
    frames[:10, :2], frames[10:, 2:] = 8 * path, scattered
    groups = linked_groups(frames)
    assert set(groups[:10]) == {0}
    assert len(set(groups[10:])) == 30


@given(sizes=st.lists(st.integers(1, 9), min_size=2, max_size=30), folds=st.integers(2, 12), seed=st.integers(0, 2**32))
def test_a_group_is_never_divided_over_folds(sizes: list[int], folds: int, seed: int) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    fold_of = grouped_folds(groups, folds, seed)
    assert all(len(set(fold_of[groups == group])) == 1 for group in range(len(sizes)))
    assert set(fold_of) == set(range(min(folds, len(sizes))))


@given(count=st.integers(2, 60), folds=st.integers(2, 12))
def test_folds_of_single_images_differ_by_one_image_at_most(count: int, folds: int) -> None:
    sizes = np.bincount(grouped_folds(np.arange(count), folds, 0))
    assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize(
    ("sizes", "whole"),
    [
        pytest.param([20] * 6, False, id="six kinds of one product"),
        pytest.param([4] * 9, False, id="nine parts"),
        pytest.param([4] * 10, True, id="ten parts"),
        pytest.param([83, 1, 1, 1, 1, 1], False, id="one drifting scene"),
        pytest.param([13] + [1] * 12, False, id="one group of more than half"),
        pytest.param([12] + [1] * 12, True, id="one group of half"),
        pytest.param([9, 8, 6, 5, 4, 4, 3, 3, 2, 2, *[1] * 16], True, id="scenes of glass fibre"),
    ],
)
def test_groups_are_held_out_whole_only_where_enough_is_left(sizes: list[int], whole: bool) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    assert held_out_groups(groups).tolist() == (groups if whole else np.arange(sum(sizes))).tolist()


def test_groups_are_the_same_across_blocks_of_rows() -> None:
    generator = np.random.default_rng(3)
    part_of = generator.integers(0, 50, 700)
    images = generator.normal(size=(50, 300))[part_of] + generator.normal(0, 0.3, (700, 300))
    first_seen = {part: place for place, part in enumerate(dict.fromkeys(part_of.tolist()))}
    assert linked_groups(images.astype(np.float32)).tolist() == [first_seen[part] for part in part_of.tolist()]


def test_finding_groups_stops_when_the_training_is_cancelled() -> None:
    cancel = threading.Event()
    tracker = ProgressTracker(1.0, None, cancel)
    descriptors = np.random.default_rng(4).normal(size=(600, 8)).astype(np.float32)
    checked = []

    def check() -> None:
        checked.append(len(checked))
        if len(checked) == 2:
            cancel.set()
        tracker.check()

    with pytest.raises(TrainingCancelled):
        linked_groups(descriptors, check=check)
    assert len(checked) == 2


@pytest.mark.parametrize(
    ("sizes", "rate", "few"),
    [
        ([3] * 12, 0.05, True),
        ([2] + [1] * 17, 0.05, True),
        ([2] + [1] * 17, 0.1, False),
        ([2] + [1] * 17, None, False),
        ([3] * 12, None, True),
        ([1] * 12, 0.05, False),
    ],
)
def test_few_groups_are_those_too_few_for_the_rate(sizes: list[int], rate: float | None, few: bool) -> None:
    assert has_few_groups(np.repeat(np.arange(len(sizes)), sizes), rate) == few


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (4, 4), (24, 17)])
def test_coarse_means_of_a_constant_grid_are_the_constant(shape: tuple[int, int]) -> None:
    assert np.allclose(coarse_means(np.full((*shape, 5), 3.0, np.float32)), 3.0)


def test_coarse_means_are_the_means_of_their_cells() -> None:
    grid = np.random.default_rng(2).normal(size=(8, 12, 3)).astype(np.float32)
    assert np.allclose(coarse_means(grid)[5], grid[2:4, 3:6].mean(axis=(0, 1)), atol=1e-6)


@pytest.mark.slow
def test_photographs_of_one_part_count_as_one(tmp_path: Path, backbone: object) -> None:
    data = photographed(tmp_path, "similar").manifest.data
    assert (data.images, data.groups) == (PARTS * PHOTOGRAPHS, PARTS)


@pytest.mark.slow
def test_a_threshold_of_grouped_images_rests_on_their_groups(tmp_path: Path, backbone: object) -> None:
    report = photographed(tmp_path, "similar")
    assert report.threshold.sample == PARTS
    assert sorted(report.manifest.score_groups) == np.repeat(np.arange(PARTS), PHOTOGRAPHS).tolist()
    assert "few-groups" in report.warnings


@pytest.mark.slow
def test_progress_of_fewer_folds_than_asked_for_has_no_jump(tmp_path: Path, backbone: object) -> None:
    steps: list[TrainingProgress] = []
    photographed(tmp_path, "similar", steps.append, folds=20)
    assert sum(step.stage == "threshold" and step.total == PARTS for step in steps) == PARTS
    fractions = [step.fraction for step in steps]
    assert max(np.diff(fractions)) < 0.1


@pytest.mark.slow
def test_held_out_scores_are_higher_without_near_duplicates(tmp_path: Path, backbone: object) -> None:
    apart, together = (photographed(tmp_path, grouping).manifest for grouping in ("none", "similar"))
    assert np.median(together.scores) > 1.01 * np.median(apart.scores)
    assert apart.data.groups == PARTS * PHOTOGRAPHS
    assert "few-groups" not in apart.warnings


def test_different_parts_are_no_near_duplicates(report: TrainingReport) -> None:
    assert report.manifest.data.groups == report.images
    assert report.manifest.score_groups == ()
    assert "few-groups" not in report.warnings


def photographed(folder: Path, grouping: str, on_progress: OnProgress | None = None, folds: int = 3) -> TrainingReport:
    """Train on several photographs of each part."""
    settings = TrainingSettings(**{**SMALL.model_dump(), "grouping": grouping, "folds": folds})
    paths = save_photographs(folder, PARTS, PHOTOGRAPHS)
    return train_images(paths, folder / f"{grouping}.model", settings, on_progress=on_progress)
