"""Groups of near-duplicate training images, and folds that keep them together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection.anomaly import TrainingReport, TrainingSettings, train_images
from inspection.anomaly.training.near_duplicates import (
    coarse_means,
    grouped_folds,
    held_out_groups,
    linked_groups,
)
from inspection.imaging.files import encode_png
from inspection.imaging.frames import Pixels
from resources.parts import draw_part
from tests.support.trained_model import SMALL

PARTS, PHOTOGRAPHS = 8, 3


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


def test_too_few_groups_are_held_out_image_by_image() -> None:
    assert held_out_groups(np.array([0, 0, 1, 2, 3, 3])).tolist() == [0, 1, 2, 3, 4, 5]
    assert held_out_groups(np.array([0, 0, 1, 2, 3, 4])).tolist() == [0, 0, 1, 2, 3, 4]


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
def test_held_out_scores_are_higher_without_near_duplicates(tmp_path: Path, backbone: object) -> None:
    apart, together = (photographed(tmp_path, grouping).manifest for grouping in ("none", "similar"))
    assert np.median(together.scores) > 1.05 * np.median(apart.scores)
    assert apart.data.groups == PARTS * PHOTOGRAPHS
    assert "few-groups" not in apart.warnings


def test_different_parts_are_no_near_duplicates(report: TrainingReport) -> None:
    assert report.manifest.data.groups == report.images
    assert report.manifest.score_groups == ()
    assert "few-groups" not in report.warnings


def photographed(folder: Path, grouping: str) -> TrainingReport:
    """Train on noisy photographs in slightly different light, several of each part."""
    paths = []
    for part in range(PARTS):
        for photograph in range(PHOTOGRAPHS):
            paths.append(folder / f"{part}-{photograph}.png")
            paths[-1].write_bytes(encode_png(photograph_of(part, photograph)))
    settings = TrainingSettings(**{**SMALL.model_dump(), "grouping": grouping})
    return train_images(paths, folder / f"{grouping}.model", settings)


def photograph_of(part: int, photograph: int) -> Pixels:
    image = draw_part(part).image.astype(np.float32)
    noise = np.random.default_rng([part, photograph]).normal(0, 3, image.shape)
    return np.clip(image * (0.97 + 0.03 * photograph) + noise, 0, 255).astype(np.uint8)
