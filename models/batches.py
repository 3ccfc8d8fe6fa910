"""Many values in some at a time: a database takes a limited number of parameters in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

BATCH = 500
_Value = TypeVar("_Value")


def in_batches(values: Iterable[_Value], size: int = BATCH) -> Iterator[list[_Value]]:
    """Return the values in their order, at most ``size`` at a time; none at all give nothing."""
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some
