"""Connections of clients that are slow, many, or speak no HTTP; over real sockets."""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from tests.support.raw_http import connected, ended, read_answer, received_while_dripping
from tests.support.real_server import ServerProcess
from tests.support.serving import Served, serve_with_users

GET = b"GET /api/v1/users/me HTTP/1.1\r\nHost: server\r\n"


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with short time-outs and few connections."""
    folder = tmp_path_factory.mktemp("hasty")
    # The clients that are signed in keep a connection each, for some seconds.
    with serve_with_users(folder, head_timeout_s=0.5, body_timeout_s=0.5, max_connections=12) as served:
        for client in served.clients.values():
            client.close()
        yield served


def test_a_head_that_does_not_end_is_answered_with_408(hasty: Served) -> None:
    with connected(hasty.url) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost:")
        answer = read_answer(connection)
        assert (answer.status, answer.code, answer.headers["connection"]) == (408, "head-too-slow", "close")
        assert ended(connection)


def test_a_connection_that_says_nothing_is_ended(hasty: Served) -> None:
    with connected(hasty.url) as connection:
        assert read_answer(connection).status == 408
        assert ended(connection)


def test_bytes_that_drip_do_not_prolong_the_time_of_a_head(hasty: Served) -> None:
    with connected(hasty.url) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        assert received_while_dripping(connection, b"x").startswith(b"HTTP/1.1 408")


def test_a_second_head_on_a_connection_has_its_own_time(hasty: Served) -> None:
    with connected(hasty.url) as connection:
        connection.sendall(GET + b"\r\n")
        assert read_answer(connection).status == 401
        connection.sendall(b"GET /")
        assert read_answer(connection).status == 408


@pytest.mark.parametrize("path", ["/users/me", "/anomaly"])
def test_an_ended_request_is_no_garbage_to_be_collected(served: Served, path: str) -> None:
    with served.client() as client:
        client.post(path, json={"values": [1.0]})
        gc.collect()
        gc.disable()
        try:
            before = _requests_in_memory()
            for _ in range(20):
                client.post(path, json={"values": [1.0]})
            assert _requests_in_memory() <= before + 1
        finally:
            gc.enable()


def _requests_in_memory() -> int:
    # By their type: isinstance asks lazy modules among the objects for attributes that they import then.
    return sum(type(one) is RequestResponseCycle for one in gc.get_objects())


@pytest.mark.parametrize("lines", [b"\r\n", b"\r\n\r\n", b"\n"])
def test_blank_lines_after_an_answer_do_not_hold_a_connection(hasty: Served, lines: bytes) -> None:
    with connected(hasty.url) as connection:
        connection.sendall(GET + b"\r\n")
        assert read_answer(connection).status == 401
        connection.sendall(lines)
        assert read_answer(connection).status == 408
        assert ended(connection)


@pytest.mark.parametrize("begun", [b"", b'{"user'])
@pytest.mark.parametrize("path", [b"/api/v1/auth/login", b"/anomaly"])
def test_a_body_that_does_not_come_is_answered_with_408(hasty: Served, path: bytes, begun: bytes) -> None:
    with connected(hasty.url) as connection:
        head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n" % path
        connection.sendall(head + b"\r\n" + begun)
        answer = read_answer(connection)
        assert (answer.status, answer.code, answer.headers["connection"]) == (408, "body-too-slow", "close")
        assert ended(connection)


def test_a_body_that_is_not_wanted_is_not_read_for_ever(hasty: Served) -> None:
    with connected(hasty.url) as connection:
        connection.sendall(
            b"POST /api/v1/files HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            b"Content-Length: 60000000\r\n\r\n"
        )
        assert read_answer(connection).status == 401
        assert received_while_dripping(connection, b"x") == b""


def test_a_head_is_not_larger_by_the_requests_before_it(served: Served) -> None:
    count = 2_000
    with connected(served.url) as connection:
        requests = (GET + b"\r\n") * count
        connection.sendall(requests[:-2])
        connection.sendall(b"\r\n")
        received = b""
        while received.count(b"HTTP/1.1 401 ") < count:
            piece = connection.recv(1_000_000)
            assert piece, received[-500:]
            received += piece


def test_connections_beyond_the_limit_are_refused_with_503(tmp_path: Path) -> None:
    with serve_with_users(tmp_path, max_connections=10) as served, contextlib.ExitStack() as stack:
        for client in served.clients.values():
            client.close()
        held = [stack.enter_context(connected(served.url)) for _ in range(10)]
        for connection in held:
            connection.sendall(GET)
        last = stack.enter_context(connected(served.url))
        answer = read_answer(last)
        assert (answer.status, answer.code) == (503, "too-many-connections")
        assert int(answer.headers["retry-after"]) > 0
        assert ended(last)
        held[0].sendall(b"\r\n")
        assert read_answer(held[0]).status == 401


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "http-malformed"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nBroken\r\n\r\n", 400, "http-malformed"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n", 431, "http-head-too-large"),
    ],
)
def test_what_is_no_http_is_answered_with_a_problem_document(
    served: Served, sent: bytes, status: int, code: str
) -> None:
    with connected(served.url) as connection:
        connection.sendall(sent)
        answer = read_answer(connection)
        assert (answer.status, answer.code) == (status, code)
        assert answer.problem()["status"] == status
        assert answer.headers["connection"] == "close"
        assert answer.problem()["request_id"] == answer.headers["x-request-id"]


def test_an_upload_that_waits_for_the_go_ahead_is_refused_before_it_is_sent(served: Served) -> None:
    with connected(served.url) as connection:
        connection.sendall(
            b"POST /api/v1/files HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            b"Content-Length: 60000000\r\nExpect: 100-continue\r\n\r\n"
        )
        answer = read_answer(connection)
        assert (answer.status, answer.code, answer.headers["connection"]) == (401, "sign-in-needed", "close")
        assert ended(connection)


def test_a_body_that_is_wanted_gets_the_go_ahead(served: Served) -> None:
    body = json.dumps({"username": "inspector", "password": "wrong"}).encode()
    with connected(served.url) as connection:
        connection.sendall(
            b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body)
        )
        assert read_answer(connection).status == 100
        connection.sendall(body)
        assert read_answer(connection).code == "sign-in-refused"


def test_a_process_holds_the_limits_that_its_environment_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEFLOW_SERVER_HEAD_TIMEOUT_S", "0.3")
    monkeypatch.setenv("IMAGEFLOW_SERVER_MAX_CONNECTIONS", "1")
    server = ServerProcess(tmp_path)
    server.start()
    try:
        with connected(server.url) as first, connected(server.url) as second:
            assert read_answer(second).code == "too-many-connections"
            assert read_answer(first).code == "head-too-slow"
    finally:
        server.stop()
