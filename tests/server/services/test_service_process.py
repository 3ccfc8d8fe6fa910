"""Services as processes of their own, and a server that uses them."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.support.server_process import IMAGEFLOW, environment, run, server, service

pytestmark = pytest.mark.e2e


def test_a_server_uses_replicas_of_their_own(tmp_path: Path) -> None:
    options = ("--data-dir", str(tmp_path))
    with service("filter", *options) as one, service("filter", *options) as two:
        addresses = {"IMAGEFLOW_SERVER_GRPC_FILTER": f"{one}, {two}"}
        with server(tmp_path, **addresses) as (_, url, _):
            found = httpx.get(f"{url}/health", trust_env=False, timeout=30).json()["grpc_services"]
    assert (found["filter"]["status"], found["filter"]["replicas"]) == ("up", 2)
    assert (found["resize"]["status"], found["resize"]["replicas"]) == ("up", 1)


def test_a_server_starts_while_a_service_is_away(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        away = f"127.0.0.1:{closed.getsockname()[1]}"
    with server(tmp_path, IMAGEFLOW_SERVER_GRPC_FILTER=away) as (_, url, _):
        answer = httpx.get(f"{url}/health", trust_env=False, timeout=30)
    assert (answer.status_code, answer.json()["grpc_services"]["filter"]["status"]) == (200, "down")


def test_sigterm_ends_a_service_with_0(tmp_path: Path) -> None:
    command = [*IMAGEFLOW, "service", "resize", "--port", "0", "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stderr is not None
        assert "listens on" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize("command", [("service", "resize"), ("server", "--port", "0")])
def test_a_taken_port_ends_the_start_with_1_naming_it(tmp_path: Path, command: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        option = ("--port", port) if command[0] == "service" else ("--grpc-port", port)
        done = run(*command, *option, "--data-dir", tmp_path)
    assert done.returncode == 1
    assert port in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "server.json").exists()


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("--host", "0.0.0.0"), {}),  # noqa: S104 - refused
        (("--model", "yolo11"), {}),
        ((), {"IMAGEFLOW_SERVER_MODELS": json.dumps([1])}),
        ((), {"IMAGEFLOW_SERVER_GRPC_SECRET": "short"}),
    ],
)
def test_a_wrong_setting_of_a_service_ends_with_2(
    tmp_path: Path, arguments: tuple[str, ...], extra: dict[str, str]
) -> None:
    done = run("service", "resize", "--port", "0", "--data-dir", tmp_path, *arguments, **extra)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
