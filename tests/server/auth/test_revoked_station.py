"""A station that an administrator revoked, over REST."""

from __future__ import annotations

import pytest

from tests.support.serving import device_token, enrol

pytestmark = pytest.mark.slow


@pytest.fixture
def revoked(served) -> dict[str, str]:
    """Id and credential of a revoked station."""
    enrolled = enrol(served)
    assert served["admin"].put(f"/devices/{enrolled['device_id']}", json={"status": "revoked"}).status_code == 200
    return enrolled


def code_of(answer) -> str:
    return answer.json()["type"].rsplit("/", 1)[-1]


def test_a_revoked_station_learns_that_it_is(served, revoked):
    assert code_of(served["anonymous"].post("/tauri/auth/device", json=revoked)) == "device-revoked"


def test_a_wrong_credential_learns_nothing_of_a_revocation(served, revoked):
    answer = served["anonymous"].post("/tauri/auth/device", json={**revoked, "credential": "guessed"})
    assert code_of(answer) == "device-wrong"


def test_a_disabled_station_is_not_told_to_wipe_its_credential(served):
    enrolled = enrol(served)
    served["admin"].put(f"/devices/{enrolled['device_id']}", json={"status": "disabled"})
    assert code_of(served["anonymous"].post("/tauri/auth/device", json=enrolled)) == "device-wrong"


def test_a_token_of_before_ends_with_the_revocation(served):
    enrolled = enrol(served)
    with served.client(Authorization=f"Bearer {device_token(served, enrolled)}") as client:
        assert client.get("/inspection/sync/changes").status_code == 200
        served["admin"].put(f"/devices/{enrolled['device_id']}", json={"status": "revoked"})
        assert client.get("/inspection/sync/changes").status_code == 401


@pytest.mark.parametrize("status", ["active", "disabled"])
def test_a_revoked_station_stays_revoked(served, revoked, status):
    answer = served["admin"].put(f"/devices/{revoked['device_id']}", json={"status": status})
    assert (answer.status_code, code_of(answer)) == (409, "device-revoked-for-good")


def test_a_new_station_succeeds_the_one_whose_credential_it_has(served):
    former = enrol(served)
    code = served["admin"].post("/enrolment-codes", json={"device_name": "Anew"}).json()["code"]
    body = {"code": code, "former_device_id": former["device_id"], "former_credential": former["credential"]}
    made = served["anonymous"].post("/tauri/devices/register", json=body).json()
    assert made["succeeds_id"] == former["device_id"]


@pytest.mark.parametrize("credential", ["", "guessed"])
def test_a_station_that_proves_nothing_succeeds_nobody(served, credential):
    former = enrol(served)
    code = served["admin"].post("/enrolment-codes", json={"device_name": "Anew"}).json()["code"]
    body = {"code": code, "former_device_id": former["device_id"], "former_credential": credential}
    assert served["anonymous"].post("/tauri/devices/register", json=body).json()["succeeds_id"] is None


def test_a_revoked_station_has_no_successor(served, revoked):
    code = served["admin"].post("/enrolment-codes", json={"device_name": "Anew"}).json()["code"]
    body = {"code": code, "former_device_id": revoked["device_id"], "former_credential": revoked["credential"]}
    assert served["anonymous"].post("/tauri/devices/register", json=body).json()["succeeds_id"] is None
