"""Blocked cross-validation: contiguous blocks of rows held out in turn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold.

    Attributes:
        held_out: the block that is scored.
        fitted: runs of rows that scaling and network are fitted on.
    """

    held_out: slice
    fitted: tuple[slice, ...]


def blocks(rows: int, count: int, gap: int) -> list[Fold]:
    """Return ``count`` folds over ``rows`` successive rows, each with one block held out.

    Rows closer than ``gap`` to the block are excluded from its fit, as windows overlap (h-block cross-validation,
    Burman, Chow and Nolan 1994).

    Raises:
        ValueError: when a fold would have no rows to fit on.
    """
    edges = [rows * place // count for place in range(count + 1)]
    folds = []
    for start, end in pairwise(edges):
        before, after = slice(0, max(0, start - gap)), slice(min(rows, end + gap), rows)
        fitted = tuple(part for part in (before, after) if part.stop > part.start)
        if not fitted:
            raise ValueError("too few rows for this number of blocks")
        folds.append(Fold(slice(start, end), fitted))
    return folds
