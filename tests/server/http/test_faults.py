"""A fault of the server is an answer like any other."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.support.awaiting import wait_until
from tests.support.raw_http import connected, read_answer
from tests.support.serving import Served, serve_with_users


def test_a_connection_goes_on_after_a_fault(tmp_path: Path) -> None:
    with serve_with_users(tmp_path) as served:
        with sqlite3.connect(tmp_path / "server.sqlite3") as database:
            database.execute("ALTER TABLE targets RENAME COLUMN description TO hidden")
        database.close()
        token = served["admin"].headers["authorization"]
        with connected(served.url) as connection:
            for _ in range(2):
                connection.sendall(
                    f"GET /api/v1/inspection/targets HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode()
                )
                answer = read_answer(connection)
                assert (answer.status, answer.code) == (500, "internal-error")
                assert answer.headers.get("connection") != "close"


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/pipelines", "application/json"), ("/files", "multipart/form-data; boundary=B")],
)
def test_a_body_that_is_cut_off_is_no_fault_of_the_server(served: Served, path: str, kind: str) -> None:
    def count(status: int) -> float:
        value = served.context.metrics.requests.labels("POST", f"/api/v1{path}", str(status))._value.get()
        return float(value)

    token = served["admin"].headers["authorization"]
    refused, faults = count(400), count(500)
    with connected(served.url) as connection:
        head = f"POST /api/v1{path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Type: {kind}\r\n"
        connection.sendall(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
    assert wait_until(lambda: count(400) + count(500) > refused + faults, 20)
    assert count(500) == faults
