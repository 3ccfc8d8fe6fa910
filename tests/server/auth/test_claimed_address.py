"""Sign-in limits go by the address that a connection comes from, not by what its head claims."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.core.settings import ServerSettings
from tests.support.serving import Served, serve

ATTEMPTS = 3


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Served]:
    with serve(ServerSettings(data_dir=tmp_path, sign_in_attempts=ATTEMPTS)) as running:
        yield running


@pytest.mark.parametrize("head", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_a_claimed_address_does_not_dodge_the_limit(strict: Served, head: str) -> None:
    body = {"username": "boss", "password": "wrong"}
    with strict.client() as client:
        statuses = [
            client.post("/auth/login", json=body, headers={head: f"203.0.113.{number}"}).status_code
            for number in range(ATTEMPTS + 1)
        ]
    assert statuses == [401] * ATTEMPTS + [429]


def test_a_claimed_address_does_not_dodge_the_limit_of_enrolments(strict: Served) -> None:
    with strict.client() as client:
        statuses = [
            client.post(
                "/tauri/devices/register",
                json={"code": "ABCD-EFGH-JKLM"},
                headers={"X-Forwarded-For": f"203.0.113.{number}"},
            ).status_code
            for number in range(ATTEMPTS + 1)
        ]
    assert statuses == [401] * ATTEMPTS + [429]
