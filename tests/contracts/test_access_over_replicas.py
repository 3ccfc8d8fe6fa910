"""What ends access at one replica ends it at the other with the next request: two real processes on PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from app.benchmarks import private_postgresql
from models.ids import new_id
from tests.support.replicas import Replica, replicas
from tests.support.serving import PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, postgresql_socket: str) -> Iterator[tuple[Replica, Replica]]:
    folder = tmp_path_factory.mktemp("replicas")
    with (
        private_postgresql.database(postgresql_socket, f"t{new_id()}") as database,
        replicas(folder, database) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def admin(pair: tuple[Replica, Replica]) -> str:
    return pair[0].sign_in()


def a_user(first: Replica, admin: str) -> tuple[str, str]:
    body = {"username": f"u-{new_id()}", "role": "inspector", "password": PASSWORD}
    made = first.ask("POST", "/users", admin, body)
    assert made.status_code == 201, made.text
    return made.json()["id"], first.sign_in(body["username"])


Access = tuple[dict[str, str], Callable[[], int]]
"""The head that shows who asks, and what ends the access at the first replica."""


def signing_out(first: Replica, admin: str) -> Access:
    _, token = a_user(first, admin)
    return {"Authorization": f"Bearer {token}"}, lambda: first.ask("POST", "/auth/logout", token).status_code


def disabling_the_user(first: Replica, admin: str) -> Access:
    user_id, token = a_user(first, admin)
    end = {"active": False}
    return (
        {"Authorization": f"Bearer {token}"},
        lambda: first.ask("PUT", f"/users/{user_id}", admin, end).status_code,
    )


def revoking_the_key(first: Replica, admin: str) -> Access:
    made = first.ask("POST", "/api-keys", admin, {"name": "MES", "role": "integrator"}).json()
    return {"X-API-Key": made["key"]}, lambda: first.ask("DELETE", f"/api-keys/{made['id']}", admin).status_code


def disabling_the_station(first: Replica, admin: str) -> Access:
    code = first.ask("POST", "/enrolment-codes", admin, {"device_name": "Line 1"}).json()["code"]
    enrolled = first.ask("POST", "/tauri/devices/register", body={"code": code}).json()
    own = {name: enrolled[name] for name in ("device_id", "credential")}
    token = first.ask("POST", "/tauri/auth/device", body=own).json()["access_token"]
    path, end = f"/devices/{own['device_id']}", {"status": "disabled"}
    return {"Authorization": f"Bearer {token}"}, lambda: first.ask("PUT", path, admin, end).status_code


@pytest.mark.parametrize("end", [signing_out, disabling_the_user, revoking_the_key, disabling_the_station])
@pytest.mark.parametrize("path", ["/auth/me", "/anomaly/models"])
def test_ended_access_is_refused_by_the_other_replica_at_once(
    pair: tuple[Replica, Replica], admin: str, end: Callable[[Replica, str], Access], path: str
) -> None:
    first, second = pair
    headers, finish = end(first, admin)
    with second.client(**headers) as client:
        # Asked often: what a replica may remember of a caller is there.
        assert {client.get(path).status_code for _ in range(5)} == {200}
        assert finish() in {200, 204}
        assert client.get(path).status_code == 401


def test_a_scored_row_needs_a_key_that_is_not_revoked_elsewhere(pair: tuple[Replica, Replica], admin: str) -> None:
    first, second = pair
    headers, finish = revoking_the_key(first, admin)
    with second.client(**headers) as client:
        row = {"values": [1.0]}
        assert {client.post("/anomaly", json=row).status_code for _ in range(5)} == {404}, "let in; there is no model"
        assert finish() == 204
        assert client.post("/anomaly", json=row).status_code == 401
