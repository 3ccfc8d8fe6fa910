"""Scores are answered on a short way and on a long one, and nobody can tell which it was."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from models.data_version import DataVersion
from models.errors import Unavailable
from models.ids import new_id
from server.anomaly import scoring
from server.http.requests import Requests
from tests.support.raw_http import RawAnswer, connected, ended, read_answer
from tests.support.sensor_models import upload, vector_model
from tests.support.serving import Served, serve_with_users

NORMAL, TOO_FEW = [1.2, 0.9, 1.1], [1.2]


@pytest.fixture
def sensor(served: Served) -> str:
    """A sensor with an active model, of this test alone."""
    name = f"pump-{new_id()}"
    assert upload(served["supervisor"], vector_model(), sensor=name).status_code == 201
    return name


def request(sensor: str, *lines: str, values: list[float] = NORMAL) -> bytes:
    body = json.dumps({"values": values, "sensor": sensor})
    head = ["Host: server", "Content-Type: application/json", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(["POST /anomaly HTTP/1.1", *head, "", body]).encode()


def answer(served: Served, *pieces: bytes) -> RawAnswer:
    with connected(served.url) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return read_answer(connection)


def test_both_ways_answer_with_the_same_head(served: Served, sensor: str) -> None:
    short = answer(served, request(sensor, "X-Request-ID: one"))
    long = answer(served, request(sensor, "X-Request-ID: one", "Connection: close"))
    assert (short.status, short.body) == (long.status, long.body) == (200, short.body)
    changing = {"date", "connection"}
    assert {name: value for name, value in short.headers.items() if name not in changing} == {
        name: value for name, value in long.headers.items() if name not in changing
    }
    assert short.headers["x-request-id"] == "one"


def test_both_ways_know_that_a_proxy_encrypts(tmp_path: Path) -> None:
    with serve_with_users(tmp_path, proxy="127.0.0.1") as served:
        name = "pump"
        assert upload(served["supervisor"], vector_model(), sensor=name).status_code == 201
        key = served["admin"].post("/api-keys", json={"name": "PLC", "role": "integrator"}).json()["key"]
        lines = (f"X-API-Key: {key}", "X-Forwarded-Proto: https")
        answers = [answer(served, request(name, *lines, *more)) for more in ((), ("Connection: close",))]
    assert [one.status for one in answers] == [200, 200]
    assert all("strict-transport-security" in one.headers for one in answers)


def test_a_client_that_wants_the_end_gets_it(served: Served, sensor: str) -> None:
    with connected(served.url) as connection:
        connection.sendall(request(sensor, "Connection: close"))
        assert read_answer(connection).headers["connection"] == "close"
        assert ended(connection)


def test_a_connection_goes_on_after_a_score(served: Served, sensor: str) -> None:
    with connected(served.url) as connection:
        for _ in range(3):
            connection.sendall(request(sensor))
            assert read_answer(connection).status == 200


def test_scores_that_are_asked_at_once_come_in_their_order(served: Served, sensor: str) -> None:
    names = [f"number-{place}" for place in range(5)]
    with connected(served.url) as connection:
        connection.sendall(b"".join(request(sensor, f"X-Request-ID: {name}") for name in names))
        received = b""
        while received.count(b'"status":"normal"') < len(names):
            received += connection.recv(65_536)
    assert re.findall(r"x-request-id: (\S+)", received.decode()) == names


def test_a_body_in_pieces_is_scored(served: Served, sensor: str) -> None:
    whole = request(sensor)
    assert answer(served, whole[:-20], whole[-20:]).body == answer(served, whole).body


def counted(served: Served, line: str) -> float:
    """Return the sum of the metrics whose lines begin so."""
    text = served["admin"].get(f"{served.url}/metrics").text
    return sum(float(one.rpartition(" ")[2]) for one in text.splitlines() if one.startswith(line))


def test_a_request_is_counted_once(served: Served, sensor: str) -> None:
    for values, status in ((NORMAL, 200), (TOO_FEW, 400)):
        line = f'imageflow_http_requests_total{{method="POST",route="/api/v1/anomaly",status="{status}"}}'
        before = counted(served, line)
        assert answer(served, request(sensor, values=values)).status == status
        assert counted(served, line) == before + 1


@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/1.1"])
@pytest.mark.parametrize("line", ["Connection: keep-alive", "Connection: close"])
def test_a_row_is_scored_once(served: Served, sensor: str, line: str, version: bytes) -> None:
    rows = f'imageflow_sensor_rows_total{{sensor="{sensor}"'
    assert answer(served, request(sensor, line).replace(b"HTTP/1.1", version)).status == 200
    assert counted(served, rows) == 1


def test_a_revoked_key_gets_no_further_score(served: Served, sensor: str) -> None:
    made = served["admin"].post("/api-keys", json={"name": f"PLC {sensor}", "role": "integrator"}).json()
    asked = request(sensor, f"X-API-Key: {made['key']}")
    with connected(served.url) as connection:
        connection.sendall(asked)
        assert read_answer(connection).status == 200
        assert served["admin"].delete(f"/api-keys/{made['id']}").status_code == 204
        connection.sendall(asked)
        refused = read_answer(connection)
        assert (refused.status, refused.code) == (401, "key-invalid")


@pytest.mark.parametrize("prefix", ["", "/v1", "/api/v1"])
def test_a_whole_request_reaches_no_middleware(
    served: Served, sensor: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Requests, "__call__", None)
    asked = request(sensor).replace(b"POST /anomaly", f"POST {prefix}/anomaly".encode())
    assert answer(served, asked).status == 200


def test_a_fault_in_a_score_is_answered(served: Served, sensor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("a fault")

    with connected(served.url) as connection:
        connection.sendall(request(sensor))
        assert read_answer(connection).status == 200
        with monkeypatch.context() as faulty:
            faulty.setattr(scoring, "score", fails)
            connection.sendall(request(sensor))
            refused = read_answer(connection)
            assert (refused.status, refused.code) == (500, "internal-error")
    assert answer(served, request(sensor)).status == 200


def test_a_database_that_cannot_be_read_is_said_to_be(
    served: Served, sensor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> int:
        raise Unavailable("database-unreachable")

    monkeypatch.setattr(DataVersion, "now", fails)
    refused = answer(served, request(sensor))
    assert (refused.status, refused.code) == (503, "database-unreachable")
