"""Services as processes of their own, and a server that uses them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest

from inspection.imaging.files import encode_netpbm
from server.core.settings import ServerSettings
from server.objects.store import ObjectStore
from server.services.clients import ServiceClients
from server.services.step_services import StoredImage
from tests.support.certificates import Authority, Signed
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


def test_a_service_that_hangs_slows_no_other_request(tmp_path: Path) -> None:
    # A listener that accepts nobody: its connections are there, and nothing ever answers.
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        address = f"127.0.0.1:{hanging.getsockname()[1]}"
        with (
            server(tmp_path, IMAGEFLOW_SERVER_GRPC_FILTER=address) as (_, url, _),
            httpx.Client(trust_env=False, timeout=60) as client,
        ):
            took = []
            for _ in range(50):
                began = time.monotonic()
                assert client.get(f"{url}/health").json()["grpc_services"]["filter"]["status"] != "up"
                took.append(time.monotonic() - began)
    # Its health is checked for two seconds.
    assert sorted(took)[45] < 1.5


def test_a_server_reaches_services_by_tls_with_a_secret(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own = authority.sign("services")
    shared = {
        "IMAGEFLOW_SERVER_GRPC_SECRET": "s" * 32,
        "IMAGEFLOW_SERVER_GRPC_TLS_CERT": str(own.certificate),
        "IMAGEFLOW_SERVER_GRPC_TLS_KEY": str(own.key),
        "IMAGEFLOW_SERVER_GRPC_TLS_CA": str(authority.certificate),
        "IMAGEFLOW_SERVER_GRPC_TLS_NAME": "services",
    }
    with service("filter", "--data-dir", str(tmp_path), **shared) as apart:
        with server(tmp_path, IMAGEFLOW_SERVER_GRPC_FILTER=apart, **shared) as (_, url, _):
            found = httpx.get(f"{url}/health", trust_env=False, timeout=30).json()["grpc_services"]
        with server(tmp_path, IMAGEFLOW_SERVER_GRPC_FILTER=apart) as (_, url, _):
            stranger = httpx.get(f"{url}/health", trust_env=False, timeout=30).json()["grpc_services"]
    assert (found["filter"]["status"], found["resize"]["status"]) == ("up", "up")
    assert (stranger["filter"]["status"], stranger["resize"]["status"]) == ("down", "up")


def test_services_of_a_server_answer_it_whatever_name_its_certificate_has(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own, client = authority.sign("services"), authority.sign("server")
    shared = {"IMAGEFLOW_SERVER_GRPC_TLS_CA": str(authority.certificate)}

    def files(of: Signed) -> dict[str, str]:
        return {"IMAGEFLOW_SERVER_GRPC_TLS_CERT": str(of.certificate), "IMAGEFLOW_SERVER_GRPC_TLS_KEY": str(of.key)}

    with (
        service("filter", "--data-dir", str(tmp_path), **shared, **files(own)) as apart,
        server(
            tmp_path,
            IMAGEFLOW_SERVER_GRPC_FILTER=apart,
            IMAGEFLOW_SERVER_GRPC_TLS_NAME="services",
            **shared,
            **files(client),
        ) as (_, url, _),
    ):
        found = httpx.get(f"{url}/health", trust_env=False, timeout=30).json()["grpc_services"]
    assert (found["filter"]["status"], found["resize"]["status"]) == ("up", "up")


def test_services_of_a_server_without_a_certificate_are_asked_in_clear(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own = authority.sign("services")
    options = ("--tls-cert", str(own.certificate), "--tls-key", str(own.key))
    with (
        service("filter", "--data-dir", str(tmp_path), *options) as apart,
        server(
            tmp_path,
            IMAGEFLOW_SERVER_GRPC_FILTER=apart,
            IMAGEFLOW_SERVER_GRPC_TLS_NAME="services",
            IMAGEFLOW_SERVER_GRPC_TLS_CA=str(authority.certificate),
        ) as (_, url, _),
    ):
        found = httpx.get(f"{url}/health", trust_env=False, timeout=30).json()["grpc_services"]
    assert (found["filter"]["status"], found["resize"]["status"]) == ("up", "up")


def test_no_call_is_lost_when_a_replica_is_killed(tmp_path: Path) -> None:
    objects = ObjectStore(ServerSettings(data_dir=tmp_path).objects)
    data = encode_netpbm(np.zeros((48, 64, 3), np.uint8))
    sha256 = hashlib.sha256(data).hexdigest()
    objects.put(sha256, data)
    image = StoredImage(objects.bucket, objects.object_key(sha256), "image/netpbm", len(data), 64, 48)

    async def main(first: str, second: str, kill: Callable[[], None]) -> list[int]:
        clients = ServiceClients(ServerSettings(grpc_filter=f"{first},{second}"))
        await clients.start({})
        widths = []
        for number in range(40):
            if number == 10:
                kill()
            answer = await clients.run("filter", {"filter_type": "blur"}, image)
            assert answer.output is not None
            widths.append(answer.output.width)
        await clients.stop()
        return widths

    options = [*IMAGEFLOW, "service", "filter", "--port", "0", "--data-dir", str(tmp_path)]
    with (
        service("filter", "--data-dir", str(tmp_path)) as lasting,
        subprocess.Popen(options, stderr=subprocess.PIPE, text=True, env=environment()) as process,
    ):
        assert process.stderr is not None
        killed = process.stderr.readline().split()[-1]
        assert asyncio.run(main(lasting, killed, process.kill)) == [64] * 40


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
        option = "--port" if command[0] == "service" else "--grpc-port"
        done = run(*command, option, port, "--data-dir", tmp_path)
    assert done.returncode == 1
    title, advice = done.stderr.splitlines()  # and nothing of gRPC's own
    assert port in title
    assert option in advice
    assert not (tmp_path / "server.json").exists()


def test_a_port_of_the_settings_that_is_taken_is_named_by_the_option_of_its_command(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("service", "resize", "--data-dir", tmp_path, IMAGEFLOW_SERVER_GRPC_PORT=port)
    assert done.returncode == 1
    assert "--port" in done.stderr
    assert "--grpc-port" not in done.stderr


def test_the_file_of_a_model_that_is_missing_is_told_at_the_start(tmp_path: Path) -> None:
    models = json.dumps({"yolo11": str(tmp_path / "gone.onnx")})
    with server(tmp_path, IMAGEFLOW_SERVER_MODELS=models) as (_, _, told):
        assert any("yolo11" in line and "gone.onnx" in line for line in told)


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("--host", "10.99.99.99"), {"IMAGEFLOW_SERVER_GRPC_SECRET": "s" * 32, "IMAGEFLOW_SERVER_INSECURE": "1"}),
        (("--host", "0.0.0.0"), {}),  # noqa: S104 - refused
        (("--model", "yolo11"), {}),
        ((), {"IMAGEFLOW_SERVER_MODELS": json.dumps([1])}),
        ((), {"IMAGEFLOW_SERVER_MODELS": "{"}),
        ((), {"IMAGEFLOW_SERVER_GRPC_SECRET": "short"}),
    ],
)
def test_a_wrong_setting_of_a_service_ends_with_2(
    tmp_path: Path, arguments: tuple[str, ...], extra: dict[str, str]
) -> None:
    done = run("service", "resize", "--port", "0", "--data-dir", tmp_path, *arguments, **extra)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
