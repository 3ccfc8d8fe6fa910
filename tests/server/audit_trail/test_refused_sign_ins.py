"""Who was not let in, as administrators read it: who was claimed, from where, why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.clock import utc_now
from models.devices import EnrolmentCode
from models.ids import new_id
from tests.support.serving import PASSWORD, Served, enrol, serve_with_users

HERE = "127.0.0.1"


def newest(served: Served, action: str) -> tuple[str, dict[str, Any]]:
    """Return subject and detail of the newest refusal of a kind."""
    answer = served["admin"].get("/audit", params={"action": action, "page_size": 1})
    (entry,) = answer.json()["items"]
    assert entry["actor"] == "anonymous"
    return entry["subject_id"], entry["detail"]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that has refused nobody before the tests of this module."""
    with serve_with_users(tmp_path_factory.mktemp("fresh")) as served:
        yield served


def make_user(served: Served) -> dict[str, Any]:
    body = {"username": f"u-{new_id()}", "role": "inspector", "password": PASSWORD}
    made = served["admin"].post("/users", json=body)
    assert made.status_code == 201, made.text
    return dict(made.json())


def signed_in_as(served: Served, user: dict[str, Any], password: str = PASSWORD) -> int:
    body = {"username": user["username"], "password": password}
    return served["anonymous"].post("/auth/login", json=body).status_code


def test_a_wrong_password_names_whom_it_was_tried_for(served: Served) -> None:
    user = make_user(served)
    assert signed_in_as(served, user, "wrong") == 401
    assert newest(served, "auth.refused") == (user["id"], {"reason": "wrong-password", "address": HERE})


def test_the_right_password_of_a_disabled_user_is_told_apart(served: Served) -> None:
    user = make_user(served)
    assert served["admin"].put(f"/users/{user['id']}", json={"active": False}).status_code == 200
    assert signed_in_as(served, user) == 401
    assert newest(served, "auth.refused") == (user["id"], {"reason": "disabled", "address": HERE})


def test_a_name_that_nobody_has_is_not_kept(fresh: Served) -> None:
    assert signed_in_as(fresh, {"username": "perhaps a password"}) == 401
    assert newest(fresh, "auth.refused") == ("", {"reason": "unknown", "address": HERE})


@pytest.mark.parametrize("status", ["disabled", "revoked"])
@pytest.mark.parametrize("door", ["/tauri/auth/device", "/tauri/auth/login"])
def test_a_station_that_is_out_leaves_its_attempt(served: Served, status: str, door: str) -> None:
    station = enrol(served)
    assert served["admin"].put(f"/devices/{station['device_id']}", json={"status": status}).status_code == 200
    person = {} if door.endswith("device") else {"username": "inspector", "password": PASSWORD}
    assert served["anonymous"].post(door, json={**station, **person}).status_code == 401
    assert newest(served, "device.refused") == (station["device_id"], {"reason": status, "address": HERE})


def test_a_guessed_credential_names_the_station_it_was_tried_for(served: Served) -> None:
    station = enrol(served)
    guessed = {**station, "credential": "ifd_guessed"}
    assert served["anonymous"].post("/tauri/auth/device", json=guessed).status_code == 401
    assert newest(served, "device.refused") == (station["device_id"], {"reason": "wrong-credential", "address": HERE})


def test_stations_that_nobody_enrolled_have_an_entry_for_each_power_of_ten(fresh: Served) -> None:
    for _ in range(12):
        made_up = {"device_id": new_id(), "credential": "ifd_guessed"}
        assert fresh["anonymous"].post("/tauri/auth/device", json=made_up).status_code == 401
    answer = fresh["admin"].get("/audit", params={"action": "device.refused"})
    noted = {"reason": "unknown", "address": HERE}
    found = [(entry["subject_id"], entry["detail"]) for entry in answer.json()["items"]]
    assert sorted(found, key=str) == [("", noted), ("", {**noted, "times": 10})]


def test_made_up_names_are_counted_by_their_kind(tmp_path: Path) -> None:
    with serve_with_users(tmp_path) as other:
        made_up = {"device_id": new_id(), "credential": "ifd_guessed"}
        assert other["anonymous"].post("/tauri/auth/device", json=made_up).status_code == 401
        assert signed_in_as(other, {"username": "made up"}) == 401
        assert "times" not in newest(other, "auth.refused")[1]


def test_every_refusal_of_a_known_station_has_an_entry(served: Served) -> None:
    station = enrol(served)
    for _ in range(12):
        guessed = {**station, "credential": "ifd_guessed"}
        assert served["anonymous"].post("/tauri/auth/device", json=guessed).status_code == 401
    answer = served["admin"].get("/audit", params={"subject_id": station["device_id"], "action": "device.refused"})
    assert answer.json()["total_count"] == 12


@pytest.mark.parametrize("reason", ["used", "withdrawn", "expired"])
def test_an_enrolment_code_that_is_good_no_more_is_named(served: Served, reason: str) -> None:
    code = served["admin"].post("/enrolment-codes", json={"device_name": "Line 9"}).json()
    body = {"code": code["code"]}
    if reason == "used":
        assert served["anonymous"].post("/tauri/devices/register", json=body).status_code == 201
    elif reason == "withdrawn":
        assert served["admin"].delete(f"/enrolment-codes/{code['id']}").status_code == 204
    else:
        with served.context.database.transaction() as session:
            session.get_one(EnrolmentCode, code["id"]).expires_at = utc_now()
    assert served["anonymous"].post("/tauri/devices/register", json=body).status_code == 401
    assert newest(served, "device.enrolment-refused") == (code["id"], {"reason": reason, "address": HERE})


def test_a_guessed_enrolment_code_is_not_kept(fresh: Served) -> None:
    assert fresh["anonymous"].post("/tauri/devices/register", json={"code": "GUESSED"}).status_code == 401
    assert newest(fresh, "device.enrolment-refused") == ("", {"reason": "unknown", "address": HERE})


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Served]:
    """A server that takes two failures."""
    with serve_with_users(tmp_path, sign_in_attempts=2) as served:
        yield served


@pytest.mark.slow
def test_a_revoked_station_that_goes_on_trying_fills_no_trail(strict: Served) -> None:
    station = enrol(strict)
    assert strict["admin"].put(f"/devices/{station['device_id']}", json={"status": "revoked"}).status_code == 200
    tried = [strict["anonymous"].post("/tauri/auth/device", json=station).status_code for _ in range(20)]
    assert tried == [401] * 2 + [429] * 18
    refused = strict["admin"].get("/audit", params={"action": "device.refused"}).json()
    assert refused["total_count"] == 2
