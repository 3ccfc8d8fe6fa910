import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspection.anomaly.methods.coreset import greedy_k_center
from inspection.anomaly.methods.local_scale import distance_offsets, knn_radius
from inspection.anomaly.methods.map_smoothing import smooth_map
from inspection.anomaly.methods.patchcore import fit
from inspection.anomaly.methods.whitening import principal_axes, whitening
from inspection.runtime.arrays import FloatArray


def plain_greedy(points: np.ndarray, count: int, first: int) -> list[int]:
    """The textbook method, point by point."""
    chosen = [first]
    distance_to_nearest_center = ((points - points[first]) ** 2).sum(axis=1)
    while len(chosen) < count:
        best = int(distance_to_nearest_center.argmax())
        if distance_to_nearest_center[best] <= 0:
            break
        chosen.append(best)
        distance_to_nearest_center = np.minimum(distance_to_nearest_center, ((points - points[best]) ** 2).sum(axis=1))
    return chosen


@settings(max_examples=40, deadline=None)
@given(total=st.integers(1, 900), count=st.integers(1, 300), dimensions=st.integers(1, 6), seed=st.integers(0, 10_000))
def test_the_fast_choice_is_the_plain_greedy_choice(total: int, count: int, dimensions: int, seed: int) -> None:
    # Small whole numbers keep float32 exact; a unique sum of squares for each point keeps ties out.
    generator = np.random.default_rng(seed)
    points = generator.integers(-30, 30, (total, dimensions)).astype(np.float32)
    fast = greedy_k_center(points, count, first=0).tolist()
    slow = plain_greedy(points.astype(np.float64), count, 0)
    assert len(fast) == len(slow)
    # With ties either may go first; the covering radius after each number of choices is what counts.
    assert radius(points, fast) == pytest.approx(radius(points, slow), rel=0.35, abs=1e-6)
    assert len(set(fast)) == len(fast)


def radius(points: np.ndarray, chosen: list[int]) -> float:
    return float(np.sqrt(((points[:, None] - points[chosen][None]) ** 2).sum(-1).min(1).max()))


def test_without_ties_the_fast_choice_is_the_plain_one_index_by_index() -> None:
    points = np.random.default_rng(3).standard_normal((3000, 8)).astype(np.float32)
    assert greedy_k_center(points, 700, first=5).tolist() == plain_greedy(points.astype(np.float64), 700, 5)


def test_points_that_coincide_are_chosen_once() -> None:
    points = np.repeat(np.eye(3, dtype=np.float32), 50, axis=0)
    assert len(greedy_k_center(points, 100, first=0)) == 3


def test_whitened_features_are_uncorrelated_with_equal_variance() -> None:
    generator = np.random.default_rng(0)
    features = (generator.standard_normal((4000, 12)) @ generator.standard_normal((12, 12)) * 7 + 3).astype(np.float32)
    projection, offset = whitening(features)
    covariance = np.cov((features @ projection + offset).T)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 0.05
    assert (np.diag(covariance) < 1.15).all()


def test_a_patch_of_the_bank_is_nearer_than_an_odd_one() -> None:
    features = np.random.default_rng(0).standard_normal((400, 20)).astype(np.float32)
    model = fit(features, 400, seed=0)
    own = model.distances(features)
    odd = model.distances(features[:3] + 30)
    assert odd.min() > 10 * own.max()


def test_the_search_minimises_the_squared_distance_plus_its_penalty() -> None:
    generator = np.random.default_rng(1)
    model = fit(generator.standard_normal((300, 12)).astype(np.float32), 90, seed=0)
    asked = generator.standard_normal((50, 12)).astype(np.float32)
    projected = (asked @ model.projection + model.offset).astype(np.float64)
    squares = ((projected[:, None] - model.bank[None]) ** 2).sum(-1) + model.distance_offsets
    assert model.distances(asked) == pytest.approx(np.sqrt(np.maximum(squares.min(1), 0)), abs=1e-3)


def test_the_knn_radius_of_a_patch_uses_other_images_only() -> None:
    bank = np.zeros((1, 2), np.float32)
    patches = np.array([[0, 0.1], [3, 4], [6, 8], [5, 12], [8, 15], [7, 24]], np.float32)
    images = np.array([0, 1, 1, 2, 3, 4])
    assert knn_radius(bank, np.array([0]), patches, images) == pytest.approx([(5 + 10 + 13 + 17 + 25) / 5], rel=1e-4)
    assert knn_radius(bank, np.array([0]), patches[:1], images[:1]).tolist() == [0]


def test_a_patch_with_a_larger_knn_radius_has_a_lower_distance_offset() -> None:
    offsets = distance_offsets(np.array([1.0, 2.0, 3.0], np.float32))
    assert offsets[0] > offsets[1] > offsets[2]
    assert offsets[1] > 0


def varied_patches() -> FloatArray:
    """Patches whose axes differ widely in variance."""
    generator = np.random.default_rng(0)
    spread = generator.standard_normal((40, 40))
    patches: FloatArray = (generator.standard_normal((1000, 40)) @ spread * 3).astype(np.float32)
    return patches


def test_the_principal_axes_come_strongest_first() -> None:
    varied = varied_patches()
    projection, offset = principal_axes(varied, 0.0)
    spread = (varied @ projection + offset).std(axis=0)
    assert (np.diff(spread) <= 1e-4).all()
    assert spread[0] > 2 * spread[-1]


def test_axes_whitened_in_full_are_those_of_whitening() -> None:
    varied = varied_patches()
    projection, offset = principal_axes(varied, 1.0)
    white, origin = whitening(varied)
    assert np.allclose(np.abs(varied @ projection + offset), np.abs(varied @ white + origin), atol=1e-3)


def test_the_more_axes_are_whitened_the_less_their_spreads_differ() -> None:
    varied = varied_patches()
    ratios = []
    for exponent in (0.0, 0.5, 1.0):
        projection, offset = principal_axes(varied, exponent)
        spread = (varied @ projection + offset).std(axis=0)
        ratios.append(spread[0] / spread[-1])
    assert ratios[0] > ratios[1] > ratios[2] >= 1


def test_the_bank_is_never_larger_than_its_cap() -> None:
    features = np.random.default_rng(0).standard_normal((1000, 8)).astype(np.float32)
    assert len(fit(features, 128, seed=0).bank) == 128


def test_map_smoothing_keeps_a_constant_map_but_spreads_a_point() -> None:
    even = np.full((4, 5), 3.0, np.float32)
    assert np.allclose(smooth_map(even), even)
    point = np.zeros((5, 5), np.float32)
    point[2, 2] = 16
    assert smooth_map(point)[1:4, 1:4].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
