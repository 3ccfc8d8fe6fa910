"""What one session adds to the daily counts; pure, so that a correction can take just that away again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from models.states import CountKind, HumanVerdict, SessionStatus, Verdict
from models.verdicts import AiVerdict, HumanDecision, effective_verdict
from server.core.site_time import day_of

LONGEST_CLASS = 300
_LARGEST_SCORE = 10_000_000
"""Thousandths of a threshold: ten thousand times the threshold; sums of squares stay within 63 bits."""


class ResultFact(NamedTuple):
    """An AI result as far as counting goes."""

    id: str
    clock: str
    item_id: str | None
    verdict: Verdict
    score: float | None
    threshold: float | None


class DecisionFact(NamedTuple):
    """A human verification as far as counting goes."""

    id: str
    clock: str
    item_id: str | None
    verdict: HumanVerdict
    user_id: str | None
    defects: Sequence[Any]


@dataclass(frozen=True, slots=True)
class PartFacts:
    """A session with its facts as far as counting goes."""

    target_id: str
    device_id: str
    user_id: str | None
    status: SessionStatus
    completed_at: datetime | None
    results: list[ResultFact] = field(default_factory=list)
    decisions: list[DecisionFact] = field(default_factory=list)


class CountKey(NamedTuple):
    """The columns of ``models.statistics.DailyCount`` that tell its rows apart."""

    count_kind: CountKind
    day: str
    target_id: str
    device_id: str
    user_id: str = ""
    item_id: str = ""
    machine: str = ""
    person: str = ""
    verdict: str = ""
    class_name: str = ""


class ScoreKey(NamedTuple):
    """The columns of ``models.statistics.DailyScore`` that tell its rows apart."""

    day: str
    item_id: str
    device_id: str


class ScoreSums(NamedTuple):
    """Sums of scores, in thousandths of their thresholds."""

    total: int
    score_sum: int
    square_sum: int

    def plus(self, other: ScoreSums, sign: int = 1) -> ScoreSums:
        """Return the sums with others added, or taken away with ``sign`` −1."""
        return ScoreSums(*(mine + sign * theirs for mine, theirs in zip(self, other, strict=True)))


NO_SCORES = ScoreSums(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a completed session adds.

    Attributes:
        day: at the site; empty when the session does not say when it was completed.
        user_id: who decided last; where nobody did, who inspected.
        part: verdicts of machine and person, and the one that counts; None when there is none.
        items: item and its three verdicts.
        defects: item or empty text, class, and how often it was marked.
        scores: item and its sums.
    """

    day: str
    target_id: str
    device_id: str
    user_id: str
    part: tuple[str, str, str] | None
    items: tuple[tuple[str, str, str, str], ...]
    defects: tuple[tuple[str, str, int], ...]
    scores: tuple[tuple[str, int, int, int], ...]

    def counts(self) -> Iterator[tuple[CountKey, int]]:
        """Return the counts."""
        whose = self.day, self.target_id, self.device_id, self.user_id
        if self.part is not None:
            yield CountKey(CountKind.PART, *whose, "", *self.part), 1
        for item in self.items:
            yield CountKey(CountKind.ITEM, *whose, *item), 1
        for item_id, class_name, total in self.defects:
            yield CountKey(CountKind.DEFECT, *whose, item_id, class_name=class_name), total

    def score_sums(self) -> Iterator[tuple[ScoreKey, ScoreSums]]:
        """Return the sums of scores."""
        for item_id, *sums in self.scores:
            yield ScoreKey(self.day, item_id, self.device_id), ScoreSums(*sums)

    def to_json(self) -> list[Any]:
        """Return it in the form of ``models.statistics.CountedSession.counted``."""
        whose = [self.day, self.target_id, self.device_id, self.user_id]
        part = None if self.part is None else list(self.part)
        return [*whose, part, *([list(row) for row in rows] for rows in (self.items, self.defects, self.scores))]

    @classmethod
    def from_json(cls, counted: Sequence[Any]) -> Contribution:
        """Return the contribution that ``to_json`` has made."""
        day, target_id, device_id, user_id, part, *lists = counted
        items, defects, scores = (tuple(tuple(row) for row in rows) for rows in lists)
        verdicts = None if part is None else tuple(part)
        return cls(day, target_id, device_id, user_id, verdicts, items, defects, scores)


def contribution(part: PartFacts, zone: ZoneInfo) -> Contribution | None:
    """Return what a session adds to the counts of its day; None before it is completed."""
    if part.status is not SessionStatus.COMPLETED:
        return None
    results = sorted(part.results, key=_age)
    decisions = sorted(part.decisions, key=_age)
    machine = [AiVerdict(one.item_id, one.clock, one.verdict) for one in results]
    person = [HumanDecision(one.item_id, one.clock, one.verdict) for one in decisions]
    counted = effective_verdict(machine, person)
    last_user = decisions[-1].user_id if decisions else None
    return Contribution(
        day=day_of(part.completed_at, zone).isoformat() if part.completed_at is not None else "",
        target_id=part.target_id,
        device_id=part.device_id,
        user_id=last_user or part.user_id or "",
        part=(_text(effective_verdict(machine, ())), _text(effective_verdict((), person)), counted.value)
        if counted is not None
        else None,
        items=tuple(_items(results, decisions)),
        defects=tuple(_defects(decisions)),
        scores=tuple(_scores(results)),
    )


def scaled_score(score: float | None, threshold: float | None) -> int | None:
    """Return a score in thousandths of its threshold, at most ten thousand thresholds; None where either is missing."""
    if score is None or not threshold or threshold < 0:
        return None
    return round(min(max(1000 * score / threshold, 0.0), _LARGEST_SCORE))


def _age(fact: ResultFact | DecisionFact) -> tuple[str, str]:
    return fact.clock, fact.id


def _text(verdict: HumanVerdict | None) -> str:
    return verdict.value if verdict is not None else ""


def _items(results: Sequence[ResultFact], decisions: Sequence[DecisionFact]) -> Iterator[tuple[str, str, str, str]]:
    """Return each item that was judged; a decision on the whole part is one on each of its items too."""
    machine = {one.item_id: one.verdict.value for one in results if one.item_id is not None}
    named = {one.item_id for one in decisions if one.item_id is not None}
    for item_id in sorted(machine.keys() | named):
        about = [one.verdict.value for one in decisions if one.item_id in {item_id, None}]
        by_machine, by_person = machine.get(item_id, ""), about[-1] if about else ""
        yield item_id, by_machine, by_person, by_person or by_machine


def _defects(decisions: Iterable[DecisionFact]) -> Iterator[tuple[str, str, int]]:
    """Return the marked classes; of several decisions about one item, and about the whole part, the newest counts."""
    newest = {one.item_id: one.defects for one in decisions}
    marked: Counter[tuple[str, str]] = Counter()
    for item_id, defects in newest.items():
        for entry in defects:
            name = entry.get("class") if isinstance(entry, dict) else None
            if isinstance(name, str):
                marked[item_id or "", name[:LONGEST_CLASS]] += 1
    for (item_id, class_name), total in sorted(marked.items()):
        yield item_id, class_name, total


def _scores(results: Sequence[ResultFact]) -> Iterator[tuple[str, int, int, int]]:
    """Return the newest score of each item; an item inspected again counts once."""
    newest = {one.item_id: scaled_score(one.score, one.threshold) for one in results if one.item_id is not None}
    for item_id, score in sorted(newest.items()):
        if score is not None:
            yield item_id, 1, score, score * score
