"""A real server process under attack, and the ordinary requests beside it."""

from __future__ import annotations

import math
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import grpc
import httpx

from models.states import Role
from server.context import open_context
from server.core.settings import ServerSettings
from server.grpc.contract import SERVICES
from server.objects.store import ObjectStore
from server.users.schemas import UserCreate
from server.users.service import create_user
from tests.support.executing import Executing
from tests.support.server_process import server
from tests.support.serving import PASSWORD, SETUP, Served

T = TypeVar("T")
MASK = b"\0\0\0\0"


@dataclass(eq=False)
class Attacked(Executing):
    """A server process; ``services`` are the addresses of its gRPC services."""

    services: dict[str, str]
    objects: ObjectStore

    def code(self, answer: httpx.Response) -> tuple[int, str]:
        """Return status and code of a refusal."""
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        return answer.status_code, str(answer.json()["type"]).rpartition("/")[2]

    def ask(self, service: str, data: bytes, timeout: float = 20.0) -> grpc.StatusCode:
        """Send bytes to the processing call of a service and return its status."""
        with grpc.insecure_channel(self.services[service]) as channel:
            try:
                channel.unary_unary(SERVICES[service].path(), None, None)(data, timeout=timeout)
            except grpc.RpcError as error:
                return error.code()
        return grpc.StatusCode.OK

    def websocket(self, path: str = "/ws/system-status") -> socket.socket:
        """Open a WebSocket by hand, for what no client library sends."""
        host, port = self.served.url.removeprefix("http://").split(":")
        connection = socket.create_connection((host, int(port)), timeout=30)
        token = self.served["admin"].headers["Authorization"]
        head = (
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            f"Authorization: {token}\r\n\r\n"
        )
        connection.sendall(head.encode())
        assert connection.recv(12) == b"HTTP/1.1 101"
        return connection

    def beside(self, attack: Callable[[], T], least: int = 10) -> tuple[T, float]:
        """Run an attack, and return what it gave and how long nine of ten requests took at most beside it, seconds."""
        took: list[float] = []
        with ThreadPoolExecutor(1) as threads:
            running = threads.submit(attack)
            while not running.done() or len(took) < least:
                began = time.monotonic()
                assert self.served["inspector"].get("/executions?limit=1").status_code == 200
                took.append(time.monotonic() - began)
        return running.result(), sorted(took)[math.ceil(0.9 * len(took)) - 1]


@contextmanager
def attacked_server(folder: Path, **environment: str) -> Iterator[Attacked]:
    """Start a server process with a client of an inspector, a supervisor and an administrator."""
    settings = ServerSettings(data_dir=folder)
    context = open_context(settings)
    roles = (Role.INSPECTOR, Role.SUPERVISOR, Role.ADMIN)
    for role in roles:
        create_user(context, SETUP, UserCreate(username=role.value, role=role, password=PASSWORD))
    context.close()
    with server(folder, **environment) as (_, url, _):
        served = Served(url, context)
        try:
            for role in roles:
                token = served.sign_in(role.value)["access_token"]
                served.clients[role.value] = served.client(Authorization=f"Bearer {token}")
            services = {one["id"]: one["address"] for one in served["admin"].get("/grpc-services").json()}
            yield Attacked(served, services, ObjectStore(settings.objects))
        finally:
            for client in served.clients.values():
                client.close()


def png_that_claims(width: int, height: int, *, rows: int = 0) -> bytes:
    """Return a PNG of a size that its data does not have; of one colour it takes a thousandth of its pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))

    header = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(rows * (1 + 3 * width)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def frame(data: bytes, *, opcode: int = 1) -> bytes:
    """Return a masked WebSocket frame of less than 126 bytes."""
    return bytes((0x80 | opcode, 0x80 | len(data))) + MASK + data


def close_code(connection: socket.socket) -> int:
    """Read to the close frame and return its code; 0 when the connection ends without one."""
    received = b""
    while True:
        try:
            piece = connection.recv(65_536)
        except ConnectionError:
            return 0
        if not piece:
            break
        received += piece
    place = received.rfind(b"\x88")
    return struct.unpack("!H", received[place + 2 : place + 4])[0] if place >= 0 else 0
