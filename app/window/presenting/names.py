"""Lists of names in notices: enough of them to look for, never so many that the notice fills the screen."""

from __future__ import annotations

from collections.abc import Sequence

MOST_NAMES = 8


def first_names(names: Sequence[str]) -> str:
    """Return ``names`` with commas; after ``MOST_NAMES`` of them an ellipsis."""
    return ", ".join(names[:MOST_NAMES]) + (", …" if len(names) > MOST_NAMES else "")
