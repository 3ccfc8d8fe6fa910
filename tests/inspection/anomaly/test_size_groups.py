"""Good images of two very different sizes or shapes."""

from __future__ import annotations

import pytest

from inspection.anomaly.training.size_groups import SizeGroup, size_groups

CASTINGS, BOTTLES = [(300, 300)] * 12, [(700, 350)] * 12


def test_two_kinds_of_parts_are_two_groups() -> None:
    assert size_groups([*BOTTLES, *CASTINGS], 5) == (SizeGroup(12, 300, 300), SizeGroup(12, 350, 700))


def test_parts_of_two_shapes_are_two_groups() -> None:
    strips = [(100, 900)] * 6
    assert size_groups([*strips, *CASTINGS], 5) == (SizeGroup(12, 300, 300), SizeGroup(6, 900, 100))


@pytest.mark.parametrize(
    "sizes",
    [
        [],
        CASTINGS,
        [*CASTINGS, *[(700, 350)] * 4],
        [(100 + 10 * place, 100 + 10 * place) for place in range(60)],
        [*[(900, 300)] * 12, *[(300, 900)] * 12],
        [*CASTINGS, *[(424, 424)] * 12],
    ],
    ids=["none", "one-size", "few", "many-sizes", "turned", "twice-the-area"],
)
def test_images_of_one_kind_are_no_two_groups(sizes: list[tuple[int, int]]) -> None:
    assert size_groups(sizes, 5) == ()
