"""``imageflow server`` and ``imageflow admin`` as real processes."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2

from server.grpc.contract import SERVICES
from tests.support.messages import says
from tests.support.server_process import first_of_free_ports, run, server

PASSWORD = "correct horse battery staple"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.mark.slow
def test_a_server_in_use_logs_no_secret(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with server(folder) as (process, url, lines):
        announced = json.loads((folder / "server.json").read_text())
        assert announced["pid"] == process.pid
        assert any("imageflow admin users add NAME --role admin" in line for line in lines)
        made = run(
            "admin", "users", "add", "boss", "--role", "admin", "--password-stdin", "--data-dir", folder, given=PASSWORD
        )
        assert made.returncode == 0, made.stderr
        code = json.loads(run("admin", "codes", "create", "Line 1", "--data-dir", folder, "--json").stdout)["code"]
        with httpx.Client(base_url=f"{url}/api/v1", trust_env=False, timeout=60) as client:
            pair = client.post("/auth/login", json={"username": "boss", "password": PASSWORD}).json()
            client.headers["Authorization"] = f"Bearer {pair['access_token']}"
            assert client.get("/users/me").json()["role"] == "admin"
            enrolled = client.post("/tauri/devices/register", json={"code": code}).json()
            client.post("/auth/login", json={"username": "boss", "password": "wr0ng-password"})
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert not (folder / "server.json").exists()
        log = "".join(lines)
    secrets = (PASSWORD, "wr0ng-password", code, pair["access_token"], pair["refresh_token"], enrolled["credential"])
    assert not [secret for secret in secrets if secret in log]
    # Neither who it was nor from where.
    assert "boss" not in log
    assert "127.0.0.1" not in log.replace(url, "")
    assert all(json.loads(line)["event"] for line in lines if line.startswith("{"))
    assert stat.S_IMODE((folder / "jwt-secret").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "server.sqlite3").stat().st_mode) & 0o077 == 0


@pytest.mark.slow
def test_tokens_survive_a_restart(tmp_path: Path) -> None:
    run("admin", "users", "add", "boss", "--role", "admin", "--password-stdin", "--data-dir", tmp_path, given=PASSWORD)
    tokens = []
    for _ in range(2):
        with server(tmp_path) as (process, url, _lines), httpx.Client(trust_env=False, timeout=60) as client:
            if not tokens:
                body = {"username": "boss", "password": PASSWORD}
                tokens.append(client.post(f"{url}/api/v1/auth/login", json=body).json()["access_token"])
            answer = client.get(f"{url}/api/v1/users/me", headers={"Authorization": f"Bearer {tokens[0]}"})
            assert answer.status_code == 200
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(30) == 0


@pytest.mark.slow
def test_a_second_server_on_the_same_data_is_refused_while_the_first_runs(tmp_path: Path) -> None:
    with server(tmp_path) as (_, url, _):
        second = run("server", "--data-dir", tmp_path, "--port", "0", IMAGEFLOW_LANGUAGE="en")
        assert (second.returncode, str(tmp_path) in second.stderr) == (1, True), second.stderr
        assert says(second.stderr, "server-running", folder=tmp_path)
        assert json.loads((tmp_path / "server.json").read_text())["url"] == url
        assert run("admin", "users", "list", "--data-dir", tmp_path).returncode == 0
    with server(tmp_path):
        pass


def test_a_server_starts_without_what_only_inspecting_or_migrating_takes() -> None:
    heavy = ("numpy", "cv2", "openvino", "torch", "alembic", "matplotlib", "PySide6")
    modules = "server.process.serving, server.process.running, server.http.application"
    code = f"import sys, {modules}; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_components_are_listed_without_opencv() -> None:
    code = "import sys, inspection.components.registry as it; print(len(it.components()) > 5, 'cv2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "True False"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads what a process has mapped from /proc")
def test_a_server_loads_no_image_library_before_an_image_comes(tmp_path: Path) -> None:
    with server(tmp_path) as (process, url, _):
        services = httpx.get(f"{url}/health", trust_env=False, timeout=30).json()["grpc_services"]
        mapped = Path(f"/proc/{process.pid}/maps").read_text()
    assert {one["status"] for one in services.values()} == {"up"}
    heavy = ("numpy", "cv2", "openvino", "cryptography", "obstore", "grpc", "google")
    assert [name for name in heavy if f"site-packages/{name}/" in mapped] == []


@pytest.mark.slow
def test_a_server_answers_the_first_who_calls_a_service_from_outside(tmp_path: Path) -> None:
    first = first_of_free_ports(len(SERVICES))
    with server(tmp_path, "--grpc-port", str(first)) as (process, url, _):
        answers = {key: health_at(f"127.0.0.1:{first + one.port_offset}") for key, one in SERVICES.items()}
        services = httpx.get(f"{url}/health", trust_env=False, timeout=30).json()["grpc_services"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert answers == dict.fromkeys(SERVICES, health_pb2.HealthCheckResponse.SERVING)
    assert all(one["latency_ms"] > 0 for one in services.values())


def health_at(address: str) -> int:
    with grpc.insecure_channel(address) as channel:
        answer = channel.unary_unary("/grpc.health.v1.Health/Check", bytes, bytes)(b"", timeout=30)
    return health_pb2.HealthCheckResponse.FromString(answer).status
