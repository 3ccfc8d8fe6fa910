"""The audit trail keeps the old and the new value of each field that a change makes different."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models.audit import AuditEntry
from models.ids import new_id
from server.audit import differences
from tests.support.serving import PASSWORD, Served, enrol, make_target


def newest(served: Served, subject_id: str) -> AuditEntry:
    query = select(AuditEntry).where(AuditEntry.subject_id == subject_id).order_by(AuditEntry.sequence.desc())
    with served.context.database.read() as session:
        return session.scalars(query.limit(1)).one()


def a_target(served: Served) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    made = make_target(served, name="Old")
    return made["id"], f"/inspection/targets/{made['id']}", {"name": "New"}, {"name": {"old": "Old", "new": "New"}}


def an_item(served: Served) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    url = f"/inspection/targets/{make_target(served)['id']}/items"
    made = served["admin"].post(url, json={"name": "Surface", "position": 1}).json()
    changes = {"position": {"old": 1, "new": 2}, "required": {"old": True, "new": False}}
    return made["id"], f"/inspection/items/{made['id']}", {"position": 2, "required": False}, changes


def a_user(served: Served) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    body = {"username": f"u-{new_id()}", "role": "inspector", "password": PASSWORD}
    made = served["admin"].post("/users", json=body).json()
    changes = {"role": {"old": "inspector", "new": "supervisor"}}
    return made["id"], f"/users/{made['id']}", {"role": "supervisor", "active": True}, changes


def a_station(served: Served) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    made = enrol(served, "Old")["device_id"]
    changes = {"name": {"old": "Old", "new": "New"}, "status": {"old": "active", "new": "disabled"}}
    return made, f"/devices/{made}", {"name": "New", "status": "disabled"}, changes


@pytest.mark.parametrize("make", [a_target, an_item, a_user, a_station])
def test_an_audited_change_keeps_its_old_values_beside_the_new(served: Served, make: Any) -> None:
    subject_id, path, body, changes = make(served)
    assert served["admin"].put(path, json=body).status_code == 200
    entry = newest(served, subject_id)
    assert (entry.actor, entry.detail) == ("admin", {"changes": changes, "address": "127.0.0.1"})


def test_settings_that_are_taken_back_are_kept_too(served: Served) -> None:
    device_id = enrol(served)["device_id"]
    for settings in ({"retention_days": 30}, {"sync_interval_s": 60}):
        body = {"device_id": device_id, "settings": settings}
        assert served["admin"].put("/tauri/config", json=body).status_code == 200
    query = select(AuditEntry).where(AuditEntry.action == "station-config.set").order_by(AuditEntry.sequence.desc())
    with served.context.database.read() as session:
        entry = session.scalars(query.limit(1)).one()
    assert entry.detail["changes"] == {
        "retention_days": {"old": 30, "new": None},
        "sync_interval_s": {"old": None, "new": 60},
    }


def test_a_new_password_leaves_nothing_of_itself_in_the_trail(served: Served) -> None:
    user_id, *_ = a_user(served)
    served["admin"].put(f"/users/{user_id}/password", json={"password": "another long password"})
    assert newest(served, user_id).detail == {"address": "127.0.0.1"}


def test_a_field_that_stays_is_no_difference() -> None:
    assert differences({"a": 1, "b": 2}, {"a": 1, "b": 3}) == {"b": {"old": 2, "new": 3}}


def test_a_later_verdict_is_kept_beside_the_one_before(served: Served) -> None:
    body = {"target_id": make_target(served)["id"]}
    session_id = served["inspector"].post("/inspection/sessions", json=body).json()["id"]
    url = f"/inspection/sessions/{session_id}/human-verification"
    for caller, verdict in (("inspector", "OK"), ("supervisor", "NG")):
        answer = served[caller].post(url, json={"verdict": verdict, "complete": True})
        assert answer.status_code == 201, answer.text
    changes = newest(served, session_id).detail["changes"]
    assert changes == {"effective_verdict": {"old": "OK", "new": "NG"}}


def test_a_deleted_record_leaves_its_values_in_the_trail(served: Served) -> None:
    made = make_target(served, name="Old")
    assert served["admin"].delete(f"/inspection/targets/{made['id']}").status_code == 204
    changes = newest(served, made["id"]).detail["changes"]
    assert changes["code"] == {"old": made["code"], "new": None}


def test_an_item_deleted_along_with_its_target_has_an_entry_of_its_own(served: Served) -> None:
    target = make_target(served)
    item = served["admin"].post(f"/inspection/targets/{target['id']}/items", json={"name": "Surface"}).json()
    assert served["admin"].delete(f"/inspection/targets/{target['id']}").status_code == 204
    entry = newest(served, item["id"])
    assert (entry.action, entry.actor, entry.subject) == ("item.deleted", "admin", "item")
    assert entry.detail["changes"]["name"] == {"old": "Surface", "new": None}


def test_a_new_key_leaves_its_role_in_the_trail(served: Served) -> None:
    made = served["admin"].post("/api-keys", json={"name": "MES", "role": "integrator"}).json()
    detail = newest(served, made["id"]).detail
    assert detail["changes"]["role"] == {"old": None, "new": "integrator"}
    assert made["key"] not in str(detail)


def test_a_station_with_a_wrong_credential_is_in_the_trail(served: Served) -> None:
    enrolled = enrol(served)
    answer = served["anonymous"].post("/tauri/auth/device", json={**enrolled, "credential": "wrong"})
    assert answer.status_code == 401
    entry = newest(served, enrolled["device_id"])
    assert (entry.action, entry.actor, entry.detail["address"]) == ("device.refused", "anonymous", "127.0.0.1")
