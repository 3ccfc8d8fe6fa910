"""WebSocket connections: who may connect, from where, and clients that flood, stall or lose their sign-in."""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus

from models.ids import new_id
from models.states import ExecutionStatus
from server.auth.identity.tokens import TokenKind
from server.http import live_socket
from server.http.websocket_protocol import MESSAGE_BYTES, CloseCode, WebSocketConnection
from tests.support.awaiting import wait_until
from tests.support.live_clients import add_execution, close_code, happened, live, message, refusal, stepped
from tests.support.raw_http import connected, ended, read_answer
from tests.support.serving import PASSWORD, Served, serve_with_users

SYSTEM = "/ws/system-status"


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that waits for nobody."""
    limits = {"websocket_ping_s": 0.3, "websockets_per_principal": 3, "execution_slots": 0}
    with serve_with_users(tmp_path_factory.mktemp("hasty"), **limits) as served:
        yield served


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Served]:
    """A server that waits for its readers, and for the heads of requests, for a moment only."""
    with serve_with_users(tmp_path, websocket_unread_s=0.2, head_timeout_s=0.3, execution_slots=0) as served:
        yield served


def token(served: Served, role: str = "admin") -> str:
    return served[role].headers["Authorization"].removeprefix("Bearer ")


def test_nobody_connects_without_a_credential(served: Served) -> None:
    assert refusal(served, SYSTEM, "nobody") == (401, "sign-in-needed")


@pytest.mark.parametrize("given", ["x.y.z", "", "\xff"])
def test_a_wrong_token_is_refused(served: Served, given: str) -> None:
    refused = refusal(served, SYSTEM, additional_headers={"Authorization": f"Bearer {given}"})
    assert refused in {(401, "token-invalid"), (401, "sign-in-needed")}


def test_a_token_in_the_address_is_no_credential(served: Served) -> None:
    for name in ("token", "access_token", "authorization"):
        assert refusal(served, f"{SYSTEM}?{name}={token(served)}", "nobody") == (401, "sign-in-needed")


def test_a_browser_sends_its_token_as_sub_protocol(served: Served) -> None:
    with live(served, SYSTEM, "nobody", subprotocols=["bearer", token(served)]) as connection:
        assert connection.subprotocol == "bearer"
        assert message(connection)["type"] == "system_status"


def test_a_machine_connects_with_its_key(served: Served) -> None:
    made = served["admin"].post("/api-keys", json={"name": f"K {new_id()}", "role": "integrator"}).json()
    with live(served, SYSTEM, additional_headers={"X-API-Key": made["key"]}) as connection:
        assert message(connection)["type"] == "system_status"


def test_an_unknown_path_is_404(served: Served) -> None:
    assert refusal(served, "/ws/nowhere") == (404, "route-unknown")


def test_the_refusal_of_an_unknown_path_has_the_id_of_its_request(served: Served) -> None:
    with pytest.raises(InvalidStatus) as refused, live(served, "/ws/nowhere"):
        pass
    answer = refused.value.response
    assert json.loads(answer.body)["request_id"] == answer.headers["x-request-id"] != ""


def test_a_refused_handshake_is_no_error_of_the_server(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    refusal(served, "/ws/nowhere")
    assert served["admin"].get("/auth/me").status_code == 200, "served after what follows a refusal"
    assert [record.getMessage() for record in caplog.records if record.name == "uvicorn.error"] == []


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_origin_is_refused(served: Served, origin: str) -> None:
    assert refusal(served, SYSTEM, origin=origin) == (403, "cross-origin-refused")


def test_a_page_of_the_server_itself_may_connect(served: Served) -> None:
    with live(served, SYSTEM, origin=served.url) as connection:
        assert message(connection)["type"] == "system_status"


@pytest.mark.slow
def test_a_listed_origin_may_connect(tmp_path: Path) -> None:
    with (
        serve_with_users(tmp_path, cors_origins=["https://line.example"]) as served,
        live(served, SYSTEM, origin="https://line.example") as connection,
    ):
        assert message(connection)["type"] == "system_status"


def test_one_user_has_no_more_connections_than_allowed(hasty: Served) -> None:
    with live(hasty, SYSTEM), live(hasty, SYSTEM), live(hasty, SYSTEM):
        assert refusal(hasty, SYSTEM) == (429, "too-many-websockets")
        with live(hasty, SYSTEM, "inspector") as other:
            assert message(other)["type"] == "system_status"
    # They count no longer once they have ended.
    assert wait_until(lambda: not hasty.context.metrics.websockets._value.get(), 20)
    with live(hasty, SYSTEM) as connection:
        assert message(connection)["type"] == "system_status"


@pytest.mark.slow
def test_websockets_count_among_the_connections(tmp_path: Path) -> None:
    with serve_with_users(tmp_path, max_connections=12) as served:
        for client in served.clients.values():
            client.close()
        with live(served, SYSTEM) as first:
            message(first)
            opened = [socket.create_connection(_address(served)) for _ in range(11)]
            try:
                with connected(served.url) as one_more:
                    assert read_answer(one_more).code == "too-many-connections"
            finally:
                for one in opened:
                    one.close()


def test_signing_out_ends_the_connection(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_socket, "CHECKED_EVERY_S", 0.05)
    name = f"u{new_id()[-12:]}"
    served["admin"].post("/users", json={"username": name, "role": "inspector", "password": PASSWORD})
    signed_in = f"Bearer {served.sign_in(name)['access_token']}"
    with (
        live(served, SYSTEM, additional_headers={"Authorization": signed_in}) as connection,
        served.client(Authorization=signed_in) as client,
    ):
        message(connection)
        assert client.post("/auth/logout").status_code == 204
        assert close_code(connection) == CloseCode.SIGN_IN_ENDED


def test_a_token_that_runs_out_ends_the_connection(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = served.context.tokens
    lives = {**issuer.lives, TokenKind.ACCESS: timedelta(seconds=1)}
    monkeypatch.setattr(issuer, "lives", lives)
    short = served.sign_in("supervisor")["access_token"]
    monkeypatch.undo()
    with live(served, SYSTEM, additional_headers={"Authorization": f"Bearer {short}"}) as connection:
        assert close_code(connection) == CloseCode.SIGN_IN_ENDED


def test_a_flood_of_frames_ends_the_connection(served: Served) -> None:
    with live(served, SYSTEM) as connection:
        message(connection)
        _flood(connection.socket)
        assert close_code(connection) == CloseCode.POLICY


def test_a_message_over_the_limit_ends_the_connection(served: Served) -> None:
    with live(served, SYSTEM) as connection:
        message(connection)
        connection.send(bytes(MESSAGE_BYTES + 1))
        assert close_code(connection) == 1009


def test_a_frame_that_announces_100_megabytes_ends_the_connection(served: Served) -> None:
    with live(served, SYSTEM) as connection:
        message(connection)
        connection.socket.sendall(b"\x82\xff" + struct.pack("!Q", 100 * 1024 * 1024) + os.urandom(4))
        assert close_code(connection) == 1009


@pytest.mark.slow
def test_a_connection_outlives_the_time_of_a_head(impatient: Served) -> None:
    one = add_execution(impatient.context.database, ExecutionStatus.PENDING)
    with live(impatient, f"/ws/execution/{one}") as connection:
        message(connection)
        with pytest.raises(TimeoutError):
            connection.recv(timeout=1.5)
        happened(impatient, one, ExecutionStatus.RUNNING)
        assert message(connection)["status"] == "running"


def test_what_a_client_says_is_ignored(hasty: Served) -> None:
    one = add_execution(hasty.context.database, ExecutionStatus.PENDING)
    with live(hasty, f"/ws/execution/{one}") as connection:
        message(connection)
        connection.send("{")
        connection.send(b"\xff")
        happened(hasty, one, ExecutionStatus.RUNNING)
        assert message(connection)["status"] == "running"


def test_a_client_that_answers_no_ping_is_cut(hasty: Served) -> None:
    with connected(hasty.url) as connection:
        _handshake(connection, hasty)
        assert ended(connection)


@pytest.mark.slow
def test_a_client_that_does_not_read_is_not_waited_for(impatient: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other client sees at once what the slow one leaves unread."""
    codes: list[CloseCode] = []
    drop = WebSocketConnection.drop

    def noticed(self: WebSocketConnection, code: CloseCode, reason: str = "") -> None:
        drop(self, code, reason)
        codes.append(code)

    monkeypatch.setattr(WebSocketConnection, "drop", noticed)
    one = add_execution(impatient.context.database, ExecutionStatus.RUNNING)
    path = f"/ws/execution/{one}"
    with connected(impatient.url) as slow, live(impatient, path) as quick:
        _handshake(slow, impatient, path)
        message(quick)
        for number in range(400):
            for file in range(5):
                stepped(impatient, one, f"step-{number}", "running", 1.0, file_index=file, component="x" * 50_000)
            assert [message(quick)["data"]["file_index"] for _ in range(5)] == list(range(5))
            if codes:
                break
    assert codes[0] == CloseCode.TOO_SLOW


def _address(served: Served) -> tuple[str, int]:
    parts = urlsplit(served.url)
    return str(parts.hostname), int(parts.port or 0)


def _handshake(connection: socket.socket, served: Served, path: str = SYSTEM) -> None:
    head = (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        f"Authorization: Bearer {token(served)}\r\n\r\n"
    )
    connection.sendall(head.encode())
    assert connection.recv(12) == b"HTTP/1.1 101"


def _flood(connection: socket.socket) -> None:
    """Send empty pings without end, until the server does not take them any more."""
    frame = b"\x89\x80\x00\x00\x00\x00"
    try:
        for _ in range(200):
            connection.sendall(frame * 100)
    except OSError:
        return
