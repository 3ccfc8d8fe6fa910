"""Texts in files that spreadsheets open."""

from __future__ import annotations

import pytest

from models.spreadsheets import cell_text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_reads_like_a_formula_is_quoted(text: str) -> None:
    assert cell_text(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "vibration", "a=1", "振動", "1"])
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert cell_text(text) == text
