"""Statistics: the numbers of the database against a count by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from models.database import Database
from models.ids import new_id
from models.sessions import AIResult, InspectionSession
from models.states import HumanVerdict, SessionStatus, Verdict
from models.targets import Target
from models.verification import HumanVerification
from server.context import ServerContext, open_context
from server.core.periods import Period
from server.core.settings import ServerSettings
from server.quality.agreement import cohen_kappa
from server.quality.service import statistics
from tests.support.serving import Served

NIGHT = datetime(2026, 3, 1, tzinfo=UTC)
BOTH = (("OK", "OK"), ("OK", "NG"), ("NG", "OK"), ("NG", "NG"))
CLASSES = ("scratch", "contamination", "キズ")

part = st.fixed_dictionaries(
    {
        "status": st.sampled_from(
            [SessionStatus.COMPLETED] * 3 + [SessionStatus.CANCELLED, SessionStatus.HUMAN_REVIEW]
        ),
        "minutes": st.integers(0, 4 * 24 * 60 - 1),
        "machine": st.sampled_from(Verdict),
        "decisions": st.lists(
            st.tuples(st.sampled_from(HumanVerdict), st.lists(st.sampled_from(CLASSES), max_size=3)), max_size=3
        ),
    }
)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[ServerContext]:
    opened = open_context(ServerSettings(data_dir=tmp_path))
    yield opened
    opened.close()


def record(database: Database, target_id: str, given_part: dict[str, Any]) -> None:
    with database.transaction() as session:
        ended = NIGHT + timedelta(minutes=given_part["minutes"], milliseconds=999)
        made = InspectionSession(
            device_id="server", target_id=target_id, status=given_part["status"], completed_at=ended
        )
        session.add(made)
        session.flush()
        machine = {"overall_result": given_part["machine"], "confidence": 0.8}
        session.add(AIResult(device_id="server", session_id=made.id, **machine))
        session.flush()
        for verdict, classes in given_part["decisions"]:
            defects = [{"class": name, "bbox": None, "severity": "major"} for name in classes]
            session.add(HumanVerification(device_id="server", session_id=made.id, verdict=verdict, defects=defects))
            session.flush()


def share(count: int, total: int) -> dict[str, Any]:
    return {"count": count, "total": total, "rate": round(100 * count / total, 2) if total else None}


def by_hand(parts: list[dict[str, Any]], first_day: int, last_day: int) -> dict[str, Any]:
    """Count in the plainest way: the last decision, else the machine."""
    verdicts: Counter[str] = Counter()
    days: dict[int, Counter[str]] = {}
    classes: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for one in parts:
        day = one["minutes"] // (24 * 60)
        if one["status"] is not SessionStatus.COMPLETED or not first_day <= day <= last_day:
            continue
        last = one["decisions"][-1] if one["decisions"] else (one["machine"], [])
        verdicts[last[0].value] += 1
        days.setdefault(day, Counter())[last[0].value] += 1
        classes.update(last[1])
        pairs[one["machine"].value, last[0].value if one["decisions"] else ""] += 1
    ok, ng, hold = verdicts["OK"], verdicts["NG"], verdicts["HOLD"]
    return {
        "summary": {
            "total_inspections": ok + ng + hold,
            "ok_count": ok,
            "ng_count": ng,
            "hold_count": hold,
            "ok_rate": round(100 * ok / (ok + ng), 2) if ok + ng else 0.0,
        },
        "daily_trends": [
            {
                "date": (NIGHT + timedelta(days=day)).date().isoformat(),
                "total": sum(counts.values()),
                "ok": counts["OK"],
                "ng": counts["NG"],
                "hold": counts["HOLD"],
            }
            for day in range(first_day, last_day + 1)
            for counts in [days.get(day, Counter())]
        ],
        "defect_analysis": dict(classes),
        "agreement": {
            "agreed": share(pairs["OK", "OK"] + pairs["NG", "NG"], sum(pairs[pair] for pair in BOTH)),
            "escapes": share(pairs["OK", "NG"], pairs["OK", "NG"] + pairs["NG", "NG"]),
            "overkill": share(pairs["NG", "OK"], pairs["NG", "OK"] + pairs["OK", "OK"]),
            "kappa": cohen_kappa(*(pairs[pair] for pair in BOTH)),
        },
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(part, max_size=8), bounds=st.tuples(st.integers(0, 3), st.integers(0, 3)))
def test_the_numbers_are_those_counted_by_hand(
    context: ServerContext, parts: list[dict[str, Any]], bounds: tuple[int, int]
) -> None:
    first, last = min(bounds), max(bounds)
    with context.database.engine.begin() as connection:
        for kind in (HumanVerification, AIResult, InspectionSession):
            connection.execute(kind.__table__.delete())
    target = Target(code=new_id(), name="T")
    with context.database.transaction() as session:
        session.add(target)
    for one in parts:
        record(context.database, target.id, one)
    period = Period(NIGHT + timedelta(days=first), NIGHT + timedelta(days=last + 1))
    assert statistics(context, period).model_dump(mode="json") == by_hand(parts, first, last)


def test_a_day_is_taken_whole_unlike_a_time(served: Served) -> None:
    target = Target(code=new_id(), name="T")
    with served.context.database.transaction() as session:
        session.add(target)
    late = {"status": SessionStatus.COMPLETED, "machine": Verdict.OK, "decisions": [], "minutes": 24 * 60 - 1}
    record(served.context.database, target.id, late)

    def total(start: str, end: str) -> int:
        query = {"start_date": start, "end_date": end, "target_id": target.id}
        answer = served["device"].get("/inspection/statistics", params=query)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["summary"]["total_inspections"])

    assert total("2026-03-01", "2026-03-01") == 1
    assert total("2026-03-02", "2026-03-02") == 0
    assert total("2026-03-01T23:59:00Z", "2026-03-01T23:59:59Z") == 1
    assert total("2026-03-02T08:58:00+09:00", "2026-03-02T08:59:00+09:00") == 0
    assert total("0001-01-01", "9999-12-31") == 1
    assert served["device"].get("/inspection/statistics?start_date=yesterday").status_code == 400


@pytest.mark.parametrize(("asked", "counted"), [("server", 2), ("0197c000-0000-7000-8000-00000000dede", 0), (None, 2)])
def test_statistics_count_the_parts_of_the_station_asked_for(served: Served, asked: str | None, counted: int) -> None:
    target = Target(code=new_id(), name="T")
    with served.context.database.transaction() as session:
        session.add(target)
    done = {"status": SessionStatus.COMPLETED, "machine": Verdict.OK, "decisions": [], "minutes": 0}
    for _ in range(2):
        record(served.context.database, target.id, done)
    query = {"target_id": target.id, **({"device_id": asked} if asked else {})}
    answer = served["device"].get("/inspection/statistics", params=query)
    assert answer.json()["summary"]["total_inspections"] == counted


def test_the_answer_counts_100_000_sessions(context: ServerContext) -> None:
    target = Target(code="many", name="T")
    with context.database.transaction() as session:
        session.add(target)
    count, verdicts = 100_000, ("OK", "OK", "OK", "NG", "HOLD")
    common = {"device_id": "server", "clock": "", "extra": {}, "created_at": NIGHT}
    sessions, decisions = [], []
    for number in range(count):
        session_id = f"00000000-0000-7000-8000-{number:012d}"
        verdict = verdicts[number % 5]
        sessions.append(
            {
                **common,
                "id": session_id,
                "target_id": target.id,
                "lot": "",
                "serial_number": "",
                "status": "COMPLETED",
                "completed_at": NIGHT + timedelta(minutes=number % (30 * 24 * 60)),
                "effective_verdict": verdict,
            }
        )
        if number % 5 == 3:
            defects = [{"class": CLASSES[number % 3]}]
            row = {"session_id": session_id, "username": "", "verdict": "NG", "comment": ""}
            decisions.append({**common, **row, "id": f"{number:036d}", "defects": defects})
    with context.database.engine.begin() as connection:
        connection.execute(insert(InspectionSession.__table__), sessions)
        connection.execute(insert(HumanVerification.__table__), decisions)
    found = statistics(context, Period(None, None))
    assert found.summary.model_dump() == {
        "total_inspections": count,
        "ok_count": 60_000,
        "ng_count": 20_000,
        "hold_count": 20_000,
        "ok_rate": 75.0,
    }
    assert sum(found.defect_analysis.values()) == 20_000
