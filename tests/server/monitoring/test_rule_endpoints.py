"""Alert rules over REST: made, changed with their ETag, silenced, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from models.alerts import AlertRule
from models.ids import new_id
from tests.support.serving import Served, make_target

RULES = "/inspection/quality/alert-rules"


def body(**values: Any) -> dict[str, Any]:
    return {"name": f"R {new_id()}", "rule_kind": "ng_rate", "parameters": {"threshold": 5.0}, **values}


def made(served: Served, **values: Any) -> dict[str, Any]:
    answer = served["supervisor"].post(RULES, json=body(enabled=False, **values))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["type"]).rpartition("/")[2]


def test_a_server_begins_with_the_rule_of_the_api_document(served: Served) -> None:
    rules = served["supervisor"].get(RULES, params={"search": "5 % in the last hour"}).json()["items"]
    assert [(rule["rule_kind"], rule["parameters"]["threshold"]) for rule in rules] == [("ng_rate", 5.0)]


def test_a_rule_is_found_in_any_width_of_its_name(served: Served) -> None:
    rule = made(served, name=f"ＮＧ率 {new_id()}")
    found = served["supervisor"].get(RULES, params={"search": "ng率", "page_size": 500}).json()["items"]
    assert rule["id"] in [one["id"] for one in found]


def test_the_same_rule_sent_twice_is_made_once(served: Served) -> None:
    given = body(id=new_id(), enabled=False)
    assert [served["supervisor"].post(RULES, json=given).status_code for _ in range(2)] == [201, 200]
    assert code_of(served["supervisor"].post(RULES, json={**given, "line_stop": True})) == (409, "id-taken")


def test_a_rule_is_changed_by_whoever_knows_its_present_state(served: Served) -> None:
    rule = made(served)
    path = f"{RULES}/{rule['id']}"
    tag = served["admin"].get(path).headers["ETag"]
    changed = served["admin"].put(path, json={"severity": "low"}, headers={"If-Match": tag})
    assert (changed.json()["severity"], changed.json()["updated_by"]) == ("low", "admin")
    assert served["admin"].put(path, json={"severity": "high"}, headers={"If-Match": tag}).status_code == 412


def test_a_rule_about_a_deleted_target_can_be_switched_off(served: Served) -> None:
    target = make_target(served)
    rule = made(served, target_id=target["id"])
    assert served["supervisor"].delete(f"/inspection/targets/{target['id']}").status_code == 204
    answer = served["supervisor"].put(f"{RULES}/{rule['id']}", json={**rule, "enabled": False, "severity": "low"})
    assert (answer.status_code, answer.json()["severity"]) == (200, "low")


def test_a_rule_can_be_sent_back_as_it_was_read(served: Served) -> None:
    rule = made(served, mail=["qa@example.com"])
    answer = served["supervisor"].put(f"{RULES}/{rule['id']}", json=rule)
    assert (answer.status_code, answer.json()) == (200, rule)


def test_what_a_rule_watches_for_stays(served: Served) -> None:
    rule = made(served)
    answer = served["supervisor"].put(f"{RULES}/{rule['id']}", json={"rule_kind": "ng_run"})
    assert code_of(answer) == (409, "member-read-only")


def test_a_rule_is_silenced_up_to_a_time(served: Served) -> None:
    rule = made(served)
    until = "2099-12-31T00:00:00.000Z"
    answer = served["supervisor"].post(f"{RULES}/{rule['id']}/silence", json={"until": until})
    assert answer.json()["silenced_until"] == until


def test_a_deleted_rule_is_gone(served: Served) -> None:
    rule = made(served)
    assert served["supervisor"].delete(f"{RULES}/{rule['id']}").status_code == 204
    assert code_of(served["supervisor"].get(f"{RULES}/{rule['id']}")) == (404, "alert-rule-unknown")


@pytest.mark.parametrize(
    "wrong",
    [
        {"mail": ["qa@example.com\r\nBcc: all@example.com"]},
        {"mail": ["nobody"]},
        {"webhooks": ["file:///etc/passwd"]},
        {"webhooks": ["https://user:secret@example.com/"]},
        {"parameters": {"threshold": 0}},
        {"parameters": {"threshold": 5.0, "window_minutes": 0}},
        {"parameters": {"threshold": 100.0}},
        {"rule_kind": "ng_run", "parameters": {"threshold": 2.5}},
        {"rule_kind": "moon"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(served: Served, wrong: dict[str, Any]) -> None:
    assert code_of(served["supervisor"].post(RULES, json=body(**wrong))) == (400, "validation-error")


INTERNAL = ["https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://[::1]/", "http://192.0.2.1/"]


@pytest.mark.parametrize("url", INTERNAL)
def test_a_webhook_to_an_address_that_is_never_called_is_refused(served: Served, url: str) -> None:
    answer = served["supervisor"].post(RULES, json=body(webhooks=["https://example.com/", url]))
    assert code_of(answer) == (400, "validation-error")
    assert [one["field"] for one in answer.json()["validation_errors"]] == ["webhooks.1"]


def test_a_change_to_a_webhook_that_is_never_called_is_refused(served: Served) -> None:
    rule = made(served)
    answer = served["supervisor"].put(f"{RULES}/{rule['id']}", json={"webhooks": INTERNAL[:1]})
    assert code_of(answer) == (400, "validation-error")


@pytest.mark.parametrize("url", ["https://localhost/", "https://8.8.8.8/", "http://example.com/"])
def test_a_webhook_that_may_be_called_later_is_accepted(served: Served, url: str) -> None:
    assert served["supervisor"].post(RULES, json=body(webhooks=[url])).json()["webhooks"] == [url]


def test_a_rule_keeps_a_webhook_that_was_allowed_when_it_was_made(served: Served) -> None:
    rule = made(served)
    with served.context.database.local_transaction() as session:
        session.get_one(AlertRule, rule["id"]).webhooks = INTERNAL[:1]
    changed = served["supervisor"].put(f"{RULES}/{rule['id']}", json={"enabled": False, "webhooks": INTERNAL[:1]})
    assert changed.json()["enabled"] is False


def test_a_threshold_that_no_rate_reaches_is_refused_at_a_change_too(served: Served) -> None:
    made = served["supervisor"].post(RULES, json=body()).json()
    answer = served["supervisor"].put(f"{RULES}/{made['id']}", json={"parameters": {"threshold": 120}})
    assert (code_of(answer), answer.json()["validation_errors"][0]["field"]) == (
        (400, "validation-error"),
        "parameters.threshold",
    )


@pytest.mark.parametrize(
    ("member", "code"),
    [("target_id", "target-not-found"), ("item_id", "item-not-found"), ("device_id", "device-unknown")],
)
def test_a_rule_watches_what_is_there(served: Served, member: str, code: str) -> None:
    assert code_of(served["supervisor"].post(RULES, json=body(**{member: new_id()}))) == (404, code)
    rule = served["supervisor"].post(RULES, json=body()).json()
    assert code_of(served["supervisor"].put(f"{RULES}/{rule['id']}", json={member: new_id()})) == (404, code)


def test_a_rule_watches_what_the_server_inspects_by_itself(served: Served) -> None:
    assert served["supervisor"].post(RULES, json=body(device_id="server")).status_code == 201


def test_a_rule_of_whole_parts_names_no_item(served: Served) -> None:
    given = body(rule_kind="ng_run", item_id=new_id())
    assert code_of(served["supervisor"].post(RULES, json=given)) == (400, "alert-rule-without-items")


@pytest.mark.parametrize("kind", ["score_drift", "station_silent"])
def test_a_rule_of_all_targets_names_none(served: Served, kind: str) -> None:
    given = body(rule_kind=kind, target_id=new_id())
    assert code_of(served["supervisor"].post(RULES, json=given)) == (400, "alert-rule-without-targets")
