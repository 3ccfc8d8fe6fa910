"""Breakdowns, trends, Pareto and the figures of the last hour over REST."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models.clock import utc_now
from models.ids import new_id
from models.sessions import AIResult, InspectionSession
from models.states import HumanVerdict, SessionStatus, Verdict
from models.verification import HumanVerification
from tests.support.serving import Served, make_item

QUALITY = "/inspection/quality"


def inspected(
    served: Served, item: dict[str, Any], machine: Verdict, person: HumanVerdict | None, days: int = 0
) -> None:
    """Complete a part some days ago."""
    with served.context.database.transaction() as session:
        part = InspectionSession(
            device_id="server",
            target_id=item["target_id"],
            status=SessionStatus.COMPLETED,
            completed_at=utc_now() - timedelta(days=days),
        )
        session.add(part)
        session.flush()
        about = {"device_id": "server", "session_id": part.id, "item_id": item["id"]}
        session.add(AIResult(**about, overall_result=machine, confidence=0.9))
        if person is not None:
            session.add(HumanVerification(**about, verdict=person, defects=[{"class": "scratch"}]))


@pytest.fixture(scope="module")
def item(served: Served) -> dict[str, Any]:
    """An item with four parts: an agreed OK and NG, an escape, and one yesterday that nobody looked at."""
    made = make_item(served)
    inspected(served, made, Verdict.OK, HumanVerdict.OK)
    inspected(served, made, Verdict.NG, HumanVerdict.NG)
    inspected(served, made, Verdict.OK, HumanVerdict.NG)
    inspected(served, made, Verdict.OK, None, days=2)
    return made


def asked(served: Served, path: str, item: dict[str, Any], **query: Any) -> dict[str, Any]:
    answer = served["inspector"].get(path, params={"target_id": item["target_id"], **query})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("by", ["target", "item", "station", "user"])
def test_each_group_has_counts_with_their_denominators(served: Served, item: dict[str, Any], by: str) -> None:
    (group,) = asked(served, "/inspection/statistics/breakdown", item, by=by)["groups"]
    assert (group["total"], group["ok"], group["ng"], group["ok_rate"]) == (4, 2, 2, 50.0)
    assert group["agreement"]["escapes"] == {"count": 1, "total": 2, "rate": 50.0}


def test_a_group_carries_the_name_of_its_record(served: Served, item: dict[str, Any]) -> None:
    (group,) = asked(served, "/inspection/statistics/breakdown", item, by="item")["groups"]
    assert (group["key"], group["name"]) == (item["id"], item["name"])


def test_classes_count_marked_defects(served: Served, item: dict[str, Any]) -> None:
    (group,) = asked(served, "/inspection/statistics/breakdown", item, by="class")["groups"]
    assert (group["key"], group["total"], group["agreement"]) == ("scratch", 3, None)


def test_trends_name_the_days_without_inspections(served: Served, item: dict[str, Any]) -> None:
    found = asked(served, f"{QUALITY}/trends", item)
    assert [(point["inspected"], point["ng"]) for point in found["points"]] == [(1, 0), (3, 2)]
    assert (found["centre_line"], len(found["empty_days"])) == (0.5, 28)


def test_the_pareto_cumulates_to_the_whole(served: Served, item: dict[str, Any]) -> None:
    found = asked(served, f"{QUALITY}/pareto", item, by="station")
    assert found["entries"] == [{"key": "server", "name": "", "count": 2, "share": 100.0, "cumulative": 100.0}]


def test_the_last_hour_is_counted_as_in_the_api_document(served: Served) -> None:
    item = make_item(served)
    before = served["inspector"].get(f"{QUALITY}/realtime").json()["metrics"]
    inspected(served, item, Verdict.NG, None)
    after = served["inspector"].get(f"{QUALITY}/realtime").json()["metrics"]
    assert after["current_ng_count"] == before["current_ng_count"] + 1
    assert after["hourly_total"] == before["hourly_total"] + 1
    assert {"hourly_ok_rate", "current_ng_count", "active_inspectors"} <= after.keys()


def test_a_breakdown_by_what_nobody_knows_is_refused(served: Served) -> None:
    assert served["inspector"].get("/inspection/statistics/breakdown", params={"by": new_id()}).status_code == 400
