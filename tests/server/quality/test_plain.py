"""The work of counting from the facts themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from models.ids import new_id
from models.sessions import AIResult, InspectionSession
from models.states import CountKind, HumanVerdict, SessionStatus, Verdict
from models.targets import InspectionItem, Target
from models.verification import HumanVerification
from server.context import ServerContext, open_context
from server.core.periods import Period
from server.core.settings import ServerSettings
from server.quality.cells import Dimension, Question, Scope
from server.quality.plain import count_facts

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
FEW, TIMES = 100, 8


@pytest.fixture
def context(tmp_path: Path) -> Iterator[ServerContext]:
    opened = open_context(ServerSettings(data_dir=tmp_path))
    yield opened
    opened.close()


def completed_parts(context: ServerContext) -> None:
    """Write parts of two lots, eight times as many of one as of the other."""
    with context.database.transaction() as session:
        target = Target(code="T", name="T")
        session.add(target)
        session.flush()
        item = InspectionItem(target_id=target.id, name="I")
        session.add(item)
    common = {"device_id": "server", "clock": "", "extra": {}, "created_at": BEGAN}
    whole = {**common, "target_id": target.id, "serial_number": "", "status": SessionStatus.COMPLETED}
    lots = ["few"] * FEW + ["many"] * FEW * TIMES
    parts = [{**whole, "id": new_id(), "lot": lot, "completed_at": moment(at)} for at, lot in enumerate(lots)]
    about = [{**common, "session_id": part["id"], "item_id": item.id} for part in parts]
    lists: dict[str, Any] = {"detections": [], "reasons": [], "steps": []}
    result = {**lists, "overall_result": Verdict.NG, "confidence": 1.0, "processing_time_ms": 1}
    decision = {"verdict": HumanVerdict.NG, "username": "", "comment": "", "defects": [{"class": "scratch"}]}
    with context.database.engine.begin() as connection:
        verdict = {"effective_verdict": HumanVerdict.NG}
        connection.execute(insert(InspectionSession), [{**part, **verdict} for part in parts])
        connection.execute(insert(AIResult), [{**one, **result, "id": new_id()} for one in about])
        connection.execute(insert(HumanVerification), [{**one, **decision, "id": new_id()} for one in about])


def moment(at: int) -> datetime:
    return BEGAN + timedelta(minutes=at)


@pytest.mark.parametrize("period", [Period(None, None), Period(BEGAN, moment(9_999))], ids=["ever", "days"])
@pytest.mark.parametrize(
    "asked",
    [
        Question(CountKind.PART, Dimension.USER),
        Question(CountKind.ITEM, Dimension.ITEM),
        Question(CountKind.DEFECT, Dimension.CLASS),
    ],
    ids=lambda asked: asked.kind,
)
def test_the_work_grows_as_the_parts_that_are_counted(context: ServerContext, asked: Question, period: Period) -> None:
    completed_parts(context)
    steps = {}
    with context.database.read() as session:
        connection: Any = session.connection().connection.driver_connection
        for lot, count in (("few", FEW), ("many", FEW * TIMES)):
            taken: list[None] = []
            connection.set_progress_handler(lambda taken=taken: taken.append(None), 100)
            cells = count_facts(session, period, Scope(lot=lot), asked, ZoneInfo("UTC"))
            assert cells.total() == count
            steps[lot] = len(taken)
        connection.set_progress_handler(None, 0)
    assert steps["many"] < 1.5 * TIMES * steps["few"]
