"""Good images whose held-out scores lift a threshold."""

from __future__ import annotations

import numpy as np
import pytest

from inspection.anomaly.threshold.estimate import choose_threshold
from inspection.anomaly.threshold.lifting import LEAST_SCORES, lifting_level

USUAL = [
    21.4,
    22.0,
    22.2,
    22.6,
    22.8,
    22.9,
    23.1,
    23.6,
    23.6,
    23.7,
    23.9,
    24.0,
    24.3,
    24.7,
    25.4,
    25.4,
    25.8,
    26.6,
    27.3,
]


def test_one_image_far_above_the_others_lifts_the_threshold_of_twenty() -> None:
    scores = [*USUAL, 35.3]
    level = lifting_level(scores, choose_threshold(scores, 0.05).value)
    assert level is not None
    assert 27.3 < level < 35.3


def test_an_image_far_above_many_others_does_not_lift_their_threshold() -> None:
    scores = [*USUAL * 3, 35.3]
    assert lifting_level(scores, choose_threshold(scores, 0.05).value) is None


def test_images_that_vary_evenly_lift_nothing() -> None:
    assert lifting_level(USUAL, max(USUAL)) is None


def test_nothing_is_said_of_too_few_scores() -> None:
    scores = [*USUAL[: LEAST_SCORES - 2], 60.0]
    assert lifting_level(scores, 60.0) is None


def test_a_limit_beyond_all_scores_is_lifted_by_none_of_them() -> None:
    assert lifting_level(USUAL, 60.0) is None


@pytest.mark.parametrize("count", [20, 40, 100])
def test_scores_of_a_normal_distribution_rarely_lift_their_threshold(count: int) -> None:
    lifted = 0
    for seed in range(200):
        scores = np.random.default_rng(seed).normal(20, 2, count).tolist()
        lifted += lifting_level(scores, choose_threshold(scores, 0.05).value) is not None
    assert lifted <= 2
