"""Alerts on each engine: one is open at a time, what it starts is committed with it."""

from __future__ import annotations

from sqlalchemy import select

from models.alerts import Alert, AlertDelivery, LineStop
from models.events import OutgoingEvent
from models.ids import new_id
from models.states import AlertEvent, Severity
from server.alerts.raising import AlertReason, Recipients, clear_alert, raise_alert
from server.context import ServerContext

TOLD = Recipients(mail=("qa@example.com",), webhooks=("https://example.com/hook",), line_stop=True)


def reason(**values: object) -> AlertReason:
    details = {"threshold": 5, "rate": 7.2, "inspected": 50, "minutes": 60, "where": "", **values}
    return AlertReason("quality", Severity.HIGH, "alert-ng-rate", rule_id=new_id(), details=details)


def test_an_alert_that_is_open_is_renewed_rather_than_raised_again(context: ServerContext) -> None:
    first = reason(rate=7.2)
    with context.database.transaction() as session:
        assert raise_alert(session, first, TOLD) is not None
    with context.database.transaction() as session:
        newer = AlertReason("quality", Severity.HIGH, first.code, rule_id=first.rule_id, details={"rate": 9.0})
        assert raise_alert(session, newer, TOLD) is None
    with context.database.read() as session:
        assert [alert.details for alert in session.scalars(select(Alert))] == [{"rate": 9.0}]
        assert len(session.scalars(select(AlertDelivery)).all()) == 2
        assert len(session.scalars(select(LineStop)).all()) == 1


def test_an_alert_that_was_cleared_is_raised_as_another(context: ServerContext) -> None:
    again = reason()
    for _ in range(2):
        with context.database.transaction() as session:
            assert raise_alert(session, again) is not None
        with context.database.transaction() as session:
            assert clear_alert(session, again.open_key) is not None
    with context.database.read() as session:
        assert len(session.scalars(select(Alert)).all()) == 2
        published = [event.payload for event in session.scalars(select(OutgoingEvent))]
    assert [AlertEvent.CLEARED.value in payload for payload in published] == [False, True, False, True]


def test_a_silenced_alert_is_recorded_with_no_delivery(context: ServerContext) -> None:
    with context.database.transaction() as session:
        assert raise_alert(session, reason(), TOLD, silenced=True) is not None
    with context.database.read() as session:
        assert session.scalars(select(Alert)).one().silenced
        for kind in (AlertDelivery, LineStop, OutgoingEvent):
            assert session.scalars(select(kind)).all() == []
