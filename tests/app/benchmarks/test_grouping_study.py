import numpy as np
import pytest

from app.benchmarks.inspection.calibration import random_half
from app.benchmarks.inspection.grouping_study import adjusted_rand_index

PART_OF = np.repeat(np.arange(20), [1, 6, 2, 3] * 5)


@pytest.mark.parametrize("seed", range(5))
def test_a_random_half_never_divides_a_part(seed: int) -> None:
    inside = random_half(PART_OF, seed)
    assert all(len(set(inside[part == PART_OF])) == 1 for part in range(20))


@pytest.mark.parametrize("seed", range(5))
def test_a_random_half_has_half_of_the_images_up_to_one_part(seed: int) -> None:
    assert len(PART_OF) // 2 <= random_half(PART_OF, seed).sum() < len(PART_OF) // 2 + 6


def test_the_halves_of_single_images_are_equal() -> None:
    assert random_half(np.arange(50), 3).sum() == 25


def test_equal_divisions_have_a_rand_index_of_one() -> None:
    assert adjusted_rand_index(PART_OF, 19 - PART_OF) == 1.0


def test_the_adjusted_rand_index_of_a_small_table_is_exact() -> None:
    # Of 15 pairs 2 are together in both, 6 in the first, 3 in the second.
    first, second = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 2, 2])
    assert adjusted_rand_index(first, second) == pytest.approx((2 - 18 / 15) / (4.5 - 18 / 15))
