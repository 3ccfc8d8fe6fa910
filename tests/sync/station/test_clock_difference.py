"""How far a station's clock is from that of its server, by what the server's answers say."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from models.errors import Unavailable
from sync.station.client import ServerClient

DAY_S = 86_400


class Refusing(BaseHTTPRequestHandler):
    """Answers every request with a fault, by a clock that may be wrong."""

    wrong_by_s: float | None = 0.0

    def do_GET(self) -> None:
        self.send_response_only(503)
        if self.wrong_by_s is not None:
            self.send_header("Date", self.date_time_string(time.time() + self.wrong_by_s))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        del format, args


@pytest.fixture
def client() -> Iterator[ServerClient]:
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        asking = ServerClient(f"http://127.0.0.1:{server.server_port}", timeout_s=20)
        yield asking
        asking.close()
        server.shutdown()
        serving.join()


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
