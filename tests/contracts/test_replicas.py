"""Replicas of the server on PostgreSQL and a broker: each sees what others do; what is committed is published."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import BaseModel, ConfigDict
from websockets.sync.client import connect

from app.benchmarks import private_postgresql
from models.database import Database
from models.ids import new_id
from models.states import ExecutionStatus
from server.context import open_context
from server.core.settings import ServerSettings
from server.events.kafka.bus import KafkaBus
from server.events.kafka.options import KafkaOptions
from server.events.outbox import enqueue
from server.events.topics import Topic
from tests.support.live_clients import PATIENCE_S, add_execution
from tests.support.private_broker import broker, stopped
from tests.support.server_process import environment, run, server

PASSWORD = "correct horse battery staple"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")]


class Report(BaseModel):
    """An event of the tests."""

    model_config = ConfigDict(frozen=True)

    n: int


GROUP = "readers"
REPORT = Topic("reports", Report, groups=(GROUP,))
EVENTS = 30


@pytest.fixture
def database(postgresql_socket: str) -> Iterator[str]:
    with private_postgresql.database(postgresql_socket, f"t{new_id()}") as url:
        yield url


def test_a_client_at_one_replica_sees_what_another_one_does(
    tmp_path: Path, database: str, kafka_bootstrap: str
) -> None:
    shared = {
        "IMAGEFLOW_SERVER_DATABASE_URL": database,
        "IMAGEFLOW_SERVER_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "IMAGEFLOW_SERVER_KAFKA_TOPIC_PREFIX": f"t{new_id()}-",
        "IMAGEFLOW_SERVER_OBJECTS_URL": (tmp_path / "objects").as_uri(),
        "IMAGEFLOW_SERVER_JWT_SECRET": new_id() * 2,
        "IMAGEFLOW_SERVER_EXECUTION_SLOTS": "0",
    }
    made = run(
        *("admin", "users", "add", "anna", "--role", "admin", "--password-stdin", "--data-dir", tmp_path / "a"),
        given=PASSWORD,
        **shared,
    )
    assert made.returncode == 0, made.stderr
    store = Database(database)
    execution = add_execution(store, ExecutionStatus.PENDING)
    store.close()
    with server(tmp_path / "a", **shared) as (_, first, _), server(tmp_path / "b", **shared) as (_, second, _):
        secret = {"username": "anna", "password": PASSWORD}
        signed_in = httpx.post(f"{first}/api/v1/auth/login", json=secret, timeout=PATIENCE_S).json()
        head = {"Authorization": f"Bearer {signed_in['access_token']}"}
        address = f"{first.replace('http', 'ws', 1)}/ws/execution/{execution}"
        with connect(address, additional_headers=head, proxy=None, open_timeout=PATIENCE_S) as connection:
            assert json.loads(connection.recv(PATIENCE_S))["status"] == "pending"
            to_cancel = f"{second}/api/v1/executions/{execution}/cancel"
            cancelled = httpx.post(to_cancel, headers=head, timeout=PATIENCE_S)
            assert cancelled.status_code < 300, cancelled.text
            update = json.loads(connection.recv(PATIENCE_S))
    assert (update["type"], update["status"]) == ("execution_update", "cancelled")


DYING = """
import os, signal, sys
from tests.contracts.test_replicas import EVENTS, REPORT, Report, opened
from server.events.outbox import enqueue
context = opened(*sys.argv[1:])
context.outbox.start()
for number in range(EVENTS):
    with context.database.local_transaction() as session:
        enqueue(session, REPORT, f"k{number % 3}", Report(n=number))
    context.outbox.wake()
os.kill(os.getpid(), signal.SIGKILL)
"""


def opened(folder: str, database: str, bootstrap: str, prefix: str):
    """Return the parts of a server on a database and a broker."""
    given = {"database_url": database, "kafka_bootstrap": bootstrap, "kafka_topic_prefix": prefix}
    return open_context(ServerSettings(data_dir=Path(folder), **given))


def test_what_is_committed_is_published_though_the_process_dies_between(tmp_path: Path, database: str) -> None:
    with broker(tmp_path) as (bootstrap, broker_id):
        prefix = f"t{new_id()}-"
        given = (str(tmp_path / "data"), database, bootstrap, prefix)
        # The broker is away from some moment on: nothing of the rest can have been acknowledged.
        first = opened(*given)
        with first.database.local_transaction() as session:
            enqueue(session, REPORT, "k0", Report(n=-1))
        first.outbox.publish_waiting()
        first.close()
        with stopped(broker_id):
            died = subprocess.run(
                [sys.executable, "-c", DYING, *given], env=environment(), timeout=60, check=False, capture_output=True
            )
        assert died.returncode == -signal.SIGKILL, died.stderr
        second = opened(*given)
        second.outbox.start()
        try:
            found = asyncio.run(_received(KafkaOptions(bootstrap, prefix, session_timeout_s=1.0)))
        finally:
            second.close()
    assert sorted(found) == list(range(-1, EVENTS))
    for key in range(3):
        of_key = [number for number in found if number >= 0 and number % 3 == key]
        assert of_key == sorted(of_key)


async def _received(options: KafkaOptions) -> list[int]:
    """Return the events in the order in which they came, without those that came again."""
    bus = KafkaBus(options)
    found: dict[str, int] = {}
    try:
        async with asyncio.timeout(60), bus.consume(REPORT, GROUP) as consumer:
            while len(found) < EVENTS + 1:
                delivery = await anext(consumer)
                found.setdefault(delivery.event.id, delivery.value.n)
                delivery.ack()
    finally:
        await asyncio.to_thread(bus.close)
    return list(found.values())
