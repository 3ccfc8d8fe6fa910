"""Memory of a server that takes large files."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.support.server_process import run, server

PASSWORD = "correct horse battery staple"
FILES, SIDE = 10, 3_600
_MEGA = 1_000_000


def _memory_mb(process_id: int, what: str) -> float:
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) * 1024 / _MEGA


def _image(path: Path, number: int) -> Path:
    """Write an image of 39 MB that no other number has."""
    path.write_bytes(b"P6\n%d %d\n255\n" % (SIDE, SIDE) + number.to_bytes(3, "big") + bytes(SIDE * SIDE * 3 - 3))
    return path


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
def test_memory_does_not_grow_with_the_files_of_an_execution(tmp_path: Path) -> None:
    made = run(
        "admin", "users", "add", "boss", "--role", "admin", "--password-stdin", "--data-dir", tmp_path, given=PASSWORD
    )
    assert made.returncode == 0, made.stderr
    # What runs takes the memory of its image; here nothing does.
    with server(tmp_path, IMAGEFLOW_SERVER_EXECUTION_SLOTS="0") as (process, url, _), ExitStack() as opened:
        client = opened.enter_context(httpx.Client(base_url=f"{url}/api/v1", trust_env=False, timeout=60))
        pair = client.post("/auth/login", json={"username": "boss", "password": PASSWORD}).json()
        client.headers["Authorization"] = f"Bearer {pair['access_token']}"
        step = {"id": "r", "component": "resize", "inputs": {"image": "input"}, "parameters": {"width": 64}}
        pipeline = client.post("/pipelines", json={"name": "n", "definition": {"name": "n", "steps": [step]}}).json()
        images = [_image(tmp_path / f"{number}.ppm", number) for number in range(FILES)]
        files = [("input_files", (image.name, opened.enter_context(image.open("rb")))) for image in images]
        before = _memory_mb(process.pid, "VmRSS:")
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # forget the peak of the sign-in
        answer = client.post("/executions", data={"pipeline_id": pipeline["id"]}, files=files)
        peak = _memory_mb(process.pid, "VmHWM:")
    assert answer.status_code == 202, answer.text
    assert json.loads(answer.text)["status"] == "pending"
    size = sum(image.stat().st_size for image in images) / _MEGA
    # One file is looked at while the others come.
    assert peak - before < 2.5 * size / FILES
