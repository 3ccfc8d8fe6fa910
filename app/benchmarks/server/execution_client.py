"""A client that runs executions and takes little of the processors that it shares with the server.

Its requests are bytes that are made once, and of the answers it reads what it needs. What goes over the wire is what
any client sends and gets: a form for each execution on a connection that is kept, a WebSocket for each, with its
handshakes at both ends.
"""

from __future__ import annotations

import itertools
import json
import select
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Self

import httpx

_PATIENCE_S = 60.0
_PIECE = 64 * 1024
_KEY = "AAAAAAAAAAAAAAAAAAAAAA=="
"""Of the opening handshake (RFC 6455, 4.1): any 16 bytes."""
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_FIN, _MASKED, _UNMASKING = 0x80, 0x80, bytes(4)
_SHORTEST, _LONG, _LONGER = 2, 126, 127
_BOUNDARY = "a-boundary-that-no-JPEG-has"


class ExecutionClient:
    """Submits images to one pipeline, one after the other and from the first again, and waits for each execution.

    Several threads may use it.

    Use it in a ``with`` block, which closes the connections.

    Args:
        http: signed in.
        pipeline: id of the pipeline.
        images: JPEG.

    Attributes:
        connections: of its threads.
    """

    def __init__(self, http: httpx.Client, pipeline: str, images: Sequence[bytes]) -> None:
        self._address = http.base_url.host, http.base_url.port or 80
        signed_in = f"Host: {self._address[0]}:{self._address[1]}\r\nAuthorization: {http.headers['Authorization']}\r\n"
        head = (
            f"POST {http.base_url.path}executions HTTP/1.1\r\n{signed_in}"
            f"Content-Type: multipart/form-data; boundary={_BOUNDARY}\r\nContent-Length: "
        )
        bodies = [_form(pipeline, image) for image in images]
        self._requests = itertools.cycle([f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies])
        self._upgrade = (
            f"{signed_in}Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {_KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self._kept = threading.local()
        self.connections: list[socket.socket] = []

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close the connections of all threads."""
        del raised
        for connection in self.connections:
            connection.close()

    def run(self) -> None:
        """Submit an execution and wait until it has completed and the server has closed the WebSocket.

        Raises:
            RuntimeError: when it is refused or ends otherwise.
        """
        last = b""
        for message in self._messages(self._submit()):
            last = message
        if not last or json.loads(last).get("type") != "completed":
            raise RuntimeError(f"the execution has not completed: {last.decode(errors='replace')}")

    def _submit(self) -> str:
        connection: socket.socket | None = getattr(self._kept, "connection", None)
        if connection is None or _has_ended(connection):
            if connection is not None:
                self.connections.remove(connection)
                connection.close()
            connection = self._kept.connection = self._connect()
            self.connections.append(connection)
        connection.sendall(next(self._requests))
        status, _, content = _answer(connection)
        if status != b"202":
            raise RuntimeError(f"the execution was refused: {content.decode(errors='replace')}")
        answer: dict[str, Any] = json.loads(content)
        return str(answer["execution_id"])

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(self._address, timeout=_PATIENCE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _messages(self, execution_id: str) -> Iterator[bytes]:
        """Yield the messages about an execution, JSON, until the server closes the connection."""
        with self._connect() as connection:
            connection.sendall(f"GET /ws/execution/{execution_id} HTTP/1.1\r\n{self._upgrade}".encode())
            status, received, _ = _answer(connection, upgraded=True)
            if status != b"101":
                raise RuntimeError(f"the WebSocket was refused: {status.decode()}")
            while True:
                while (frame := _frame(received)) is None:
                    piece = connection.recv(_PIECE)
                    if not piece:
                        return
                    received += piece
                opcode, content, received = frame
                if opcode == _TEXT:
                    yield content
                elif opcode in {_CLOSE, _PING}:
                    reply = _CLOSE if opcode == _CLOSE else _PONG
                    # A mask of zeros leaves the bytes as they are (RFC 6455, 5.3).
                    connection.sendall(bytes([_FIN | reply, _MASKED | len(content)]) + _UNMASKING + content)


def _answer(connection: socket.socket, *, upgraded: bool = False) -> tuple[bytes, bytes, bytes]:
    """Return the status of an answer, what came after it, and its content."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _received(connection)
    head, _, rest = received.partition(b"\r\n\r\n")
    status, *fields = head.split(b"\r\n")
    code = status.split(b" ", 2)[1]
    if upgraded:
        return code, rest, b""
    length = next(int(field[15:]) for field in fields if field[:15].lower() == b"content-length:")
    while len(rest) < length:
        rest += _received(connection)
    return code, rest[length:], rest[:length]


def _received(connection: socket.socket) -> bytes:
    piece = connection.recv(_PIECE)
    if not piece:
        raise RuntimeError("the server has closed a connection")
    return piece


def _frame(received: bytes) -> tuple[int, bytes, bytes] | None:
    """Return opcode and content of the first frame (RFC 6455, 5.2), and what follows; None when it is not whole."""
    if len(received) < _SHORTEST:
        return None
    length, begin = received[1], _SHORTEST
    if length in {_LONG, _LONGER}:
        begin = 4 if length == _LONG else 10
        length = int.from_bytes(received[2:begin])
    if len(received) < begin + length:
        return None
    return received[0] & 0x0F, received[begin : begin + length], received[begin + length :]


def _has_ended(connection: socket.socket) -> bool:
    """Return whether the server has closed a connection, as it does after some seconds without a request."""
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable)  # Nothing else can come before a request.


def _form(pipeline: str, image: bytes) -> bytes:
    """Return the body of a request for an execution."""
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="pipeline_id"\r\n\r\n{pipeline}\r\n'
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="input_files"; filename="part.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    return head.encode() + image + f"\r\n--{_BOUNDARY}--\r\n".encode()
