"""What a thousand WebSocket clients that only listen cost a server of one process."""

from __future__ import annotations

import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path

import httpx

from app.benchmarks.figures import Figure, at_most, judged_figure
from app.benchmarks.probing import resident_megabytes
from app.benchmarks.server.driving import served, signed_in

CLIENTS = 1_000
MOST_MB = 150.0
_PATIENCE_S = 30.0
_KEY = "AAAAAAAAAAAAAAAAAAAAAA=="


def measure(data: Path, *, clients: int = CLIENTS) -> list[Figure]:
    """Return the memory of a server with many idle clients of ``/ws/system-status``, and what one of them takes of it.

    Args:
        data: not used.
        clients: how many.

    Raises:
        Unavailable: when the server does not start.
    """
    del data
    _allow_files(2 * clients)
    limits = {
        "IMAGEFLOW_SERVER_MAX_CONNECTIONS": str(clients + 100),
        "IMAGEFLOW_SERVER_WEBSOCKETS_PER_PRINCIPAL": str(clients),
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), environment=limits) as (url, process_id),
        signed_in(url) as client,
        ExitStack() as opened,
    ):
        _connect(url, client, opened)
        before = resident_megabytes(process_id)
        for _ in range(clients - 1):
            _connect(url, client, opened)
        after = resident_megabytes(process_id)
    return [
        judged_figure(
            name="live_clients_mb",
            value=after,
            unit="MB",
            what=f"memory of the server's process with {clients} idle WebSocket clients",
            goal=at_most(MOST_MB),
        ),
        Figure(
            name="live_client_kb",
            value=1000 * (after - before) / (clients - 1),
            unit="KB",
            what="memory of one more idle WebSocket client",
        ),
    ]


def _connect(url: str, client: httpx.Client, opened: ExitStack) -> None:
    """Open a connection and wait for its first message."""
    place = httpx.URL(url)
    connection = opened.enter_context(socket.create_connection((place.host, place.port or 80), timeout=_PATIENCE_S))
    fields = {
        "Host": place.host,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": _KEY,
        "Sec-WebSocket-Version": "13",
        "Authorization": client.headers["Authorization"],
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    connection.sendall(f"GET /ws/system-status HTTP/1.1\r\n{head}\r\n".encode())
    received = b""
    while b"system_status" not in received:
        piece = connection.recv(4096)
        if not piece:
            raise RuntimeError(f"the server refused a client: {received[:200]!r}")
        received += piece


def _allow_files(count: int) -> None:
    """Let this process, and the server it starts, open many files."""
    try:
        import resource
    except ImportError:
        return  # Windows has no such limit.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
