"""What was done on the server, as administrators read it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from models.audit import AuditEntry, audit_digest, verify_audit
from models.ids import new_id
from tests.support.serving import PASSWORD, Served, device_token, enrol, make_target


def entries(served: Served, **query: Any) -> list[dict[str, Any]]:
    answer = served["admin"].get("/audit", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def test_a_change_is_listed_with_who_what_before_after_where(served: Served) -> None:
    target = make_target(served, name="Old")
    served["supervisor"].put(f"/inspection/targets/{target['id']}", json={"name": "New"})
    changed, made = entries(served, subject_id=target["id"])
    assert (made["action"], made["subject"]) == ("target.created", "target")
    assert (changed["actor"], changed["action"], changed["device_id"]) == ("supervisor", "target.changed", "server")
    assert changed["detail"] == {"changes": {"name": {"old": "Old", "new": "New"}}, "address": "127.0.0.1"}


def test_what_a_user_did_at_a_station_names_the_station(served: Served) -> None:
    enrolled = enrol(served)
    body = {"username": "supervisor", "password": PASSWORD, **enrolled}
    token = served["anonymous"].post("/tauri/auth/login", json=body).json()["access_token"]
    with served.client(Authorization=f"Bearer {token}") as at_station:
        made = at_station.post("/inspection/targets", json={"code": f"T-{new_id()}", "name": "P"}).json()
    (entry,) = entries(served, subject_id=made["id"])
    assert entry["detail"]["station"] == enrolled["device_id"]


def test_an_address_that_a_client_claims_is_not_taken(served: Served) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    served["anonymous"].post("/auth/login", json={"username": "nobody-here", "password": "x"}, headers=headers)
    newest = entries(served, action="auth.refused", page_size=1)[0]
    assert newest["detail"]["address"] == "127.0.0.1"


def test_a_list_is_searched_by_actor(served: Served) -> None:
    device_token(served, enrol(served))
    found = entries(served, search="device:", page_size=5)
    assert found
    assert {entry["actor"].partition(":")[0] for entry in found} == {"device"}


def test_an_entry_is_read_by_its_id(served: Served) -> None:
    newest = entries(served, page_size=1)[0]
    assert served["admin"].get(f"/audit/{newest['id']}").json() == newest
    assert served["admin"].get(f"/audit/{new_id()}").status_code == 404


def test_the_chain_holds_over_what_requests_wrote(served: Served) -> None:
    make_target(served)
    with served.context.database.read() as session:
        assert [problem for problem in verify_audit(session) if problem.device_id == "server"] == []
        query = select(AuditEntry).where(AuditEntry.device_id == "server").order_by(AuditEntry.sequence.desc())
        newest = session.scalars(query.limit(1)).one()
        assert audit_digest(newest) == newest.digest
