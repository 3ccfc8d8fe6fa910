"""Numbers of a report as text, the same in every language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_NONE = "–"


def number(value: float | None) -> str:
    """Return a figure with three decimals, a dash for None."""
    return _NONE if value is None else f"{value:.3f}"


def percent(value: float | None) -> str:
    """Return a share in per cent with one decimal, a dash for None."""
    return _NONE if value is None else f"{100 * value:.1f} %"


def short_percent(value: float | None) -> str:
    """Return a share in per cent with as few decimals as it needs, nothing for None."""
    return "" if value is None else f"{100 * value:g} %"


def percent_range(bounds: Sequence[float] | None) -> str:
    """Return the bounds of an interval of shares in per cent, a dash for None."""
    return _NONE if bounds is None else f"{100 * bounds[0]:.1f} {_NONE} {100 * bounds[1]:.1f} %"


def count_and_share(rate: Mapping[str, Any]) -> str:
    """Return the count of a ``Rate`` with its share in per cent."""
    return f"{rate['count']} ({percent(rate['rate'])})"
