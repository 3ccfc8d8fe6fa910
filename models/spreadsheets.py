"""Texts in files that spreadsheets open."""

from __future__ import annotations

_BEGIN_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def cell_text(text: str) -> str:
    """Return a text as a cell that no spreadsheet takes for a formula (OWASP, "CSV Injection").

    Numbers are written as numbers, not by this.
    """
    return f"'{text}" if text.startswith(_BEGIN_FORMULAS) else text
