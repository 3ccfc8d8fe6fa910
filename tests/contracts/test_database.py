"""What every database engine must do alike: one schema, two engines."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from models.audit import AuditEntry, append_audit, verify_audit
from models.clock import utc_now
from models.database import Database
from models.errors import Unavailable
from models.ids import new_id
from models.sessions import AIResult, InspectionSession
from models.states import HumanVerdict, Role, SessionStatus, Verdict
from models.sync import ChangeLogEntry
from models.targets import Target
from models.verification import HumanVerification
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.paging import PageQuery
from server.core.periods import Period
from server.masters.kinds import targets
from server.masters.schemas import TargetCreate
from server.quality.service import statistics

WHO = Principal(None, "contract", Role.ADMIN, None)


def test_migrating_again_changes_nothing(context: ServerContext) -> None:
    context.database.migrate()
    with context.database.read() as session:
        assert session.scalars(select(Target)).all() == []


def test_a_store_of_a_newer_version_is_left_alone(database_url: str) -> None:
    database = Database(database_url)
    database.migrate()
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unavailable) as reported:
        database.migrate()
    assert reported.value.code == "store-newer"
    database.close()


def test_values_come_back_as_they_were_written(context: ServerContext) -> None:
    tokyo = timezone(timedelta(hours=9))
    moment = datetime(2026, 2, 28, 23, 59, 59, 987_654, tzinfo=tokyo)
    target = Target(code=new_id(), name="部品 ✓ '\"\\%_", description="x" * 10_000, extra={"future": [1, {"a": None}]})
    with context.database.transaction() as session:
        session.add(target)
        session.flush()
        begun = InspectionSession(device_id="server", target_id=target.id, started_at=moment)
        session.add(begun)
    with context.database.read() as session:
        found = session.get_one(Target, target.id)
        assert (found.name, found.description, found.extra) == (target.name, target.description, target.extra)
        started = session.get_one(InspectionSession, begun.id).started_at
        assert started == datetime(2026, 2, 28, 14, 59, 59, 987_000, tzinfo=UTC)


def test_a_failed_transaction_leaves_nothing(context: ServerContext) -> None:
    with pytest.raises(RuntimeError, match="stop"), context.database.transaction() as session:  # noqa: PT012
        session.add(Target(code="never", name="N"))
        session.flush()
        raise RuntimeError("stop")
    with context.database.read() as session:
        assert session.scalars(select(Target)).all() == []
        assert session.scalars(select(ChangeLogEntry)).all() == []


def test_a_code_is_unique_among_those_not_deleted(context: ServerContext) -> None:
    with context.database.transaction() as session:
        session.add(Target(code="one", name="A", deleted_at=utc_now()))
        session.add(Target(code="one", name="B"))
    with pytest.raises(IntegrityError), context.database.transaction() as session:
        session.add(Target(code="one", name="C"))


def test_a_child_without_its_parent_is_refused(context: ServerContext) -> None:
    with pytest.raises(IntegrityError), context.database.transaction() as session:
        session.add(InspectionSession(device_id="server", target_id=new_id()))


def test_writers_at_once_leave_no_gap_between_positions(context: ServerContext) -> None:
    def write(writer: int) -> None:
        for number in range(5):
            with context.database.transaction() as session:
                session.add(Target(code=f"{writer}-{number}", name="T"))
                append_audit(session, device_id="server", actor="x", action="target.created")

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with context.database.read() as session:
        positions = session.scalars(select(ChangeLogEntry.position).order_by(ChangeLogEntry.position)).all()
        assert list(positions) == list(range(1, 21))
        assert len(session.scalars(select(AuditEntry)).all()) == 20
        assert verify_audit(session) == []


def test_lists_are_searched_alike(context: ServerContext) -> None:
    for number, name in enumerate(("Alpha 50%", "alpha_2", "ALPHA", "Beta", "ベータ")):
        body = TargetCreate(code=f"c{number}", name=name)
        targets.create(context, WHO, None, body.model_dump(exclude={"id"}))

    def names(search: str, page: int = 1, size: int = 50) -> list[str]:
        return [reply.name for reply in targets.page(context, PageQuery(page, size, search)).items]

    assert names("alpha") == ["Alpha 50%", "alpha_2", "ALPHA"]
    assert names("0%") == ["Alpha 50%"]
    assert names("a_2") == ["alpha_2"]
    assert names("ベー") == ["ベータ"]
    assert names("", page=2, size=3) == ["Beta", "ベータ"]


def test_statistics_are_the_same(context: ServerContext) -> None:
    target = Target(code="s", name="S")
    midnight = datetime(2026, 5, 2, tzinfo=UTC)
    parts = [
        (midnight - timedelta(milliseconds=1), Verdict.NG, HumanVerdict.OK, []),
        (midnight, Verdict.OK, HumanVerdict.NG, ["scratch", "scratch", "キズ"]),
        (midnight + timedelta(hours=23), Verdict.NG, None, []),
        (midnight + timedelta(days=1), Verdict.NG, HumanVerdict.HOLD, ["dent"]),
    ]
    with context.database.transaction() as session:
        session.add(target)
        session.flush()
        for ended, machine, person, classes in parts:
            made = InspectionSession(
                device_id="server", target_id=target.id, status=SessionStatus.COMPLETED, completed_at=ended
            )
            session.add(made)
            session.flush()
            session.add(AIResult(device_id="server", session_id=made.id, overall_result=machine, confidence=0.9))
            if person is not None:
                defects = [{"class": name} for name in classes]
                session.add(HumanVerification(device_id="server", session_id=made.id, verdict=person, defects=defects))
            session.flush()
    found = statistics(context, Period(None, midnight + timedelta(days=1))).model_dump(mode="json")
    assert found == {
        "summary": {"total_inspections": 3, "ok_count": 1, "ng_count": 2, "hold_count": 0, "ok_rate": 33.33},
        "daily_trends": [
            {"date": "2026-05-01", "total": 1, "ok": 1, "ng": 0, "hold": 0},
            {"date": "2026-05-02", "total": 2, "ok": 0, "ng": 2, "hold": 0},
        ],
        "defect_analysis": {"scratch": 2, "キズ": 1},
        "agreement": {
            "agreed": {"count": 0, "total": 2, "rate": 0.0},
            "escapes": {"count": 1, "total": 1, "rate": 100.0},
            "overkill": {"count": 1, "total": 1, "rate": 100.0},
            "kappa": -1.0,
        },
    }
    assert statistics(context, Period(None, None)).summary.hold_count == 1
