"""An execution whose service is killed while it works, with real processes."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from server.services.replicas import Replica
from tests.support.executing import Executing, executing_server, jpeg
from tests.support.server_process import IMAGEFLOW, environment

pytestmark = pytest.mark.e2e
SLOW = {
    "id": "slow",
    "component": "filter",
    "inputs": {"image": "input"},
    "parameters": {"filter_type": "denoise", "radius": 8},
}
Processes = dict[str, subprocess.Popen[str]]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Processes]:
    """Two filter services on the objects of the server, by address."""
    command = [*IMAGEFLOW, "service", "filter", "--port", "0", "--data-dir", str(tmp_path)]
    with ExitStack() as opened:
        found: Processes = {}
        for _ in range(2):
            process = opened.enter_context(
                subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment())
            )
            opened.callback(process.kill)
            assert process.stderr is not None
            found[process.stderr.readline().split()[-1]] = process
        yield found


def at_work(running: Executing) -> Replica:
    """Wait until a replica of the filter has a call, and return it."""
    end, pause = time.monotonic() + 60, threading.Event()
    while True:
        for replica in running.served.context.services.replicas("filter").all:
            if replica.busy:
                return replica
        assert time.monotonic() < end
        pause.wait(0.005)


def test_both_files_are_done_when_the_replica_at_work_is_killed(tmp_path: Path, services: Processes) -> None:
    with executing_server(tmp_path, grpc_filter=",".join(services)) as running:
        execution = running.start(
            running.pipeline(SLOW), ("one.jpg", jpeg(2000, 1500, 1)), ("two.jpg", jpeg(2000, 1500, 2))
        )
        services[at_work(running).address.target].kill()
        state = running.ended(execution)
        pictures = [running.content(made["file_id"]) for made in state["output_files"] if "picture" in made["filename"]]
    assert state["status"] == "completed"
    assert [file["status"] for file in state["input_files"]] == ["completed", "completed"]
    assert len(set(pictures)) == 2
