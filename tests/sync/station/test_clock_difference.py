"""How far a station's clock is from that of its server, by what the server's answers say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.errors import Unavailable
from sync.station.client import ServerClient
from tests.support.refusing_server import Refusing, refusing

DAY_S = 86_400


@pytest.fixture
def client() -> Iterator[ServerClient]:
    with refusing() as server:
        asking = ServerClient(f"http://127.0.0.1:{server.server_port}", timeout_s=20)
        yield asking
        asking.close()


def ahead_after_an_answer(client: ServerClient) -> float | None:
    with pytest.raises(Unavailable):
        client.health()
    return client.clock_ahead_s


@pytest.mark.parametrize("wrong_by_s", [0, DAY_S, -DAY_S])
def test_a_station_knows_how_far_its_clock_is_ahead_of_the_servers(
    client: ServerClient, monkeypatch: pytest.MonkeyPatch, wrong_by_s: int
) -> None:
    monkeypatch.setattr(Refusing, "wrong_by_s", wrong_by_s)
    ahead = ahead_after_an_answer(client)
    assert ahead is not None
    assert abs(ahead + wrong_by_s) < 60


def test_nothing_is_known_of_a_server_that_names_no_time(client: ServerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Refusing, "wrong_by_s", None)
    assert ahead_after_an_answer(client) is None
