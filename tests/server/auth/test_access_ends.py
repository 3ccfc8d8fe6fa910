"""Access that ends for good: withdrawn codes, disabled stations, keys and codes whose maker lost access."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from models.audit import AuditEntry
from models.errors import NotSignedIn
from models.ids import new_id
from models.states import DeviceStatus
from server.auth.identity.passwords import Passwords
from server.auth.service import sign_in_at_station
from server.devices.schemas import DeviceUpdate
from server.devices.service import update_device
from tests.support.serving import PASSWORD, SETUP, Served, device_token, enrol

Json = dict[str, Any]
Leaver = tuple[str, httpx.Client]


def problem_code(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


def new_code(client: httpx.Client, name: str = "Line 1") -> Json:
    answer = client.post("/enrolment-codes", json={"device_name": name})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def new_key(client: httpx.Client, role: str = "integrator") -> Json:
    answer = client.post("/api-keys", json={"name": f"MES {new_id()}", "role": role})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def registration(served: Served, code: str) -> httpx.Response:
    return served["anonymous"].post("/tauri/devices/register", json={"code": code})


def audited(served: Served, action: str, subject_id: str) -> list[AuditEntry]:
    query = select(AuditEntry).where(AuditEntry.action == action, AuditEntry.subject_id == subject_id)
    with served.context.database.read() as session:
        return list(session.scalars(query))


@pytest.fixture
def leaver(served: Served) -> Iterator[tuple[str, httpx.Client]]:
    """An administrator who is about to leave: the id and a signed-in client."""
    name = f"leaver-{new_id()}"
    user = served["admin"].post("/users", json={"username": name, "role": "admin", "password": PASSWORD}).json()
    with served.client(Authorization=f"Bearer {served.sign_in(name)['access_token']}") as client:
        yield user["id"], client
    served["admin"].delete(f"/users/{user['id']}")


def test_a_code_is_listed_with_its_maker_but_without_the_code(served: Served) -> None:
    made = new_code(served["admin"], f"Line {new_id()}")
    (listed,) = served["admin"].get("/enrolment-codes", params={"search": made["device_name"]}).json()["items"]
    me = served["admin"].get("/users/me").json()["id"]
    assert (listed["id"], listed["created_by"], listed["created_by_id"]) == (made["id"], "admin", me)
    assert (listed["expires_at"], listed["used_at"], listed["withdrawn_at"]) == (made["expires_at"], None, None)
    assert made["code"] not in str(listed)


def test_a_used_code_names_the_station_that_enrolled_with_it(served: Served) -> None:
    made = new_code(served["admin"])
    device_id = registration(served, made["code"]).json()["device_id"]
    listed = served["admin"].get(f"/enrolment-codes/{made['id']}").json()
    assert (listed["device_id"], listed["used_at"] is not None) == (device_id, True)


def test_a_withdrawn_code_enrols_no_station(served: Served) -> None:
    made = new_code(served["admin"])
    assert served["admin"].delete(f"/enrolment-codes/{made['id']}").status_code == 204
    assert problem_code(registration(served, made["code"])) == "enrolment-code-wrong"
    assert served["admin"].get(f"/enrolment-codes/{made['id']}").json()["withdrawn_at"] is not None


def test_withdrawing_a_code_twice_is_audited_once(served: Served) -> None:
    made = new_code(served["admin"])
    answers = [served["admin"].delete(f"/enrolment-codes/{made['id']}").status_code for _ in range(2)]
    assert answers == [204, 204]
    (entry,) = audited(served, "enrolment-code.withdrawn", made["id"])
    assert (entry.actor, entry.detail["device_name"]) == ("admin", "Line 1")


def test_a_used_code_cannot_be_withdrawn(served: Served) -> None:
    made = new_code(served["admin"])
    assert registration(served, made["code"]).status_code == 201
    answer = served["admin"].delete(f"/enrolment-codes/{made['id']}")
    assert (answer.status_code, problem_code(answer)) == (409, "enrolment-code-used")


def test_an_unknown_code_cannot_be_withdrawn(served: Served) -> None:
    answer = served["admin"].delete(f"/enrolment-codes/{new_id()}")
    assert (answer.status_code, problem_code(answer)) == (404, "enrolment-code-unknown")


def disable_and_enable(served: Served, device_id: str) -> None:
    for status in ("disabled", "active"):
        assert served["admin"].put(f"/devices/{device_id}", json={"status": status}).status_code == 200


def test_a_station_that_is_enabled_again_does_not_revive_its_token(served: Served) -> None:
    enrolled = enrol(served)
    token = device_token(served, enrolled)
    disable_and_enable(served, enrolled["device_id"])
    with served.client(Authorization=f"Bearer {token}") as client:
        assert problem_code(client.get("/tauri/config")) == "token-invalid"


def test_a_station_that_is_enabled_again_can_sign_in(served: Served) -> None:
    enrolled = enrol(served)
    disable_and_enable(served, enrolled["device_id"])
    with served.client(Authorization=f"Bearer {device_token(served, enrolled)}") as client:
        assert client.get("/tauri/config").status_code == 200


def test_a_station_that_is_enabled_again_does_not_revive_its_users_tokens(served: Served) -> None:
    enrolled = enrol(served)
    person = {"username": "inspector", "password": PASSWORD, **enrolled}
    pair = served["anonymous"].post("/tauri/auth/login", json=person).json()
    disable_and_enable(served, enrolled["device_id"])
    with served.client(Authorization=f"Bearer {pair['access_token']}") as client:
        assert problem_code(client.get("/users/me")) == "token-invalid"
        refreshed = client.post("/auth/refresh", json={"refresh_token": pair["refresh_token"]})
        assert problem_code(refreshed) == "token-invalid"


def test_renaming_a_station_keeps_its_tokens(served: Served) -> None:
    enrolled = enrol(served)
    token = device_token(served, enrolled)
    body = {"name": "Line 9", "status": "active"}
    assert served["admin"].put(f"/devices/{enrolled['device_id']}", json=body).status_code == 200
    with served.client(Authorization=f"Bearer {token}") as client:
        assert client.get("/tauri/config").status_code == 200


def test_a_sign_in_under_way_does_not_outlive_its_station(served: Served) -> None:
    enrolled = enrol(served)

    class Slow(Passwords):
        def matches(self, password: str, digest: str | None) -> bool:
            for status in (DeviceStatus.DISABLED, DeviceStatus.ACTIVE):
                update_device(served.context, SETUP, enrolled["device_id"], DeviceUpdate(status=status))
            return super().matches(password, digest)

    with pytest.raises(NotSignedIn):
        sign_in_at_station(replace(served.context, passwords=Slow(8)), "inspector", PASSWORD, "-", **enrolled)


def test_a_key_names_its_maker(served: Served) -> None:
    made = new_key(served["admin"])
    me = served["admin"].get("/users/me").json()["id"]
    (listed,) = served["admin"].get("/api-keys", params={"search": made["name"]}).json()["items"]
    assert (listed["created_by"], listed["created_by_id"]) == ("admin", me)


@pytest.mark.parametrize(
    "change", [{"active": False}, {"role": "supervisor"}, None], ids=["disabled", "demoted", "deleted"]
)
def test_a_key_stops_at_once_with_the_access_of_its_maker(served: Served, leaver: Leaver, change: Json | None) -> None:
    maker_id, maker = leaver
    made = new_key(maker)
    with served.client(**{"X-API-Key": made["key"]}) as machine:
        assert machine.get("/inspection/targets").status_code == 200
        url = f"/users/{maker_id}"
        answer = served["admin"].delete(url) if change is None else served["admin"].put(url, json=change)
        assert answer.is_success
        assert problem_code(machine.get("/inspection/targets")) == "key-invalid"
    (entry,) = audited(served, "key.revoked", made["id"])
    assert (entry.actor, entry.detail["created_by"]) == ("admin", made["created_by"])
    (field, values) = entry.detail["changes"].popitem()
    assert (field, values["old"], values["new"] is None) == ("revoked_at", None, False)


def test_a_key_stays_invalid_when_its_maker_is_enabled_again(served: Served, leaver: Leaver) -> None:
    maker_id, maker = leaver
    made = new_key(maker)
    for active in (False, True):
        assert served["admin"].put(f"/users/{maker_id}", json={"active": active}).status_code == 200
    with served.client(**{"X-API-Key": made["key"]}) as machine:
        assert problem_code(machine.get("/inspection/targets")) == "key-invalid"


def test_a_key_made_by_a_key_stops_with_the_access_of_the_same_user(served: Served, leaver: Leaver) -> None:
    maker_id, maker = leaver
    first = new_key(maker, "admin")
    with served.client(**{"X-API-Key": first["key"]}) as machine:
        second = new_key(machine)
    assert second["created_by_id"] == maker_id
    assert served["admin"].delete(f"/users/{maker_id}").status_code == 204
    with served.client(**{"X-API-Key": second["key"]}) as machine:
        assert problem_code(machine.get("/inspection/targets")) == "key-invalid"


def test_a_code_stops_with_the_access_of_its_maker(served: Served, leaver: Leaver) -> None:
    maker_id, maker = leaver
    made = new_code(maker)
    assert served["admin"].delete(f"/users/{maker_id}").status_code == 204
    assert problem_code(registration(served, made["code"])) == "enrolment-code-wrong"
    (entry,) = audited(served, "enrolment-code.withdrawn", made["id"])
    assert entry.detail["changes"]["withdrawn_at"]["old"] is None
