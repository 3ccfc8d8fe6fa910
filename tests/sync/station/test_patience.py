"""A station does what a busy server asks for, and ends at once when a person says so."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from models.errors import TooManyRequests, Unavailable
from models.ids import new_id
from sync.shared.problems import TYPE_BASE, code_of
from sync.shared.protocol import Batch
from sync.station.client import ServerClient

SOON_S = 20.0


class Answers:
    """A server that gives prepared answers: status, headers, body."""

    def __init__(self) -> None:
        self.left: list[tuple[int, dict[str, str], dict[str, object]]] = []
        answers = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                token = {"access_token": "t", "token_type": "bearer", "expires_in": 3600}
                given = (200, {}, token) if self.path.endswith("/auth/device") else answers.left.pop(0)
                data = json.dumps(given[2]).encode()
                self.send_response(given[0])
                for name, value in given[1].items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_request(self, *_: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def answers() -> Iterator[Answers]:
    made = Answers()
    yield made
    made.close()


@pytest.fixture
def client(answers: Answers) -> Iterator[ServerClient]:
    url = f"http://127.0.0.1:{answers.server.server_address[1]}"
    made = ServerClient(url, device_id=new_id(), credential=lambda: "secret")
    yield made
    made.close()


def refusal(code: str, status: int, seconds: int) -> tuple[int, dict[str, str], dict[str, object]]:
    problem = {"type": TYPE_BASE + code, "title": "t", "status": status, "detail": "d", "advice": "a"}
    return status, {"Retry-After": str(seconds), "Content-Type": "application/problem+json"}, problem


def batch() -> Batch:
    return Batch(device_id=new_id(), batch_id=new_id(), schema_version=1, changes=[])


def test_a_busy_server_is_asked_again_after_the_time_that_it_names(answers: Answers, client: ServerClient) -> None:
    waits: list[float] = []
    client.pause = waits.append
    answers.left = [
        refusal("sync-busy", 429, 7),
        refusal("sync-busy", 429, 20),
        (200, {}, {"results": [], "cursor": "c"}),
    ]
    assert client.push(batch()).cursor == "c"
    assert 7 <= waits[0] <= 10.5
    assert 20 <= waits[1] <= 30


def test_a_server_in_trouble_is_not_waited_for_within_a_pass(answers: Answers, client: ServerClient) -> None:
    client.pause = pytest.fail
    answers.left = [refusal("disk-full", 503, 5)]
    with pytest.raises(Unavailable) as refused:
        client.push(batch())
    assert code_of(refused.value) == "disk-full"


def test_a_server_that_stays_busy_ends_a_pass_in_the_end(answers: Answers, client: ServerClient) -> None:
    client.pause = pytest.fail
    answers.left = [refusal("sync-busy", 429, 100_000)]
    with pytest.raises(TooManyRequests) as refused:
        client.push(batch())
    assert code_of(refused.value) == "sync-busy"


def test_a_pass_that_waits_for_an_answer_ends_soon_after_it_is_cancelled(make_station) -> None:
    station = make_station()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        station.engine.client = ServerClient(url, device_id=station.device_id, credential=lambda: "c", timeout_s=60)
        ended: list[Unavailable] = []

        def one_pass() -> None:
            try:
                station.engine.run_once()
            except Unavailable as error:
                ended.append(error)

        thread = threading.Thread(target=one_pass)
        thread.start()
        connection, _ = silent.accept()
        with connection:
            assert connection.recv(1)
            station.engine.cancel()
            thread.join(SOON_S)
        assert not thread.is_alive()
    station.engine.client.close()
    assert [error.code for error in ended] == ["sync-stopped"]
    status = station.engine.status()
    assert (status.running, status.last_error, status.last_failure) == (False, None, None)
