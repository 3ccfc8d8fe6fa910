import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspection.anomaly.patchcore import blurred, fit, greedy_centers, whitening


def plain_greedy(points: np.ndarray, count: int, first: int) -> list[int]:
    """The textbook method, point by point."""
    chosen = [first]
    farness = ((points - points[first]) ** 2).sum(axis=1)
    while len(chosen) < count:
        best = int(farness.argmax())
        if farness[best] <= 0:
            break
        chosen.append(best)
        farness = np.minimum(farness, ((points - points[best]) ** 2).sum(axis=1))
    return chosen


@settings(max_examples=40, deadline=None)
@given(total=st.integers(1, 900), count=st.integers(1, 300), dimensions=st.integers(1, 6), seed=st.integers(0, 10_000))
def test_the_fast_choice_is_the_plain_greedy_choice(total: int, count: int, dimensions: int, seed: int) -> None:
    # Small whole numbers keep float32 exact; a unique sum of squares for each point keeps ties out.
    generator = np.random.default_rng(seed)
    points = generator.integers(-30, 30, (total, dimensions)).astype(np.float32)
    fast = greedy_centers(points, count, first=0).tolist()
    slow = plain_greedy(points.astype(np.float64), count, 0)
    assert len(fast) == len(slow)
    # With ties either may go first; the covering radius after each number of choices is what counts.
    assert radius(points, fast) == pytest.approx(radius(points, slow), rel=0.35, abs=1e-6)
    assert len(set(fast)) == len(fast)


def radius(points: np.ndarray, chosen: list[int]) -> float:
    return float(np.sqrt(((points[:, None] - points[chosen][None]) ** 2).sum(-1).min(1).max()))


def test_without_ties_the_fast_choice_is_the_plain_one_index_by_index() -> None:
    points = np.random.default_rng(3).standard_normal((3000, 8)).astype(np.float32)
    assert greedy_centers(points, 700, first=5).tolist() == plain_greedy(points.astype(np.float64), 700, 5)


def test_points_that_coincide_are_chosen_once() -> None:
    points = np.repeat(np.eye(3, dtype=np.float32), 50, axis=0)
    assert len(greedy_centers(points, 100, first=0)) == 3


def test_whitened_features_have_no_correlation_and_even_spread() -> None:
    generator = np.random.default_rng(0)
    features = (generator.standard_normal((4000, 12)) @ generator.standard_normal((12, 12)) * 7 + 3).astype(np.float32)
    projection, offset = whitening(features)
    covariance = np.cov((features @ projection + offset).T)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 0.05
    assert (np.diag(covariance) < 1.15).all()


def test_a_patch_of_the_bank_is_no_distance_away_and_an_odd_one_is_far() -> None:
    features = np.random.default_rng(0).standard_normal((400, 20)).astype(np.float32)
    model = fit(features, 400, seed=0)
    own = model.distances(features)
    assert own.max() < 0.05
    odd = model.distances(features[:3] + 30)
    assert odd.min() > 10 * model.distances(features + 0.1).mean()


def test_the_bank_is_never_larger_than_its_cap() -> None:
    features = np.random.default_rng(0).standard_normal((1000, 8)).astype(np.float32)
    assert len(fit(features, 128, seed=0).bank) == 128


def test_the_blur_keeps_an_even_map_and_spreads_a_point() -> None:
    even = np.full((4, 5), 3.0, np.float32)
    assert np.allclose(blurred(even), even)
    point = np.zeros((5, 5), np.float32)
    point[2, 2] = 16
    assert blurred(point)[1:4, 1:4].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
