"""A server of its own process for a measurement, and clients in another that keep it busy."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from app.server_process import ServerProcess
from inspection.runtime.subprocesses import module_command
from models.states import Role
from server.auth.identity.principal import Principal
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from server.users.schemas import UserCreate
from server.users.service import create_user

START_S = 60.0
SIGN_IN = {"username": "bench", "password": "a password of the benchmark"}
_SET_UP = Principal(None, "benchmark", Role.ADMIN, None)


@contextmanager
def served(
    folder: Path,
    fill: Callable[[ServerContext], None] = lambda _: None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, int]]:
    """Run a server on a new store until the block ends, and give its URL and process id.

    Args:
        folder: for the store.
        fill: what the store holds beside an administrator, who signs in by ``SIGN_IN``.
        environment: further settings of the server.
    """
    store = folder / "server"
    context = open_context(ServerSettings(data_dir=store))
    create_user(context, _SET_UP, UserCreate(**SIGN_IN, role=Role.ADMIN))
    fill(context)
    context.close()
    process = ServerProcess(store, environment)
    process.start()
    try:
        yield process.url, int(json.loads((store / "server.json").read_text(encoding="utf-8"))["pid"])
    finally:
        process.stop()


@contextmanager
def peer_route(module: str, port_file: Path, *arguments: str) -> Iterator[tuple[str, int]]:
    """Run a peer in a process of its own until the block ends, and give its URL and process id.

    Args:
        module: takes the file that it writes its port to, then ``arguments``; ends with its standard input.
        port_file: that file.
        arguments: further ones.

    Raises:
        RuntimeError: when it does not start.
    """
    command = module_command(module, str(port_file), *arguments)
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:  # noqa: S603
        try:
            deadline = time.monotonic() + START_S
            while not (port_file.exists() and port_file.read_text(encoding="utf-8")):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{module} did not start")
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port_file.read_text(encoding='utf-8')}", process.pid
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(START_S)


@contextmanager
def signed_in(url: str) -> Iterator[httpx.Client]:
    """Give a client of the API, signed in as the administrator."""
    with httpx.Client(base_url=f"{url}/api/v1", trust_env=False, timeout=START_S) as client:
        answer = client.post("/auth/login", json=SIGN_IN).raise_for_status()
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


def get(path: str, client: httpx.Client | None = None) -> str:
    """Return the bytes of a request, as text, with the sign-in of ``client``."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{_sign_in(client)}\r\n"


def post(path: str, body: Mapping[str, object], client: httpx.Client | None = None) -> str:
    """Return the bytes of a request with a JSON body, as text, with the sign-in of ``client``."""
    text = json.dumps(body)
    kind = f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n"
    return f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{_sign_in(client)}{kind}\r\n{text}"


@contextmanager
def keeping_busy(
    url: str, requests: Sequence[str], connections: int, seconds: float, rate: float = 0.0
) -> Iterator[dict[str, Any]]:
    """Send requests for some seconds, beside the block; afterwards the mapping holds what came back.

    Args:
        url: of the server.
        requests: whole requests; the connections take them in turn.
        connections: at once; each sends its request again when the answer is whole.
        seconds: how long.
        rate: requests a second that come whether answers do or not; 0 sends the next one with each answer.
    """
    place = httpx.URL(url)
    task = {"host": place.host, "port": place.port, "requests": requests, "connections": connections, "rate": rate}
    command = module_command("app.benchmarks.server.load_client")
    found: dict[str, Any] = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        if process.stdin is None:
            raise RuntimeError("a pipe was asked for")
        process.stdin.write(json.dumps({**task, "seconds": seconds}))
        process.stdin.close()
        process.stdin = None
        yield found
        answered, _ = process.communicate(timeout=seconds + START_S)
    if process.returncode:
        raise RuntimeError(f"the load ended with exit code {process.returncode}")
    found.update(json.loads(answered))


def load(url: str, requests: Sequence[str], connections: int, seconds: float, rate: float = 0.0) -> Mapping[str, float]:
    """Send requests as ``keeping_busy`` does, and return what came back."""
    with keeping_busy(url, requests, connections, seconds, rate) as found:
        pass
    return found


def _sign_in(client: httpx.Client | None) -> str:
    return "" if client is None else f"Authorization: {client.headers['Authorization']}\r\n"
