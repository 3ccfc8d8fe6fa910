"""The daily counts on each engine: whatever happens to the facts, they say what the facts say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models.ids import new_id
from models.sessions import AIResult, InspectionSession
from models.states import CountKind, HumanVerdict, SessionStatus, Verdict
from models.statistics import CountedSession, DailyCount, DailyScore
from models.targets import InspectionItem, Target
from models.tracking import remote_changes
from models.users import User
from models.verification import HumanVerification
from server.context import ServerContext
from server.core.periods import Period
from server.core.site_time import start_of
from server.daily_counts.counting import DailyCounting
from server.daily_counts.rebuilding import are_complete, build, verify
from server.quality.cells import Dimension, Question, Scope
from server.quality.plain import count_facts
from server.quality.repository import count_cells

# Both days on which New York changes its clocks are among the days of the parts.
ZONES = ("America/New_York", "Asia/Kolkata", "UTC")
MOMENTS = (datetime(2026, 3, 7, 22, tzinfo=UTC), datetime(2026, 10, 31, 22, tzinfo=UTC))
CLASSES = ("scratch", "キズ")
STATIONS = ("server", "0197c000-0000-7000-8000-00000000dede")
QUESTIONS = [
    *(Question(CountKind.PART, by) for by in (Dimension.DAY, Dimension.TARGET, Dimension.STATION, Dimension.USER)),
    *(Question(CountKind.ITEM, by) for by in (Dimension.DAY, Dimension.ITEM, Dimension.USER)),
    *(Question(CountKind.DEFECT, by) for by in (Dimension.CLASS, Dimension.ITEM)),
]

number = st.integers(0, 7)
moment = st.builds(
    lambda base, minutes: base + timedelta(minutes=minutes), st.sampled_from(MOMENTS), st.integers(0, 4_000)
)
step = st.one_of(
    st.tuples(st.just("begin"), number, number),
    st.tuples(st.just("complete"), number, moment),
    st.tuples(st.just("result"), number, number, st.sampled_from(Verdict), st.floats(0, 9, allow_nan=False)),
    st.tuples(
        st.just("decide"),
        number,
        st.one_of(st.none(), number),
        st.sampled_from(HumanVerdict),
        st.lists(st.sampled_from(CLASSES), max_size=3),
        number,
    ),
    st.tuples(st.just("correct"), number, number),
    st.tuples(st.just("move"), number, moment),
    st.tuples(st.just("reopen"), number),
    st.tuples(st.just("remove"), number),
    st.tuples(st.just("fail"), number),
)


class Site:
    """Parts of a store, and the steps that change them; each in a transaction of its own."""

    def __init__(self, context: ServerContext) -> None:
        self.context = context
        self.parts: list[str] = []
        with context.database.transaction() as session:
            self.targets = [Target(code=new_id(), name="T") for _ in range(2)]
            self.users = [User(username=new_id(), role="inspector") for _ in range(2)]
            session.add_all([*self.targets, *self.users])
            session.flush()
            self.items = [InspectionItem(target_id=self.targets[0].id, name="I") for _ in range(2)]
            session.add_all(self.items)

    def take(self, name: str, *values: Any) -> None:
        if name != "begin" and not self.parts:
            return
        with self.context.database.transaction() as session:
            getattr(self, f"_{name}")(session, *values)

    def _part(self, session: Any, at: int) -> InspectionSession:
        found = session.get_one(InspectionSession, self.parts[at % len(self.parts)])
        assert isinstance(found, InspectionSession)
        return found

    def _begin(self, session: Any, target: int, user: int) -> None:
        part = InspectionSession(
            device_id=STATIONS[target % 2],
            target_id=self.targets[target // 2 % 2].id,
            user_id=self.users[user % 2].id if user < 6 else None,
            status=SessionStatus.IN_PROGRESS,
        )
        session.add(part)
        self.parts.append(part.id)

    def _complete(self, session: Any, at: int, when: datetime) -> None:
        part = self._part(session, at)
        part.status, part.completed_at = SessionStatus.COMPLETED, when

    def _result(self, session: Any, at: int, item: int, verdict: Verdict, score: float) -> None:
        part = self._part(session, at)
        about = {"item_id": self.items[item % 2].id if item < 7 else None, "threshold": 2.5 if item < 5 else None}
        scored = {"overall_result": verdict, "confidence": 1.0, "anomaly_score": score}
        session.add(AIResult(device_id=part.device_id, session_id=part.id, **about, **scored))

    def _decide(
        self, session: Any, at: int, item: int | None, verdict: HumanVerdict, classes: list[str], user: int
    ) -> None:
        part = self._part(session, at)
        item_id = None if item is None else self.items[item % 2].id
        marked = [{"class": name} for name in classes]
        whose = {"user_id": self.users[user % 2].id if user < 6 else None}
        given = {"device_id": part.device_id, "session_id": part.id, "item_id": item_id}
        session.add(HumanVerification(**given, **whose, verdict=verdict, defects=marked))

    def _correct(self, session: Any, at: int, target: int) -> None:
        part = self._part(session, at)
        part.target_id = self.targets[target % 2].id

    def _move(self, session: Any, at: int, when: datetime) -> None:
        self._part(session, at).completed_at = when

    def _reopen(self, session: Any, at: int) -> None:
        self._part(session, at).status = SessionStatus.HUMAN_REVIEW

    def _remove(self, session: Any, at: int) -> None:
        part = self._part(session, at)
        with remote_changes(session):
            for kind in (HumanVerification, AIResult):
                for fact in session.scalars(select(kind).where(kind.session_id == part.id)):
                    session.delete(fact)
            session.flush()
            session.delete(part)
            session.flush()
        self.parts.remove(part.id)

    def _fail(self, session: Any, at: int) -> None:
        nested = session.begin_nested()
        part = self._part(session, at)
        part.status = SessionStatus.COMPLETED
        session.flush()
        nested.rollback()


def empty(context: ServerContext) -> None:
    with context.database.engine.begin() as connection:
        for kind in (HumanVerification, AIResult, InspectionSession, DailyCount, DailyScore, CountedSession):
            connection.execute(kind.__table__.delete())


def require_true(context: ServerContext, zone: ZoneInfo) -> None:
    assert verify(context.database, zone).different == 0
    with context.database.read() as session:
        everything = (session, Period(None, None), Scope(), QUESTIONS[0], zone)
        assert count_cells(*everything) == count_facts(*everything)
        assert are_complete(session, zone)


def require_equal(context: ServerContext, zone: ZoneInfo, site: Site) -> None:
    require_true(context, zone)
    day = MOMENTS[0].date()
    periods = [
        Period(None, None),
        Period(start_of(day, zone), start_of(day + timedelta(days=2), zone)),
        Period(MOMENTS[0], MOMENTS[1] + timedelta(hours=7)),
    ]
    scopes = [Scope(), Scope(user_id=site.users[0].id), Scope(target_id=site.targets[0].id, device_id=STATIONS[0])]
    with context.database.read() as session:
        for period in periods:
            for scope in scopes:
                for asked in QUESTIONS:
                    counted = count_cells(session, period, scope, asked, zone)
                    assert counted == count_facts(session, period, scope, asked, zone), (period, scope, asked)


def counting_by(context: ServerContext, zone: ZoneInfo) -> None:
    context.database._parts_changed = DailyCounting(zone)
    build(context.database, zone, again=True)


@pytest.mark.slow
@settings(
    max_examples=15,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(zone=st.sampled_from(ZONES), steps=st.lists(step, min_size=4, max_size=30))
def test_the_counts_are_those_of_the_facts(context: ServerContext, zone: str, steps: list[tuple[Any, ...]]) -> None:
    empty(context)
    site = Site(context)
    counting_by(context, ZoneInfo(zone))
    for name, *values in [("begin", 0, 0), ("begin", 1, 1), *steps]:
        site.take(name, *values)
    require_equal(context, ZoneInfo(zone), site)


def filled(context: ServerContext) -> Site:
    site = Site(context)
    for place in range(6):
        site.take("begin", place, place)
        site.take("result", place, place, Verdict.NG if place % 2 else Verdict.OK, 1.0 + place)
        site.take("complete", place, MOMENTS[0] + timedelta(hours=place))
    site.take("decide", 1, None, HumanVerdict.OK, ["scratch"], 1)
    return site


def test_sessions_that_were_there_before_are_counted_by_a_build(context: ServerContext) -> None:
    zone = ZoneInfo("America/New_York")
    filled(context)
    empty_counts(context)
    assert verify(context.database, zone).different > 0
    build(context.database, zone, again=True)
    require_true(context, zone)


def empty_counts(context: ServerContext) -> None:
    with context.database.engine.begin() as connection:
        for kind in (DailyCount, DailyScore, CountedSession):
            connection.execute(kind.__table__.delete())


def test_a_build_that_was_interrupted_goes_on_with_no_part_counted_twice(context: ServerContext) -> None:
    zone = ZoneInfo("UTC")
    site = filled(context)
    build(context.database, zone, again=True, stopped=lambda: True)
    site.take("decide", 0, None, HumanVerdict.NG, [], 0)
    build(context.database, zone)
    require_true(context, zone)


def test_the_counts_are_built_again_for_another_time_zone(context: ServerContext) -> None:
    filled(context)
    for name in ("UTC", "Pacific/Auckland"):
        zone = ZoneInfo(name)
        context.database._parts_changed = DailyCounting(zone)
        build(context.database, zone)
        require_true(context, zone)


def test_a_part_that_arrives_by_sync_is_counted_with_its_facts(context: ServerContext) -> None:
    zone = ZoneInfo("UTC")
    build(context.database, zone)
    site = Site(context)
    part = InspectionSession(
        device_id=STATIONS[1],
        target_id=site.targets[0].id,
        status=SessionStatus.COMPLETED,
        completed_at=MOMENTS[0],
        clock="",
    )
    with context.database.transaction() as session, remote_changes(session):
        session.add(part)
        session.flush()
    require_true(context, zone)
