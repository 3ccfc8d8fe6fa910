"""Sessions over real HTTP: the states, who may, what a person decides."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from models.audit import AuditEntry
from models.ids import new_id
from models.sessions import AIResult
from models.states import SESSION_TRANSITIONS, SessionStatus, Verdict
from tests.support.serving import PASSWORD, Served, device_token, enrol, make_target

WAY = ("IN_PROGRESS", "AI_COMPLETED", "HUMAN_REVIEW", "COMPLETED")


def start(served: Served, **fields: Any) -> dict[str, Any]:
    body = {"target_id": make_target(served)["id"], **fields}
    answer = served["inspector"].post("/inspection/sessions", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def step(served: Served, session_id: str, status: str) -> int:
    return served["inspector"].put(f"/inspection/sessions/{session_id}", json={"status": status}).status_code


def machine_says(served: Served, session_id: str, verdict: Verdict) -> None:
    with served.context.database.transaction() as session:
        session.add(AIResult(device_id="server", session_id=session_id, overall_result=verdict, confidence=0.9))


def inspected(served: Served, verdict: Verdict = Verdict.NG) -> str:
    session_id = str(start(served)["id"])
    assert step(served, session_id, "IN_PROGRESS") == 200
    machine_says(served, session_id, verdict)
    assert step(served, session_id, "AI_COMPLETED") == 200
    return session_id


def bring_to(served: Served, status: SessionStatus) -> str:
    session_id = str(start(served)["id"])
    if status in {SessionStatus.FAILED, SessionStatus.CANCELLED}:
        assert step(served, session_id, status.value) == 200
        return session_id
    for passed in WAY[: WAY.index(status.value) + 1] if status is not SessionStatus.PENDING else ():
        if passed == "AI_COMPLETED":
            machine_says(served, session_id, Verdict.OK)
        assert step(served, session_id, passed) == 200
    return session_id


@pytest.mark.parametrize("present", SessionStatus)
def test_a_step_that_the_state_does_not_allow_is_409(served: Served, present: SessionStatus) -> None:
    for wanted in SessionStatus:
        if wanted is present or wanted in SESSION_TRANSITIONS[present]:
            continue
        session_id = bring_to(served, present)
        url = f"/inspection/sessions/{session_id}"
        answer = served["inspector"].put(url, json={"status": wanted.value})
        assert answer.status_code == 409, (present, wanted)
        assert served["inspector"].get(url).json()["status"] == present.value
        break
    if SessionStatus.COMPLETED not in SESSION_TRANSITIONS[present]:
        assert served["inspector"].post(f"{url}/complete").status_code == 409


def test_a_session_that_goes_the_whole_way_keeps_its_times(served: Served) -> None:
    session_id = inspected(served)
    url = f"/inspection/sessions/{session_id}"
    decided = served["inspector"].post(
        f"{url}/human-verification",
        json={
            "verdict": "OK",
            "defects": [{"class": "scratch", "bbox": {"x": 1, "y": 2, "width": 3, "height": 4}, "severity": "minor"}],
            "comment": "ホコリ",
            "seconds": 2.5,
        },
    )
    assert decided.status_code == 201, decided.text
    assert decided.json()["session"]["status"] == "HUMAN_REVIEW"
    assert decided.json()["verification"]["username"] == "inspector"
    done = served["inspector"].post(f"{url}/complete").json()
    assert (done["status"], done["effective_verdict"]) == ("COMPLETED", "OK")
    assert done["started_at"] <= done["completed_at"]
    facts = served["inspector"].get(url).json()
    assert facts["human_verifications"][0]["defects"][0]["class"] == "scratch"
    assert facts["ai_results"][0]["overall_result"] == "NG"


def test_a_decision_after_the_end_is_a_correction(served: Served) -> None:
    session_id = inspected(served)
    url = f"/inspection/sessions/{session_id}"
    assert served["inspector"].post(f"{url}/complete").json()["effective_verdict"] == "NG"
    for verdict in ("OK", "HOLD"):
        answer = served["supervisor"].post(f"{url}/human-verification", json={"verdict": verdict})
        assert answer.json()["session"]["effective_verdict"] == verdict
        assert answer.json()["session"]["status"] == "COMPLETED"
    assert len(served["inspector"].get(url).json()["human_verifications"]) == 2


@pytest.mark.parametrize("status", [SessionStatus.PENDING, SessionStatus.IN_PROGRESS])
def test_a_person_decides_without_an_ai_result(served: Served, status: SessionStatus) -> None:
    url = f"/inspection/sessions/{bring_to(served, status)}"
    answer = served["inspector"].post(f"{url}/human-verification", json={"verdict": "OK"})
    assert (answer.status_code, answer.json()["session"]["status"]) == (201, "HUMAN_REVIEW")
    assert answer.json()["session"]["started_at"] is not None
    assert served["inspector"].post(f"{url}/complete").json()["effective_verdict"] == "OK"


def test_a_verdict_by_hand_can_end_the_session_in_one_call(served: Served) -> None:
    url = f"/inspection/sessions/{start(served)['id']}/human-verification"
    answer = served["inspector"].post(url, json={"verdict": "NG", "complete": True})
    session = answer.json()["session"]
    assert (session["status"], session["effective_verdict"]) == ("COMPLETED", "NG")
    assert session["completed_at"] is not None


@pytest.mark.parametrize("status", [SessionStatus.FAILED, SessionStatus.CANCELLED])
def test_a_decision_about_a_session_without_a_result_is_409(served: Served, status: SessionStatus) -> None:
    url = f"/inspection/sessions/{bring_to(served, status)}/human-verification"
    answer = served["inspector"].post(url, json={"verdict": "OK"})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "verification-state")


def test_a_part_without_any_verdict_is_not_completed(served: Served) -> None:
    session_id = str(start(served)["id"])
    step(served, session_id, "IN_PROGRESS")
    step(served, session_id, "AI_COMPLETED")
    answer = served["inspector"].post(f"/inspection/sessions/{session_id}/complete")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "session-without-verdict")


def test_the_same_verification_twice_is_one(served: Served) -> None:
    session_id = inspected(served)
    url = f"/inspection/sessions/{session_id}/human-verification"
    body = {"id": new_id(), "verdict": "HOLD"}
    assert [served["inspector"].post(url, json=body).status_code for _ in range(2)] == [201, 200]
    assert served["inspector"].post(url, json={**body, "verdict": "OK"}).status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"verdict": "MAYBE"},
        {"verdict": "OK", "seconds": -1},
        {"verdict": "NG", "defects": [{"bbox": None}]},
        {"verdict": "NG", "defects": [{"class": "x", "bbox": {"x": 0, "y": 0, "width": -1, "height": 1}}]},
        {"verdict": "OK", "comment": "\u0000"},
    ],
)
def test_a_decision_that_makes_no_sense_is_rejected(served: Served, body: dict[str, Any]) -> None:
    session_id = inspected(served)
    answer = served["inspector"].post(f"/inspection/sessions/{session_id}/human-verification", json=body)
    assert answer.status_code == 400


@pytest.mark.parametrize("member", ["item_id", "ai_result_id"])
def test_a_decision_about_what_is_of_no_such_session_is_422(served: Served, member: str) -> None:
    url = f"/inspection/sessions/{inspected(served)}/human-verification"
    answer = served["inspector"].post(url, json={"verdict": "OK", member: new_id()})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "verification-of-another-session")


def test_a_key_of_a_machine_cannot_decide_for_a_person(served: Served) -> None:
    session_id = inspected(served)
    key = served["admin"].post("/api-keys", json={"name": "robot", "role": "inspector"}).json()["key"]
    with served.client(**{"X-API-Key": key}) as client:
        answer = client.post(f"/inspection/sessions/{session_id}/human-verification", json={"verdict": "OK"})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "person-needed")


def test_the_same_session_is_started_once(served: Served) -> None:
    body = {"id": new_id(), "target_id": make_target(served)["id"], "lot": "L", "serial_number": "S"}
    codes = [served["inspector"].post("/inspection/sessions", json=body).status_code for _ in range(2)]
    assert codes == [201, 200]
    assert served["inspector"].post("/inspection/sessions", json={**body, "lot": "M"}).status_code == 409


def test_a_session_of_an_unknown_target_or_station_is_refused(served: Served) -> None:
    assert served["inspector"].post("/inspection/sessions", json={"target_id": new_id()}).status_code == 404
    body = {"target_id": make_target(served)["id"], "device_id": new_id()}
    answer = served["supervisor"].post("/inspection/sessions", json=body)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "device-not-enrolled")


def test_a_station_changes_only_its_own_sessions(served: Served) -> None:
    mine, other = enrol(served), enrol(served)
    person = {"username": "inspector", "password": PASSWORD}
    tokens = [
        served["anonymous"].post("/tauri/auth/login", json={**person, **station}).json()["access_token"]
        for station in (mine, other)
    ]
    target_id = make_target(served)["id"]
    with (
        served.client(Authorization=f"Bearer {tokens[0]}") as here,
        served.client(Authorization=f"Bearer {tokens[1]}") as there,
    ):
        made = here.post("/inspection/sessions", json={"target_id": target_id}).json()
        assert made["device_id"] == mine["device_id"]
        foreign = {"target_id": target_id, "device_id": other["device_id"]}
        assert here.post("/inspection/sessions", json=foreign).status_code == 403
        url = f"/inspection/sessions/{made['id']}"
        assert there.put(url, json={"status": "IN_PROGRESS"}).status_code == 403
        assert here.put(url, json={"status": "IN_PROGRESS"}).status_code == 200
    with served.client(Authorization=f"Bearer {device_token(served, mine)}") as alone:
        assert alone.put(url, json={"lot": "x"}).status_code == 403
        assert alone.get(url).status_code == 200
        assert [entry["id"] for entry in alone.get("/inspection/sessions").json()["items"]] == [made["id"]]
    with served.client(Authorization=f"Bearer {device_token(served, other)}") as alone:
        assert alone.get(url).status_code == 404
        assert alone.get("/inspection/sessions").json()["total_count"] == 0


def at_station(served: Served, username: str, station: dict[str, str]) -> httpx.Client:
    person = {"username": username, "password": PASSWORD}
    token = served["anonymous"].post("/tauri/auth/login", json={**person, **station}).json()["access_token"]
    return served.client(Authorization=f"Bearer {token}")


def test_an_inspector_at_no_station_cannot_act_in_the_name_of_one(served: Served) -> None:
    station = enrol(served)
    body = {"target_id": make_target(served)["id"], "device_id": station["device_id"]}
    with at_station(served, "inspector", station) as here:
        url = f"/inspection/sessions/{here.post('/inspection/sessions', json=body).json()['id']}"
    away = served["inspector"]
    answers = [
        away.post("/inspection/sessions", json=body),
        away.put(url, json={"status": "IN_PROGRESS"}),
        away.post(f"{url}/human-verification", json={"verdict": "OK"}),
        away.post(f"{url}/complete"),
    ]
    refusals = [(answer.status_code, answer.json()["type"].rpartition("/")[2]) for answer in answers]
    assert refusals == [(403, "session-of-another-device")] * 4
    assert served["supervisor"].post("/inspection/sessions", json=body).status_code == 201


def colleague(served: Served) -> httpx.Client:
    name = f"i-{new_id()}"
    body = {"username": name, "role": "inspector", "password": PASSWORD}
    assert served["admin"].post("/users", json=body).status_code == 201
    return served.client(Authorization=f"Bearer {served.sign_in(name)['access_token']}")


@pytest.mark.parametrize("change", [{"status": "CANCELLED"}, {"status": "FAILED"}, {"lot": "other"}])
def test_an_inspector_cannot_cancel_or_relabel_a_session_of_a_colleague(served: Served, change: dict[str, str]) -> None:
    url = f"/inspection/sessions/{start(served)['id']}"
    with colleague(served) as other:
        answer = other.put(url, json=change)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "session-of-another-user")
    assert served["supervisor"].put(url, json=change).status_code == 200


def audited_changes(served: Served, subject_id: str, action: str) -> list[dict[str, Any]]:
    query = select(AuditEntry).where(AuditEntry.subject_id == subject_id, AuditEntry.action == action)
    with served.context.database.read() as session:
        return [entry.detail["changes"] for entry in session.scalars(query.order_by(AuditEntry.sequence))]


def test_after_the_end_those_in_charge_correct_the_lot(served: Served) -> None:
    session_id = start(served, lot="L1", serial_number="S1")["id"]
    url = f"/inspection/sessions/{session_id}"
    assert served["inspector"].put(url, json={"lot": "L2"}).status_code == 200
    body = {"verdict": "OK", "complete": True}
    assert served["inspector"].post(f"{url}/human-verification", json=body).status_code == 201
    refused = served["inspector"].put(url, json={"lot": "L3"})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (403, "session-has-ended")
    assert served["supervisor"].put(url, json={"lot": "L3", "serial_number": "S1"}).json()["lot"] == "L3"
    assert audited_changes(served, session_id, "session.changed") == [{"lot": {"old": "L1", "new": "L2"}}]
    assert audited_changes(served, session_id, "session.corrected") == [{"lot": {"old": "L2", "new": "L3"}}]


def test_sessions_are_listed_newest_first_under_each_filter(served: Served) -> None:
    lot = f"lot-{new_id()}"
    made = [start(served, lot=lot, serial_number=f"SN-{number}") for number in range(3)]
    step(served, made[0]["id"], "CANCELLED")

    def ids(**query: Any) -> list[str]:
        answer = served["inspector"].get("/inspection/sessions", params={"lot": lot, **query})
        assert answer.status_code == 200, answer.text
        return [entry["id"] for entry in answer.json()["items"]]

    assert ids() == [entry["id"] for entry in reversed(made)]
    assert ids(status="CANCELLED") == [made[0]["id"]]
    assert ids(serial_number="SN-1") == [made[1]["id"]]
    assert ids(search="sn-2") == [made[2]["id"]]
    assert ids(target_id=made[2]["target_id"]) == [made[2]["id"]]
    day = made[0]["created_at"][:10]
    assert len(ids(start_date=day)) == 3
    assert ids(end_date="2020-01-01") == []
