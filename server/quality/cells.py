"""What statistics are made of: how many parts, items or defects a day has, by verdicts and by what they are grouped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from models.states import CountKind, HumanVerdict


class Dimension(StrEnum):
    """What completed sessions are grouped by.

    ``USER`` is who decided last; where nobody did, who inspected. ``CLASS`` groups marked defects, not parts.
    """

    DAY = "day"
    TARGET = "target"
    ITEM = "item"
    STATION = "station"
    USER = "user"
    CLASS = "class"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which completed sessions are counted, beside their period; None is any.

    Attributes:
        item_id: counts the sessions in which the item was judged, by the verdict about the item.
        user_id: who decided last; where nobody did, who inspected.
    """

    target_id: str | None = None
    lot: str | None = None
    device_id: str | None = None
    item_id: str | None = None
    user_id: str | None = None


EVERYTHING = Scope()


class Cell(NamedTuple):
    """What tells counts apart.

    Attributes:
        day: ``YYYY-MM-DD`` at the site; empty for sessions that do not say when they were completed.
        group: id, or class, that is grouped by; empty without one.
        machine: the AI's verdict, empty where it gave none.
        person: what persons decided, empty where nobody did.
        verdict: the one that counts; all three are empty for defects.
    """

    day: str
    group: str
    machine: str
    person: str
    verdict: str


Cells = Counter[Cell]


@dataclass(frozen=True, slots=True)
class Question:
    """What is counted.

    Attributes:
        kind: parts, items of parts, or marked defects.
        by: what it is grouped by beside the day.
    """

    kind: CountKind
    by: Dimension = Dimension.DAY


def question(scope: Scope, by: Dimension = Dimension.DAY) -> Question:
    """Return what is counted for a breakdown: with an item named, or by items, the verdicts about items."""
    if by is Dimension.CLASS:
        return Question(CountKind.DEFECT, by)
    about_items = by is Dimension.ITEM or scope.item_id is not None
    return Question(CountKind.ITEM if about_items else CountKind.PART, by)


@dataclass(frozen=True, slots=True)
class Tally:
    """Verdicts of some parts or items.

    Attributes:
        both: machine and person, OK or NG each → how many; those on hold, or with one of them alone, are left out.
    """

    ok: int
    ng: int
    hold: int
    both: dict[tuple[str, str], int]

    @property
    def judged(self) -> int:
        """OK and NG together: what rates are shares of."""
        return self.ok + self.ng


def tally(cells: Iterable[tuple[Cell, int]]) -> Tally:
    """Return the verdicts of some cells together."""
    verdicts: Counter[str] = Counter()
    both: Counter[tuple[str, str]] = Counter()
    decided = {HumanVerdict.OK.value, HumanVerdict.NG.value}
    for cell, count in cells:
        verdicts[cell.verdict] += count
        if cell.machine in decided and cell.person in decided:
            both[cell.machine, cell.person] += count
    ok, ng, hold = (verdicts[one.value] for one in (HumanVerdict.OK, HumanVerdict.NG, HumanVerdict.HOLD))
    return Tally(ok, ng, hold, dict(both))
