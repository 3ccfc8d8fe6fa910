"""A client that runs executions and takes little of the processors that it shares with the server.

Its requests are made once, its connection for them is kept, and no thread reads for it; what goes over the wire is what
any client sends: a form for each execution, a WebSocket for each, with its handshakes at both ends.
"""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any, Self

import httpx
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

_PATIENCE_S = 60.0
_PIECE = 64 * 1024
_BOUNDARY = "a-boundary-that-no-JPEG-has"


class ExecutionClient:
    """Submits one image to one pipeline again and again, and waits for each execution; for several threads.

    Use it in a ``with`` block, which closes the connections.

    Args:
        http: signed in.
        pipeline: id of the pipeline.
        image: JPEG.

    Attributes:
        connections: of its threads.
    """

    def __init__(self, http: httpx.Client, pipeline: str, image: bytes) -> None:
        self._host, self._port = http.base_url.host, http.base_url.port or 80
        self._path = f"{http.base_url.path}executions"
        self._sign_in = http.headers["Authorization"]
        self._body = _form(pipeline, image)
        self._fields = {
            "Authorization": self._sign_in,
            "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
        }
        self._kept = threading.local()
        self.connections: list[HTTPConnection] = []

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
        last: Mapping[str, Any] = {}
        for message in self._messages(self._submit()):
            last = message
        if last.get("type") != "completed":
            raise RuntimeError(f"the execution has not completed: {dict(last)}")

    def _submit(self) -> str:
        connection: HTTPConnection | None = getattr(self._kept, "connection", None)
        if connection is None:
            connection = self._kept.connection = HTTPConnection(self._host, self._port, timeout=_PATIENCE_S)
            self.connections.append(connection)
        elif _has_ended(connection):
            connection.close()  # Opened again by the request.
        connection.request("POST", self._path, self._body, self._fields)
        with connection.getresponse() as answer:
            content = answer.read()
            if answer.status != HTTPStatus.ACCEPTED:
                raise RuntimeError(f"the execution was refused: {content.decode(errors='replace')}")
        return str(json.loads(content)["execution_id"])

    def _messages(self, execution_id: str) -> Iterator[Mapping[str, Any]]:
        """Yield the messages about an execution until the server closes the connection."""
        protocol = ClientProtocol(parse_uri(f"ws://{self._host}:{self._port}/ws/execution/{execution_id}"))
        request = protocol.connect()
        request.headers["Authorization"] = self._sign_in
        protocol.send_request(request)
        with socket.create_connection((self._host, self._port), timeout=_PATIENCE_S) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                for data in protocol.data_to_send():
                    if data:
                        connection.sendall(data)
                received = connection.recv(_PIECE)
                if not received:
                    return
                protocol.receive_data(received)
                if protocol.handshake_exc is not None:
                    raise protocol.handshake_exc
                for event in protocol.events_received():
                    if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                        yield json.loads(bytes(event.data))


def _has_ended(connection: HTTPConnection) -> bool:
    """Return whether the server has closed a connection, as it does after some seconds without a request."""
    if connection.sock is None:
        return True
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return bool(readable)  # Nothing else can come before a request.


def _form(pipeline: str, image: bytes) -> bytes:
    """Return the body of a request for an execution."""
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="pipeline_id"\r\n\r\n{pipeline}\r\n'
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="input_files"; filename="part.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    return head.encode() + image + f"\r\n--{_BOUNDARY}--\r\n".encode()
