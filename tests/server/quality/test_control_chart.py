"""The p chart against a published example, Nelson's rules against runs made for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.quality.control_chart import Sample, nelson_rules, p_chart

# NIST/SEMATECH e-Handbook 6.3.3.2: fraction of defective chips of 50 on each of 30 wafers, times 50.
WAFERS = (12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6)


def test_the_limits_are_those_of_the_handbook() -> None:
    chart = p_chart([Sample(50, count) for count in WAFERS])
    assert chart.centre == pytest.approx(0.2313, abs=5e-5)
    assert chart.points[0].lower == pytest.approx(0.0524, abs=5e-5)
    assert chart.points[0].upper == pytest.approx(0.4102, abs=5e-5)
    assert [place for place, point in enumerate(chart.points, start=1) if 1 in point.rules] == [15, 23]


def test_limits_are_wider_for_smaller_samples() -> None:
    small, large = p_chart([Sample(20, 5), Sample(2_000, 500)]).points
    assert small.upper - small.lower > 5 * (large.upper - large.lower)


def test_a_chart_of_no_samples_has_no_centre() -> None:
    assert (p_chart([]).centre, p_chart([]).points) == (None, ())


@pytest.mark.parametrize("nonconforming", [0, 7])
def test_a_process_that_never_varies_breaks_no_rule(nonconforming: int) -> None:
    chart = p_chart([Sample(7, nonconforming)] * 20)
    assert {point.rules for point in chart.points} == {()}


ALTERNATING = [0.5, -0.5] * 7


@pytest.mark.parametrize(
    ("zs", "rule", "ends"),
    [
        ([0.0, 3.01, -3.01, 3.0], 1, [1, 2]),
        ([0.1] * 8, 2, []),
        ([0.1] * 10, 2, [8, 9]),
        ([*[-0.1] * 8, 0.0, -0.1], 2, []),
        ([0.0, 0.1, 0.2, 0.3, 0.4], 3, []),
        ([0.0, 0.1, 0.2, 0.3, 0.4, 0.5], 3, [5]),
        ([0.5, 0.4, 0.3, 0.2, 0.1, 0.0, 0.0], 3, [5]),
        (ALTERNATING[:13], 4, []),
        (ALTERNATING, 4, [13]),
        ([*ALTERNATING[:7], 0.6, *ALTERNATING[7:13]], 4, []),
    ],
)
def test_a_rule_is_broken_where_its_run_ends(zs: list[float], rule: int, ends: list[int]) -> None:
    assert [end for end, broken in enumerate(nelson_rules(zs)) if rule in broken] == ends


@given(st.lists(st.floats(-2.9, 2.9), max_size=40))
def test_the_mirror_image_breaks_the_same_rules(zs: list[float]) -> None:
    assert nelson_rules(zs) == nelson_rules([-z for z in zs])
