"""HTTP by hand over a socket, for what no client library sends."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What came back until the connection ended or the body was whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json", self
        return dict(json.loads(self.body))

    @property
    def code(self) -> str:
        return str(self.problem()["type"]).rpartition("/")[2]


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    """Give a connection to a server."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=_PATIENCE_S) as connection:
        yield connection


def read_answer(connection: socket.socket, *, has_body: bool = True) -> RawAnswer:
    """Read one answer; informational ones are answers of their own."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65_536)
        assert piece, f"the connection ended within a head: {received!r}"
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0")) if has_body else 0
    while len(body) < length:
        piece = connection.recv(65_536)
        assert piece, "the connection ended within a body"
        body += piece
    return RawAnswer(int(first.split()[1]), headers, body)


def ended(connection: socket.socket) -> bool:
    """Wait for the end of the connection."""
    try:
        while connection.recv(65_536):
            pass
    except ConnectionResetError:
        return True
    return True


def received_while_dripping(connection: socket.socket, drop: bytes, pause_s: float = 0.05) -> bytes:
    """Send a drop again and again until something comes back or the connection ends; return what came."""
    connection.settimeout(pause_s)
    for _ in range(int(_PATIENCE_S / pause_s)):
        try:
            return connection.recv(64)
        except TimeoutError:
            connection.sendall(drop)
        except ConnectionResetError:
            return b""
    raise AssertionError("the server takes drops for ever")
