"""Alerts over REST: listed, read in both languages, acknowledged."""

from __future__ import annotations

from sqlalchemy import select

from models.alerts import LineStop
from models.audit import AuditEntry
from models.ids import new_id
from models.states import Severity
from server.alerts.raising import AlertReason, Recipients, raise_alert
from tests.support.serving import Served

ALERTS = "/inspection/quality/alerts"
DATA = {"current_ng_rate": 7.2, "threshold": 5.0, "time_window": "last_hour"}


def raised(served: Served, source: str = "quality", recipients: Recipients | None = None) -> str:
    details = {"threshold": 5, "rate": 7.2, "inspected": 50, "minutes": 60, "where": "-"}
    with served.context.database.transaction() as session:
        reason = AlertReason(source, Severity.HIGH, "alert-ng-rate", new_id(), details=details, data=DATA)
        alert = raise_alert(session, reason, recipients or Recipients())
        assert alert is not None
        return alert.id


def test_an_alert_reads_as_in_the_api_document(served: Served) -> None:
    alert_id = raised(served)
    found = served["inspector"].get(f"{ALERTS}/{alert_id}").json()
    assert found["message"] == "NG rate exceeded threshold (>5%)"
    assert (found["severity"], found["data"], found["is_open"]) == ("high", DATA, True)


def test_an_alert_is_read_in_the_language_of_the_reader(served: Served) -> None:
    alert_id = raised(served)
    found = served["inspector"].get(f"{ALERTS}/{alert_id}", headers={"Accept-Language": "ja"}).json()
    assert found["message"].startswith("NG率")


def test_the_list_of_alerts_is_filtered_by_source(served: Served) -> None:
    alert_id = raised(served, source="filtered")
    raised(served)
    found = served["inspector"].get(ALERTS, params={"source": "filtered", "open": True}).json()
    assert ([one["id"] for one in found["items"]], found["total_count"]) == ([alert_id], 1)


def test_an_alert_that_nobody_knows_is_404(served: Served) -> None:
    answer = served["supervisor"].post(f"{ALERTS}/{new_id()}/acknowledge")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "alert-unknown")


def test_acknowledging_releases_the_line(served: Served) -> None:
    alert_id = raised(served, recipients=Recipients(line_stop=True))
    assert served["admin"].get(f"{ALERTS}/{alert_id}").json()["line_stopped"]
    answer = served["supervisor"].post(f"{ALERTS}/{alert_id}/acknowledge").json()
    assert (answer["acknowledged_by"], answer["line_stopped"]) == ("supervisor", False)
    with served.context.database.read() as session:
        stop = session.scalars(select(LineStop).where(LineStop.alert_id == alert_id)).one()
        assert stop.released_by == "supervisor"


def test_the_first_who_acknowledges_is_kept(served: Served) -> None:
    alert_id = raised(served)
    for role in ("supervisor", "admin"):
        answer = served[role].post(f"{ALERTS}/{alert_id}/acknowledge")
        assert answer.json()["acknowledged_by"] == "supervisor"
    with served.context.database.read() as session:
        audited = session.scalars(select(AuditEntry).where(AuditEntry.subject_id == alert_id)).all()
    assert [entry.action for entry in audited] == ["alert.acknowledged"]
