"""An API, a worker and a gRPC service as processes on one PostgreSQL, which are killed while executions come."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from models.database import Database
from models.ids import new_id
from models.storage import sha256_of
from server.objects.store import ObjectStore
from tests.support.executing import RESIZE_BLUR, jpeg
from tests.support.private_broker import free_port
from tests.support.server_process import environment, run

PASSWORD = "correct horse battery staple"
DEADLINE_S = 120.0
API, WORKER, SERVICE = "api", "worker", "service"
_LOG_ENDS = """
CREATE TABLE seen_ends (execution_id text, status text);
CREATE FUNCTION log_end() RETURNS trigger AS $$
BEGIN INSERT INTO seen_ends VALUES (NEW.id, NEW.status); RETURN NEW; END $$ LANGUAGE plpgsql;
CREATE TRIGGER log_end AFTER UPDATE ON executions FOR EACH ROW
WHEN (NEW.status IN ('completed', 'failed', 'cancelled') AND OLD.status IS DISTINCT FROM NEW.status)
EXECUTE FUNCTION log_end();
"""


@dataclass(eq=False)
class Plant:
    """The processes, each started again after it was killed.

    Attributes:
        folder: of data and logs.
        database_url: of PostgreSQL.
        bus: address of a Kafka broker; executions then go over it to the worker, else each process runs them.
        bucket: of objects behind an S3 API, else they are in a folder.
        accepted: ids of the executions that the API has accepted.
        kills: by process.
    """

    folder: Path
    database_url: str
    bus: str = ""
    bucket: str = ""
    port: int = field(default_factory=free_port)
    service_port: int = field(default_factory=free_port)
    accepted: list[str] = field(default_factory=list)
    kills: dict[str, int] = field(default_factory=lambda: dict.fromkeys((API, WORKER, SERVICE), 0))
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _enough: threading.Event = field(default_factory=threading.Event)

    @property
    def objects_url(self) -> str:
        return f"s3://{self.bucket}" if self.bucket else (self.folder / "objects").absolute().as_uri()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"

    def settings(self) -> dict[str, str]:
        prefix = "IMAGEFLOW_SERVER_"
        given = {
            "DATABASE_URL": self.database_url,
            "OBJECTS_URL": self.objects_url,
            "GRPC_PORT": "0",
            "GRPC_RESIZE": f"127.0.0.1:{self.service_port}",
            "EXECUTION_SLOTS": "1",
            "EXECUTION_LEASE_S": "2",
            "EXECUTION_ATTEMPTS": "20",
            "ACCESS_TOKEN_MINUTES": "600",
        }
        if self.bus:
            # Topics of its own, on a broker that others use too.
            given |= {"KAFKA_BOOTSTRAP": self.bus, "KAFKA_TOPIC_PREFIX": f"t{self.port}-", "EXECUTION_SLOTS": "0"}
        return {prefix + name: value for name, value in given.items()}

    def start(self, name: str) -> None:
        data = ["--data-dir", str(self.folder / ("data" if name == API else name)), "--until-stdin-closes"]
        commands = {
            API: ["server", "--port", str(self.port), *data],
            WORKER: ["worker", "--slots", "1", *data],
            SERVICE: ["service", "resize", "--port", str(self.service_port), *data],
        }
        log = (self.folder / f"{name}.log").open("ab")
        with log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "app", *commands[name]],
                stdin=subprocess.PIPE,
                stderr=log,
                stdout=subprocess.DEVNULL,
                env=environment(**self.settings()),
            )

    def kill(self, name: str) -> None:
        process = self._processes[name]
        assert process.poll() is None, (self.folder / f"{name}.log").read_text()[-2_000:]
        process.send_signal(signal.SIGKILL)
        self._ended(process)
        self.kills[name] += 1
        self.start(name)

    def stop(self) -> None:
        self._enough.set()
        for process in self._processes.values():
            process.kill()
            self._ended(process)

    def _ended(self, process: subprocess.Popen[bytes]) -> None:
        process.wait(DEADLINE_S)
        assert process.stdin is not None
        process.stdin.close()

    def until_answered(self) -> None:
        """Wait until the API answers."""
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            try:
                httpx.get(f"{self.url}/executions", trust_env=False)
            except httpx.TransportError:
                self._enough.wait(0.1)
            else:
                return
        raise AssertionError((self.folder / "api.log").read_text()[-2_000:])

    def sign_in(self) -> dict[str, str]:
        answer = httpx.post(
            f"{self.url}/auth/login", json={"username": "anna", "password": PASSWORD}, trust_env=False, timeout=30
        )
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def make_pipeline(self, head: dict[str, str]) -> str:
        body = {"name": f"P {new_id()}", "definition": {"name": "P", "steps": RESIZE_BLUR}}
        answer = httpx.post(f"{self.url}/pipelines", json=body, headers=head, trust_env=False, timeout=30)
        return str(answer.json()["id"])

    def submit(self, pipeline_id: str, head: dict[str, str], seed: int) -> None:
        """Submit until told to stop; a request whose answer was lost is sent again with its key."""
        with httpx.Client(trust_env=False, timeout=10) as client:
            while not self._enough.is_set():
                seed += 1
                names = (f"{seed}-0.jpg", f"{seed}-1.jpg")
                parts = [(name, jpeg(seed=10 * seed + one), "image/jpeg") for one, name in enumerate(names)]
                files = [("input_files", part) for part in parts]
                self._submit_one(client, {**head, "Idempotency-Key": new_id()}, {"pipeline_id": pipeline_id}, files)
                self._enough.wait(0.05)

    def _submit_one(self, client: httpx.Client, head: dict[str, str], data: dict[str, str], files: Any) -> None:
        while not self._enough.is_set():
            try:
                answer = client.post(f"{self.url}/executions", data=data, files=files, headers=head)
            except httpx.TransportError:
                self._enough.wait(0.1)
                continue
            if answer.status_code == 202:
                self.accepted.append(answer.json()["execution_id"])
                return
            self._enough.wait(0.1)

    def enough(self) -> None:
        self._enough.set()


@contextmanager
def plant(folder: Path, database_url: str, bus: str = "", bucket: str = "") -> Iterator[Plant]:
    """Start the processes with a user, and kill them at the end."""
    made = Plant(folder, database_url, bus, bucket)
    added = run(
        "admin", "users", "add", "anna", "--role", "supervisor", "--password-stdin", "--data-dir", folder / "data",
        given=PASSWORD, **made.settings(),
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    database = Database(database_url)
    with database.engine.begin() as connection:
        connection.execute(text(_LOG_ENDS))
    database.close()
    try:
        for name in (SERVICE, API, WORKER):
            made.start(name)
        made.until_answered()
        yield made
    finally:
        made.stop()


def kill_under_load(plant: Plant, kills: int, seed: int) -> None:
    """Kill processes at random moments while two clients submit, then let what was accepted come to its end."""
    chosen = random.Random(seed)  # noqa: S311 - moments of a test
    head = plant.sign_in()
    pipeline = plant.make_pipeline(head)
    clients = [threading.Thread(target=plant.submit, args=(pipeline, head, 10_000 * number)) for number in (1, 2)]
    for client in clients:
        client.start()
    pause = threading.Event()
    for _ in range(kills):
        # A process that has just begun is killed too; only the API must answer, or nothing would be accepted.
        plant.until_answered()
        pause.wait(chosen.uniform(0.2, 2.5))
        plant.kill(chosen.choice((API, WORKER, SERVICE)))
    plant.until_answered()
    pause.wait(1.0)
    plant.enough()
    for client in clients:
        client.join()


def wait_for_ends(plant: Plant) -> None:
    """Wait until every accepted execution has ended."""
    database = Database(plant.database_url)
    end = time.monotonic() + DEADLINE_S
    open_ones = text("SELECT count(*) FROM executions WHERE status IN ('pending', 'running')")
    pause = threading.Event()
    try:
        while True:
            with database.engine.connect() as connection:
                left = connection.execute(open_ones).scalar_one()
            if left == 0:
                return
            assert time.monotonic() < end, f"{left} executions have no end"
            pause.wait(0.1)
    finally:
        database.close()


def losses(plant: Plant) -> list[str]:
    """Return what is wrong with the accepted executions: ends that are missing or double, outputs, digests."""
    found: list[str] = []
    database, objects = Database(plant.database_url), ObjectStore(plant.objects_url)
    with database.engine.connect() as connection:
        ends = connection.execute(text("SELECT execution_id, count(*) FROM seen_ends GROUP BY execution_id")).all()
        states = {row[0]: row[1] for row in connection.execute(text("SELECT id, status FROM executions"))}
        outputs = connection.execute(
            text(
                "SELECT o.execution_id, o.position, o.output_kind, f.sha256 FROM execution_outputs o"
                " JOIN stored_files f ON f.id = o.file_id"
            )
        ).all()
    database.close()
    counts = {row[0]: row[1] for row in ends}
    by_execution: dict[str, list[tuple[int, str]]] = {}
    for execution_id, position, kind, sha256 in outputs:
        by_execution.setdefault(execution_id, []).append((position, kind))
        if sha256_of(objects.read(sha256)) != sha256:
            found.append(f"{execution_id}: an output is not what its digest says")
    expected = sorted((position, kind) for position in (0, 1) for kind in ("picture", "result"))
    for one in plant.accepted:
        if states.get(one) != "completed":
            found.append(f"{one}: {states.get(one)}")
        if counts.get(one) != 1:
            found.append(f"{one}: {counts.get(one, 0)} ends")
        if sorted(by_execution.get(one, [])) != expected:
            found.append(f"{one}: outputs {by_execution.get(one)}")
    if len(set(plant.accepted)) != len(plant.accepted):
        found.append("two requests with different keys were one execution")
    return found


def report(plant: Plant) -> str:
    """Return what was done, in a line."""
    kills = ", ".join(f"{name} {count}" for name, count in plant.kills.items())
    return f"{sum(plant.kills.values())} kills ({kills}), {len(plant.accepted)} executions accepted"
