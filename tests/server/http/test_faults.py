"""A fault of the server is an answer like any other."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.support.raw_http import connected, read_answer
from tests.support.serving import serve_with_users


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
