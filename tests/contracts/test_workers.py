"""Several processes of a server on one socket and one PostgreSQL database."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.benchmarks import private_postgresql
from models.ids import new_id
from tests.support.awaiting import wait_until
from tests.support.server_process import run, server
from tests.support.unheard_signals import signal_beside_main_thread

PASSWORD = "correct horse battery staple"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")]


@pytest.fixture
def database(postgresql_socket: str) -> Iterator[str]:
    with private_postgresql.database(postgresql_socket, f"t{new_id()}") as url:
        yield url


def children(process_id: int) -> set[int]:
    """Return the ids of the workers of a server, which multiprocessing begins by ``spawn_main``."""
    text = Path(f"/proc/{process_id}/task/{process_id}/children").read_text()
    ids = {int(one) for one in text.split()}
    return {one for one in ids if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()}


def is_there(process_id: int) -> bool:
    return Path(f"/proc/{process_id}").exists()


def test_more_processes_need_postgresql(tmp_path: Path) -> None:
    refused = run("server", "--data-dir", tmp_path / "data", "--port", "0", "--workers", "2")
    assert (refused.returncode, "IMAGEFLOW_SERVER_DATABASE_URL" in refused.stderr) == (2, True)


def test_workers_answer_for_one_database(tmp_path: Path, database: str) -> None:
    folder = tmp_path / "data"
    url_of_database = {"IMAGEFLOW_SERVER_DATABASE_URL": database}
    made = run(
        "admin", "users", "add", "anna", "--role", "admin", "--password-stdin", "--data-dir", folder,
        given=PASSWORD, **url_of_database,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    with server(folder, "--workers", "2", **url_of_database) as (process, url, _):
        workers = children(process.pid)
        secret, targets = {"username": "anna", "password": PASSWORD}, f"{url}/api/v1/inspection/targets"
        signed_in = httpx.post(f"{url}/api/v1/auth/login", json=secret, timeout=60)
        head = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
        # Each on a connection of its own, so that more than one process gets some.
        answers = [
            httpx.post(targets, json={"code": f"T{number}", "name": "Plate"}, headers=head, timeout=60).status_code
            for number in range(12)
        ]
        listed = httpx.get(targets, headers=head, timeout=60).json()["total_count"]
        assert (len(workers), answers, listed) == (2, [201] * 12, 12)


def test_workers_that_end_are_replaced_by_others_that_serve(tmp_path: Path, database: str) -> None:
    with server(tmp_path / "data", "--workers", "2", IMAGEFLOW_SERVER_DATABASE_URL=database) as (process, url, _):
        first = children(process.pid)
        for worker in first:
            os.kill(worker, signal.SIGKILL)
        assert wait_until(lambda: len(children(process.pid) - first) == 2)
        assert httpx.get(f"{url}/health", timeout=60).status_code == 200


def test_workers_end_with_the_process_that_began_them(tmp_path: Path, database: str) -> None:
    with server(tmp_path / "data", "--workers", "2", IMAGEFLOW_SERVER_DATABASE_URL=database) as (process, _, _):
        workers = children(process.pid)
        process.kill()
        assert wait_until(lambda: not any(map(is_there, workers)))


def test_a_signal_stops_all_workers_cleanly(tmp_path: Path, database: str) -> None:
    with server(tmp_path / "data", "--workers", "2", IMAGEFLOW_SERVER_DATABASE_URL=database) as (process, _, _):
        workers = children(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert not any(map(is_there, workers))


@pytest.mark.skipif(sys.platform != "linux", reason="sends a signal to one thread of another process")
def test_a_signal_that_came_just_before_the_first_process_waits_stops_it(tmp_path: Path, database: str) -> None:
    with server(tmp_path / "data", "--workers", "2", IMAGEFLOW_SERVER_DATABASE_URL=database) as (process, _, _):
        signal_beside_main_thread(process.pid, signal.SIGTERM)
        assert process.wait(30) == 0
