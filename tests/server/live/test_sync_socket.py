"""``/ws/sync``: a station is told when it has something to pull."""

from __future__ import annotations

import pytest

from server.sync import endpoints
from tests.support.live_clients import live, message, refusal
from tests.support.serving import Served, device_token, enrol, make_target

CHANGES = {"type": "changes_available"}


@pytest.fixture(autouse=True)
def prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "TOLD_EVERY_S", 0.05)


@pytest.mark.parametrize("path", ["/ws/sync", "/api/v1/ws/sync"])
def test_a_station_is_told_at_the_start_that_it_may_have_missed_something(served: Served, path: str) -> None:
    with live(served, path, "device") as connection:
        assert message(connection) == CHANGES


def test_a_change_over_rest_is_told_to_every_station(served: Served) -> None:
    own = {"additional_headers": {"Authorization": f"Bearer {device_token(served, enrol(served, 'Second'))}"}}
    with live(served, "/ws/sync", "device") as first, live(served, "/ws/sync", **own) as second:
        assert [message(first), message(second)] == [CHANGES, CHANGES]
        make_target(served)
        assert [message(first), message(second)] == [CHANGES, CHANGES]


@pytest.mark.parametrize("role", ["admin", "inspector"])
def test_only_stations_listen(served: Served, role: str) -> None:
    assert refusal(served, "/ws/sync", role) == (403, "device-needed")
