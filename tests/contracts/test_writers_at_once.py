"""Writers at the same moment: every engine lets them follow one another, so that what was read is still true."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, text

from models.database import Database
from models.errors import Conflict, Unavailable
from models.sessions import InspectionSession
from models.states import HumanVerdict, Role, SessionStatus
from models.sync import ChangeLogEntry, SyncConflict
from models.targets import Target
from models.users import User
from models.verification import HumanVerification
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.sessions.service import complete_session
from sync.shared.protocol import ChangeResult, Outcome
from tests.support.pushing import AT, Pushing
from tests.support.sync_stores import signed_in

WRITERS = 4


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """Do all at the same moment, each in a thread of its own, and return what each gave or raised."""
    together = threading.Barrier(len(works))
    found: list[Any] = [None] * len(works)

    def do(place: int) -> None:
        together.wait(30)
        try:
            found[place] = works[place]()
        except Conflict as error:
            found[place] = error.code

    threads = [threading.Thread(target=do, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_a_batch_delivered_several_times_at_once_has_one_effect(context: ServerContext) -> None:
    station = Pushing(context)
    parts = [station.part() for _ in range(20)]
    answers: list[list[ChangeResult]] = at_once([lambda: station.push(*parts)] * WRITERS)
    outcomes = [[result.outcome for result in answer] for answer in answers]
    assert sorted(outcomes) == [[Outcome.APPLIED] * 20] + [[Outcome.DUPLICATE] * 20] * (WRITERS - 1)
    with context.database.read() as session:
        assert session.scalar(select(func.count()).select_from(InspectionSession)) == 20
        logged = select(func.count()).where(ChangeLogEntry.entity == "inspection_session")
        assert session.scalar(logged) == 20


def test_edits_of_one_field_by_two_stations_at_once_are_seen_as_a_conflict(context: ServerContext) -> None:
    boss = User(username="boss", role=Role.ADMIN)
    one = Pushing(context, boss)
    two = Pushing(context)
    with context.database.transaction() as session:
        session.add_all([signed_in(boss, one.device.id), signed_in(boss, two.device.id)])
    with context.database.read() as session:
        base = session.get_one(Target, one.target.id).rev

    def edit(station: Pushing, **fields: str) -> Callable[[], list[ChangeResult]]:
        members = {"op": "update", "entity_id": one.target.id, "base_rev": base, "user_id": boss.id}
        change = station.change("target", {**fields, "updated_at": AT}, **members)
        return lambda: station.push(change)

    at_once([edit(one, name="from one", version="2"), edit(two, name="from two", description="D")])
    with context.database.read() as session:
        target = session.get_one(Target, one.target.id)
        lost = session.scalars(select(SyncConflict)).one()
        assert (target.version, target.description) == ("2", "D")
        assert {lost.kept_value, lost.lost_value} == {"from one", "from two"}
        assert target.name == lost.kept_value
        for name in ("name", "version", "description"):
            assert target.field_clocks[name]["rev"] > base, name


def test_of_several_that_complete_a_session_at_once_one_does(context: ServerContext) -> None:
    station = Pushing(context)
    part = InspectionSession(device_id="server", target_id=station.target.id, status=SessionStatus.HUMAN_REVIEW)
    with context.database.transaction() as session:
        session.add(part)
        session.flush()
        session.add(HumanVerification(device_id="server", session_id=part.id, verdict=HumanVerdict.OK))
    who = Principal(None, "key:mes", Role.INTEGRATOR, None)
    answers = at_once([lambda: complete_session(context, who, part.id)] * WRITERS)
    assert sorted(answer for answer in answers if isinstance(answer, str)) == ["session-state"] * (WRITERS - 1)


def test_what_is_read_in_one_block_is_of_one_moment(context: ServerContext) -> None:
    with context.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Target)) == 0
        with context.database.transaction() as writing:
            writing.add(Target(code="A", name="A"))
        assert session.scalar(select(func.count()).select_from(Target)) == 0


def test_a_writer_that_waits_too_long_for_another_is_reported(context: ServerContext, database_url: str) -> None:
    impatient = Database(database_url, busy_timeout_ms=50)
    with context.database.transaction() as held:
        held.execute(text("SELECT 1"))
        with pytest.raises(Unavailable) as reported, impatient.transaction() as session:
            session.execute(text("SELECT 1"))
    impatient.close()
    assert reported.value.code in {"store-locked", "database-busy"}


def test_one_who_finds_no_free_connection_is_reported(database_url: str) -> None:
    database = Database(database_url, busy_timeout_ms=50)

    def read_within_reads(depth: int) -> None:
        with database.read():
            if depth:
                read_within_reads(depth - 1)

    with pytest.raises(Unavailable) as reported:
        read_within_reads(200)
    database.close()
    assert reported.value.code == "database-busy"
