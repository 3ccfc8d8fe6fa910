"""Changes of parts that are written together: a run has the effects that its changes have one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select

from models.sessions import AIResult, InspectionSession
from models.states import HumanVerdict
from models.sync import AppliedChange, ChangeLogEntry
from server.context import ServerContext
from server.sync.given import MOST_ALONE
from sync.shared.problems import problem_code
from sync.shared.protocol import Outcome
from tests.support.pushing import AT, Pushing


def audit_entry(station: Pushing, sequence: int) -> dict[str, Any]:
    chained = {"sequence": sequence, "previous_digest": "0" * 64, "digest": f"{sequence:064d}"}
    who = {"created_at": AT, "device_id": station.device.id, "actor": "a", "action": "part.verified"}
    return station.change("audit_entry", {**who, **chained})


def updated(station: Pushing, part: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**station.change("inspection_session", fields, op="update"), "entity_id": part["entity_id"]}


def positions(context: ServerContext) -> list[int]:
    with context.database.read() as session:
        return list(session.scalars(select(ChangeLogEntry.position).order_by(ChangeLogEntry.position)))


@contextmanager
def statements(context: ServerContext) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(*arguments: Any) -> None:
        seen.append(arguments[2])

    event.listen(context.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(context.database.engine, "before_cursor_execute", note)


@contextmanager
def savepoints(context: ServerContext) -> Iterator[list[int]]:
    """How many savepoints each transaction has."""
    counts: list[int] = []
    noted = {"begin": lambda _: counts.append(0), "savepoint": lambda *_: counts.append(counts.pop() + 1)}
    for name, note in noted.items():
        event.listen(context.database.engine, name, note)
    yield counts
    for name, note in noted.items():
        event.remove(context.database.engine, name, note)


def test_what_the_store_alone_refuses_takes_nothing_of_its_run_along(context: ServerContext) -> None:
    station = Pushing(context)
    part = station.part()
    last = station.fact("ai_result", part, overall_result="NG", confidence=1)
    results = station.push(part, audit_entry(station, 1), audit_entry(station, 1), last)
    assert [result.outcome for result in results] == [Outcome.APPLIED] * 2 + [Outcome.REJECTED, Outcome.APPLIED]
    assert problem_code(results[2].problem) == "sync-not-consistent"
    assert positions(context) == list(range(1, len(positions(context)) + 1))


@pytest.mark.slow
def test_a_row_that_the_store_refuses_holds_the_lock_for_few_changes(context: ServerContext) -> None:
    station = Pushing(context)
    entries = [audit_entry(station, number) for number in range(1, 200)]
    with savepoints(context) as counts:
        results = station.push(*entries, audit_entry(station, 1))
    assert [result.outcome for result in results] == [Outcome.APPLIED] * 199 + [Outcome.REJECTED]
    assert max(counts) <= MOST_ALONE + 1


def test_a_late_change_minds_the_newer_one_of_its_own_run(context: ServerContext) -> None:
    station = Pushing(context)
    part = station.part(status="IN_PROGRESS", completed_at=None)
    late, newer = updated(station, part, lot="late"), updated(station, part, lot="newer")
    assert [result.outcome for result in station.push(part, newer, late)] == [Outcome.APPLIED] * 3
    with context.database.read() as session:
        assert session.get_one(InspectionSession, part["entity_id"]).lot == "newer"


def test_a_fact_under_two_changes_of_a_run_is_kept_once(context: ServerContext) -> None:
    station = Pushing(context)
    part = station.part()
    first = station.fact("ai_result", part, overall_result="NG", confidence=1)
    again = {**first, "change_id": station.part()["change_id"]}
    results = station.push(part, first, again)
    assert [result.outcome for result in results] == [Outcome.APPLIED, Outcome.APPLIED, Outcome.DUPLICATE]
    assert results[1].rev == results[2].rev


def test_a_change_twice_in_a_run_has_one_effect(context: ServerContext) -> None:
    station = Pushing(context)
    part = station.part()
    results = station.push(part, part)
    assert [(result.outcome, result.rev) for result in results] == [(Outcome.APPLIED, 2), (Outcome.DUPLICATE, 2)]
    with context.database.read() as session:
        assert len(session.scalars(select(AppliedChange)).all()) == 1


def test_the_verdict_of_a_part_follows_the_facts_of_its_run(context: ServerContext) -> None:
    station = Pushing(context)
    parts = [station.part() for _ in range(2)]
    results = [station.fact("ai_result", part, overall_result="OK", confidence=1) for part in parts]
    decided = station.fact("human_verification", parts[0], verdict="NG")
    station.push(*parts, *results, decided)
    with context.database.read() as session:
        verdicts = [session.get_one(InspectionSession, part["entity_id"]).effective_verdict for part in parts]
        assert len(session.scalars(select(AIResult)).all()) == 2
    assert verdicts == [HumanVerdict.NG, HumanVerdict.OK]


def test_a_run_takes_no_statement_of_its_own_for_each_change(context: ServerContext) -> None:
    station = Pushing(context)
    parts = [station.part() for _ in range(40)]
    facts = [station.fact("ai_result", part, overall_result="OK", confidence=1) for part in parts]
    with statements(context) as seen:
        station.push(*parts, *facts)
    assert len(seen) < 40
