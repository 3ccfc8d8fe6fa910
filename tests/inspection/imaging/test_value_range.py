"""Ranges of values as they are written in settings."""

from __future__ import annotations

import numpy as np
import pytest

from inspection.imaging.value_range import ValueRange, parse_range, parse_values


def test_a_value_beyond_the_depth_is_seen_beside_one_that_is_no_number() -> None:
    values = np.array([[np.nan, 300.0]], np.float32)
    assert ValueRange.of_bits(8).exceeded_by(values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12", ValueRange(0, 4095)), ("0:1", ValueRange(0, 1)), ("-2.5:4", ValueRange(-2.5, 4)), ("", None)],
)
def test_a_setting_of_values_is_a_depth_or_a_range(text: str, expected: ValueRange | None) -> None:
    assert parse_values(text) == expected


@pytest.mark.parametrize("text", ["7", "33", "x", "1:1", "2:1", "0:inf", "nan:1", ":", "1:2:3"])
def test_any_other_setting_of_values_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_values(text)


@pytest.mark.parametrize("values", [ValueRange.of_bits(10), ValueRange(-2.5, 4), ValueRange(0, 0.1), ValueRange(0, 1)])
def test_a_range_is_written_as_it_is_read(values: ValueRange) -> None:
    assert parse_range(str(values)) == values
