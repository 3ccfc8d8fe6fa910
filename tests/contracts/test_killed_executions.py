"""An accepted execution has exactly one end, whichever process is killed in the middle."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.benchmarks import private_postgresql
from models.ids import new_id
from tests.support.killed_executions import kill_under_load, losses, plant, wait_for_ends
from tests.support.private_s3 import S3Server

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")]
KILLS = 6
"""Fifty with ``make proofs``."""


@pytest.fixture
def database(postgresql_socket: str) -> Iterator[str]:
    with private_postgresql.database(postgresql_socket, f"t{new_id()}") as url:
        yield url


def test_an_accepted_execution_ends_once_whoever_is_killed(tmp_path: Path, database: str) -> None:
    with plant(tmp_path, database) as running:
        kill_under_load(running, KILLS, seed=1)
        wait_for_ends(running)
        assert losses(running) == []
        assert len(running.accepted) > KILLS


def test_an_execution_over_the_broker_ends_once_whoever_is_killed(
    tmp_path: Path, database: str, kafka_bootstrap: str
) -> None:
    with plant(tmp_path, database, kafka_bootstrap) as running:
        kill_under_load(running, KILLS, seed=2)
        wait_for_ends(running)
        assert losses(running) == []
        assert len(running.accepted) > KILLS


def test_an_execution_of_a_worker_keeps_its_objects_in_a_bucket(
    tmp_path: Path, database: str, kafka_bootstrap: str, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    bucket = f"t{new_id()}"
    s3.make_bucket(bucket)
    with plant(tmp_path, database, kafka_bootstrap, bucket) as running:
        kill_under_load(running, 2, seed=3)
        wait_for_ends(running)
        assert losses(running) == []
        assert running.accepted
