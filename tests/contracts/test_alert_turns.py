"""Replicas take turns in watching: an alert is raised once and delivered once, also when one of them is killed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine

from app.benchmarks import private_postgresql
from models.ids import new_id
from tests.support.awaiting import wait_until
from tests.support.replicas import Replica, replicas
from tests.support.webhook_receiver import Receiver, receiver

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")]
PATIENCE_S = 60.0
PERIOD_S = 2


@pytest.fixture
def database(postgresql_socket: str) -> Iterator[str]:
    with private_postgresql.database(postgresql_socket, f"t{new_id()}") as url:
        yield url


@pytest.fixture
def store(database: str) -> Iterator[Engine]:
    engine = create_engine(f"{database}&application_name=test")
    yield engine
    engine.dispose()


@pytest.fixture
def told() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def pair(tmp_path: Path, database: str) -> Iterator[tuple[Replica, Replica]]:
    settings = {"alert_period_s": str(PERIOD_S), "alert_webhook_networks": '["127.0.0.0/8"]'}
    with replicas(tmp_path, database, **settings) as running:
        yield running


def events(told: Receiver) -> list[str]:
    return [str(json.loads(body)["event"]) for _, body in told.calls]


def watched_part(on: Replica, told: Receiver) -> None:
    """Make a rule that any NG breaks, and complete a part with NG."""
    admin = on.sign_in()
    rule = {
        "name": "Any NG",
        "rule_kind": "ng_rate",
        "severity": "high",
        "parameters": {"threshold": 5.0, "min_count": 1},
        "webhooks": [f"http://127.0.0.1:{told.port}/"],
    }
    assert on.ask("POST", "/inspection/quality/alert-rules", admin, rule).status_code == 201
    target = on.ask("POST", "/inspection/targets", admin, {"code": new_id(), "name": "Plate"}).json()
    part = on.ask("POST", "/inspection/sessions", admin, {"target_id": target["id"]}).json()
    verdict = {"verdict": "NG", "complete": True}
    done = on.ask("POST", f"/inspection/sessions/{part['id']}/human-verification", admin, verdict)
    assert done.status_code == 201, done.text


def next_turn(store: Engine) -> str:
    with store.connect() as connection:
        return str(connection.scalar(text("SELECT value FROM sync_state WHERE key = 'alert_rules_due'")))


def alerts(store: Engine) -> int:
    with store.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM alerts")) or 0)


def test_an_alert_of_two_replicas_is_delivered_once(
    pair: tuple[Replica, Replica], store: Engine, told: Receiver
) -> None:
    watched_part(pair[1], told)
    assert wait_until(lambda: bool(told.calls), PATIENCE_S)
    # Both have had their chance to evaluate and to deliver again.
    for _ in range(3):
        before = next_turn(store)
        assert wait_until(lambda due=before: next_turn(store) != due, PATIENCE_S)
    assert (events(told), alerts(store)) == (["raised"], 1)


def test_the_turn_of_a_killed_replica_is_taken_over(
    pair: tuple[Replica, Replica], store: Engine, told: Receiver
) -> None:
    watching: list[str] = []

    def is_watching() -> bool:
        watching.extend(waiting(store))
        return bool(watching)

    with store.connect() as holding, holding.begin():
        # Whoever's turn it is waits in the middle of its evaluation.
        holding.execute(text("LOCK TABLE alerts IN ACCESS EXCLUSIVE MODE"))
        watched_part(pair[0], told)
        assert wait_until(is_watching, PATIENCE_S)
        holder = next(replica for replica in pair if replica.name == watching[0])
        os.kill(holder.process.pid, signal.SIGKILL)
        holder.process.wait()
        assert told.calls == []
    assert wait_until(lambda: bool(told.calls), PATIENCE_S)
    before = next_turn(store)
    assert wait_until(lambda: next_turn(store) != before, PATIENCE_S)
    assert (events(told), alerts(store)) == (["raised"], 1)


def waiting(store: Engine) -> list[str]:
    """Return the replicas that wait for a lock."""
    query = text(
        "SELECT application_name FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%alerts%'"
    )
    with store.connect() as connection:
        return [str(name) for name in connection.scalars(query)]
