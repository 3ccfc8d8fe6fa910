"""Errors of training rows that the model was not fitted on: contiguous blocks held out in turn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Fold:
    """One block held out.

    Attributes:
        held_out: rows whose errors are taken.
        fitted: runs of rows that scaling and network are fitted on.
    """

    held_out: slice
    fitted: tuple[slice, ...]


def blocks(rows: int, count: int, gap: int) -> list[Fold]:
    """Part ``rows`` successive rows into ``count`` blocks, each held out once.

    Rows closer than ``gap`` to the block are left out of its fit: windows overlap, and a row beside a fitted one is
    no unseen row (h-block cross-validation, Burman, Chow and Nolan 1994).

    Raises:
        ValueError: when a fold would have nothing to be fitted on.
    """
    edges = [rows * place // count for place in range(count + 1)]
    folds = []
    for start, end in pairwise(edges):
        before, after = slice(0, max(0, start - gap)), slice(min(rows, end + gap), rows)
        fitted = tuple(part for part in (before, after) if part.stop > part.start)
        if not fitted:
            raise ValueError("too few rows for so many blocks")
        folds.append(Fold(slice(start, end), fitted))
    return folds
