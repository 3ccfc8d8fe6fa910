"""Statistics of one item: its own verdicts, on each engine."""

from __future__ import annotations

from typing import Any

from models.ids import new_id
from models.sessions import AIResult, InspectionSession
from models.states import HumanVerdict, SessionStatus, Verdict
from models.targets import InspectionItem, Target
from models.verification import HumanVerification
from server.context import ServerContext
from server.core.periods import Period
from server.quality.cells import Scope
from server.quality.service import statistics


def test_an_item_is_counted_by_the_newest_verdict_about_it(context: ServerContext) -> None:
    target = Target(code=new_id(), name="T")
    mine, other = (InspectionItem(target_id=target.id, name=name) for name in ("mine", "other"))
    # Facts of one session each, in their order: who, the item, the verdict.
    sessions: list[tuple[list[tuple[str, InspectionItem | None, Any]], HumanVerdict | None]] = [
        ([("machine", mine, Verdict.NG), ("machine", mine, Verdict.OK)], HumanVerdict.OK),
        ([("machine", mine, Verdict.NG), ("machine", other, Verdict.OK)], HumanVerdict.NG),
        ([("machine", mine, Verdict.NG), ("person", mine, HumanVerdict.HOLD)], HumanVerdict.HOLD),
        ([("machine", mine, Verdict.NG), ("person", None, HumanVerdict.OK)], HumanVerdict.OK),
        ([("person", None, HumanVerdict.OK), ("person", mine, HumanVerdict.NG)], HumanVerdict.NG),
        ([("machine", other, Verdict.NG), ("person", None, HumanVerdict.NG)], None),
        ([("person", other, HumanVerdict.NG)], None),
    ]
    with context.database.transaction() as session:
        session.add(target)
        session.flush()
        session.add_all([mine, other])
    for facts, _ in sessions:
        with context.database.transaction() as session:
            part = InspectionSession(device_id="server", target_id=target.id, status=SessionStatus.COMPLETED)
            session.add(part)
            for who, item, verdict in facts:
                session.flush()
                common = {"device_id": "server", "session_id": part.id, "item_id": item.id if item else None}
                if who == "machine":
                    session.add(AIResult(**common, overall_result=verdict, confidence=1.0))
                else:
                    marked = [{"class": "mine" if item is mine else "elsewhere"}]
                    session.add(HumanVerification(**common, verdict=verdict, defects=marked))
    found = statistics(context, Period(None, None), Scope(item_id=mine.id))
    expected = [verdict for _, verdict in sessions if verdict is not None]
    summary = found.summary
    assert (summary.ok_count, summary.ng_count, summary.hold_count) == tuple(
        expected.count(verdict) for verdict in (HumanVerdict.OK, HumanVerdict.NG, HumanVerdict.HOLD)
    )
    assert found.defect_analysis == {"mine": 2}
