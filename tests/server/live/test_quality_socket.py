"""``/ws/quality-metrics``: the present first, then what changes, as in the API document."""

from __future__ import annotations

import pytest

from models.clock import utc_now
from models.ids import new_id
from models.sessions import AIResult, InspectionSession
from models.states import SessionStatus, Severity, Verdict
from server.alerts.raising import AlertReason, raise_alert
from tests.support.live_clients import live, message, refusal
from tests.support.serving import Served, make_target

PATH = "/ws/quality-metrics"
DATA = {"current_ng_rate": 7.2, "threshold": 5.0, "time_window": "last_hour"}


def raised(served: Served) -> str:
    details = {"threshold": 5, "rate": 7.2, "inspected": 50, "minutes": 60, "where": "-"}
    with served.context.database.transaction() as session:
        alert = raise_alert(
            session, AlertReason("quality", Severity.HIGH, "alert-ng-rate", new_id(), details=details, data=DATA)
        )
        assert alert is not None
        found = alert.id
    served.context.outbox.wake()
    return found


def test_a_client_gets_the_present_figures_first(served: Served) -> None:
    with live(served, PATH, "inspector") as client:
        first = message(client)
    assert first["type"] == "quality_update"
    assert {"current_ng_count", "active_inspectors"} <= first["metrics"].keys()


def test_a_client_that_comes_late_gets_the_open_alerts(served: Served) -> None:
    alert_id = raised(served)
    with live(served, PATH) as client:
        message(client)
        known = [message(client) for _ in range(1)]
        while known[-1]["alert_id"] != alert_id:
            known.append(message(client))
    assert known[-1]["type"] == "quality_alert"


def test_an_alert_reaches_the_client_as_in_the_api_document(served: Served) -> None:
    with live(served, PATH) as client:
        message(client)
        alert_id = raised(served)
        found = message(client)
        while found.get("alert_id") != alert_id:
            found = message(client)
    assert (found["type"], found["severity"], found["data"]) == ("quality_alert", "high", DATA)
    assert found["message"] == "NG rate exceeded threshold (>5%)"


@pytest.mark.slow
def test_a_completed_part_changes_the_figures(served: Served) -> None:
    target = make_target(served)["id"]
    with live(served, PATH) as client:
        before = message(client)["metrics"]["hourly_total"]
        with served.context.database.transaction() as session:
            part = InspectionSession(
                device_id="server", target_id=target, status=SessionStatus.COMPLETED, completed_at=utc_now()
            )
            session.add(part)
            session.flush()
            session.add(AIResult(device_id="server", session_id=part.id, overall_result=Verdict.OK, confidence=1.0))
        found = message(client)
        while found["type"] != "quality_update":
            found = message(client)
    assert found["metrics"]["hourly_total"] == before + 1


def test_whoever_is_not_signed_in_is_refused(served: Served) -> None:
    assert refusal(served, PATH, "nobody") == (401, "sign-in-needed")
