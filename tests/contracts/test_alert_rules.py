"""Alert rules on each engine: what they find, when they take it back, and that they are evaluated once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models.alerts import Alert, AlertDelivery, AlertRule, LineStop
from models.clock import utc_now
from models.devices import Device
from models.ids import new_id
from models.sessions import AIResult, InspectionSession
from models.states import AlertRuleKind, DeviceStatus, SessionStatus, Verdict
from models.statistics import DailyScore
from models.targets import InspectionItem, Target
from server.context import ServerContext
from server.core.site_time import day_of
from server.daily_counts.rebuilding import build
from server.monitoring.defaults import make_default_rules
from server.monitoring.evaluation import evaluate, take_turn
from server.monitoring.schemas import RuleParameters

NOW = utc_now().replace(microsecond=0)


def add_rule(context: ServerContext, kind: AlertRuleKind = AlertRuleKind.NG_RATE, **values: Any) -> str:
    given = values.pop("parameters", {"threshold": 5.0, "clear_threshold": 4.0, "min_count": 20})
    parameters = RuleParameters(**given).model_dump(mode="json")
    with context.database.local_transaction() as session:
        rule = AlertRule(name="R", rule_kind=kind, parameters=parameters, **values)
        session.add(rule)
        return rule.id


@pytest.fixture
def target_id(context: ServerContext) -> str:
    with context.database.transaction() as session:
        target = Target(code=new_id(), name="Plate")
        session.add(target)
        return target.id


def complete(
    context: ServerContext, target_id: str, ok: int, ng: int, at: datetime = NOW, device_id: str = "server"
) -> None:
    """Complete parts within a minute before ``at``, the NG ones last."""
    with context.database.transaction() as session:
        for place, verdict in enumerate([Verdict.OK] * ok + [Verdict.NG] * ng):
            moment = at - timedelta(seconds=30) + timedelta(milliseconds=100 * place)
            part = InspectionSession(
                device_id=device_id, target_id=target_id, status=SessionStatus.COMPLETED, completed_at=moment
            )
            session.add(part)
            session.flush()
            session.add(AIResult(device_id=device_id, session_id=part.id, overall_result=verdict, confidence=1.0))


def alerts(context: ServerContext) -> list[Alert]:
    with context.database.read() as session:
        return list(session.scalars(select(Alert).order_by(Alert.id)))


def is_open(context: ServerContext) -> list[bool]:
    return [alert.open_key is not None for alert in alerts(context)]


def test_an_ng_rate_above_the_threshold_raises_one_alert(context: ServerContext, target_id: str) -> None:
    add_rule(context)
    complete(context, target_id, ok=18, ng=2)
    for _ in range(2):
        evaluate(context, NOW)
    (alert,) = alerts(context)
    assert alert.data == {"current_ng_rate": 10.0, "threshold": 5.0, "time_window": "last_hour"}


@pytest.mark.parametrize(("ok", "ng"), [(17, 2), (19, 1)])
def test_few_parts_or_a_rate_at_the_threshold_raise_none(
    context: ServerContext, target_id: str, ok: int, ng: int
) -> None:
    add_rule(context)
    complete(context, target_id, ok, ng)
    evaluate(context, NOW)
    assert alerts(context) == []


def test_an_alert_is_cleared_at_its_lower_threshold_alone(context: ServerContext, target_id: str) -> None:
    add_rule(context)
    complete(context, target_id, ok=18, ng=2)
    evaluate(context, NOW)
    complete(context, target_id, ok=25, ng=0)
    evaluate(context, NOW)  # 2 of 45: 4.4 %
    assert is_open(context) == [True]
    complete(context, target_id, ok=5, ng=0)
    evaluate(context, NOW)  # 2 of 50: 4 %
    assert is_open(context) == [False]


def test_a_rule_of_a_station_looks_at_its_parts_alone(context: ServerContext, target_id: str) -> None:
    station = new_id()
    add_rule(context, device_id=station, line_stop=True)
    complete(context, target_id, ok=0, ng=20)
    evaluate(context, NOW)
    assert alerts(context) == []
    complete(context, target_id, ok=0, ng=20, device_id=station)
    evaluate(context, NOW)
    with context.database.read() as session:
        assert [stop.device_id for stop in session.scalars(select(LineStop))] == [station]


def test_a_rule_for_each_station_stops_the_one_that_is_bad(context: ServerContext, target_id: str) -> None:
    good, bad = sorted([new_id(), new_id()])
    add_rule(context, line_stop=True, parameters={"threshold": 5.0, "per_station": True})
    complete(context, target_id, ok=20, ng=0, device_id=good)
    complete(context, target_id, ok=10, ng=10, device_id=bad)
    evaluate(context, NOW)
    with context.database.read() as session:
        assert [stop.device_id for stop in session.scalars(select(LineStop))] == [bad]


def test_a_run_of_ng_raises_until_a_part_is_ok(context: ServerContext, target_id: str) -> None:
    add_rule(context, AlertRuleKind.NG_RUN, parameters={"threshold": 3})
    complete(context, target_id, ok=1, ng=2)
    evaluate(context, NOW)
    assert alerts(context) == []
    complete(context, target_id, ok=0, ng=1, at=NOW + timedelta(seconds=40))
    evaluate(context, NOW + timedelta(minutes=1))
    assert is_open(context) == [True]
    complete(context, target_id, ok=1, ng=0, at=NOW + timedelta(seconds=80))
    evaluate(context, NOW + timedelta(minutes=2))
    assert is_open(context) == [False]


def silent_station(context: ServerContext) -> Device:
    """A station that has been silent for longer than a rule allows, after an evaluation."""
    add_rule(context, AlertRuleKind.STATION_SILENT, parameters={"threshold": 15})
    with context.database.local_transaction() as session:
        device = Device(name="Line 1", credential_digest="0" * 64, last_seen_at=NOW - timedelta(minutes=20))
        session.add(device)
    evaluate(context, NOW)
    return device


def test_a_silent_station_raises_until_it_is_heard_of(context: ServerContext) -> None:
    device = silent_station(context)
    assert [alert.subject for alert in alerts(context)] == [device.id]
    with context.database.local_transaction() as session:
        session.get_one(Device, device.id).last_seen_at = NOW
    evaluate(context, NOW)
    assert is_open(context) == [False]


def test_scores_that_move_from_those_of_the_week_raise_an_alert(context: ServerContext, target_id: str) -> None:
    add_rule(context, AlertRuleKind.SCORE_DRIFT, parameters={"threshold": 1.0, "min_count": 10})
    with context.database.transaction() as session:
        item = InspectionItem(target_id=target_id, name="Surface")
        session.add(item)
    zone = context.settings.zone
    build(context.database, zone)

    def keep(days: int, scores: list[int]) -> None:
        day = (day_of(NOW, zone) - timedelta(days=days)).isoformat()
        sums = {"total": len(scores), "score_sum": sum(scores), "square_sum": sum(one * one for one in scores)}
        with context.database.local_transaction() as session:
            session.add(DailyScore(day=day, item_id=item.id, device_id="server", **sums))

    keep(3, [480, 520] * 10)  # mean 500, standard deviation 20.5
    keep(0, [510] * 10)
    evaluate(context, NOW)
    assert alerts(context) == []
    with context.database.local_transaction() as session:
        today = session.get_one(DailyScore, (day_of(NOW, zone).isoformat(), item.id, "server"))
        today.score_sum, today.square_sum = 10 * 540, 10 * 540 * 540
    evaluate(context, NOW)
    (alert,) = alerts(context)
    assert (alert.data["shift"], alert.details["where"]) == (1.95, "Surface")


def test_a_silenced_rule_records_its_alert_with_no_delivery(context: ServerContext, target_id: str) -> None:
    until = NOW + timedelta(hours=1)
    add_rule(context, mail=["qa@example.com"], line_stop=True, silenced_until=until)
    complete(context, target_id, ok=0, ng=20)
    evaluate(context, NOW)
    assert [alert.silenced for alert in alerts(context)] == [True]
    with context.database.read() as session:
        assert session.scalars(select(AlertDelivery)).all() == []
        assert session.scalars(select(LineStop)).all() == []


def test_the_alert_of_a_rule_that_is_switched_off_is_cleared(context: ServerContext, target_id: str) -> None:
    rule_id = add_rule(context)
    complete(context, target_id, ok=0, ng=20)
    evaluate(context, NOW)
    with context.database.local_transaction() as session:
        session.get_one(AlertRule, rule_id).enabled = False
    evaluate(context, NOW)
    assert is_open(context) == [False]


def test_the_alert_of_a_silent_station_that_is_disabled_is_cleared(context: ServerContext) -> None:
    device = silent_station(context)
    assert is_open(context) == [True]
    with context.database.local_transaction() as session:
        session.get_one(Device, device.id).status = DeviceStatus.DISABLED
    evaluate(context, NOW)
    assert is_open(context) == [False]


def test_an_alert_of_a_rule_that_is_for_each_station_now_is_cleared(context: ServerContext, target_id: str) -> None:
    rule_id = add_rule(context)
    complete(context, target_id, ok=0, ng=20, device_id=new_id())
    evaluate(context, NOW)
    with context.database.local_transaction() as session:
        rule = session.get_one(AlertRule, rule_id)
        rule.parameters = {**rule.parameters, "per_station": True}
    evaluate(context, NOW)
    assert is_open(context) == [False, True]


def test_the_ng_rate_of_a_station_that_stands_idle_is_cleared_as_that_of_all(
    context: ServerContext, target_id: str
) -> None:
    add_rule(context)
    add_rule(context, parameters={"threshold": 5.0, "per_station": True})
    complete(context, target_id, ok=0, ng=20, device_id=new_id())
    evaluate(context, NOW)
    assert is_open(context) == [True, True]
    evaluate(context, NOW + timedelta(hours=2))
    assert is_open(context) == [False, False]


def test_a_run_of_ng_before_an_idle_day_is_cleared_of_all_as_of_each_station(
    context: ServerContext, target_id: str
) -> None:
    for per_station in (False, True):
        add_rule(context, AlertRuleKind.NG_RUN, parameters={"threshold": 3, "per_station": per_station})
    complete(context, target_id, ok=0, ng=3, device_id=new_id())
    evaluate(context, NOW)
    assert is_open(context) == [True, True]
    evaluate(context, NOW + timedelta(days=2))
    assert is_open(context) == [False, False]


def test_one_of_several_processes_evaluates_in_a_period(context: ServerContext) -> None:
    assert [take_turn(context.database, 3_600) for _ in range(3)] == [True, False, False]


def test_the_default_rule_is_made_once_in_the_life_of_a_store(context: ServerContext) -> None:
    for _ in range(2):
        with context.database.local_transaction() as session:
            make_default_rules(session)
            for rule in session.scalars(select(AlertRule)):
                assert rule.parameters["threshold"] == 5.0
                assert rule.parameters["window_minutes"] == 60
                session.delete(rule)
    with context.database.read() as session:
        assert session.scalars(select(AlertRule)).all() == []
