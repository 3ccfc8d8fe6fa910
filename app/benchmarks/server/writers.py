"""Sixteen writers at once on a private PostgreSQL: stations that push beside sign-ins and audited changes."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from app.benchmarks import private_postgresql
from app.benchmarks.figures import Figure
from inspection.metrics import percentiles
from models.clock import HybridLogicalClock, rfc3339, utc_now
from models.devices import Device
from models.errors import Unavailable
from models.ids import new_id
from models.states import Role
from models.targets import Target
from server.auth.identity.principal import Principal
from server.auth.service import refresh, sign_in
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from server.sync.apply import apply_batch
from server.users.keys import create_key
from server.users.schemas import ApiKeyCreate, UserCreate
from server.users.service import create_user

STATIONS, SIGNED_IN, ADMINISTRATORS = 8, 4, 4
BATCH_CHANGES = 20
# People and machines do not write as fast as they are answered; stations with a backlog do.
PACE_S = 0.2
SECONDS, ROUNDS = 8.0, 3
_PASSWORD = "a password of the benchmark"  # noqa: S105 - of a database that ends with the measurement
_SET_UP = Principal(None, "benchmark", Role.ADMIN, None)
_WHAT = {
    "push": f"a batch of {BATCH_CHANGES} new sessions pushed by one of {STATIONS} stations",
    "refresh": f"a token refreshed by one of {SIGNED_IN} users (sign-in without the password's digest)",
    "audited": f"an API key made, with its audit entry, by one of {ADMINISTRATORS} administrators",
}
NOTES = """
**Order lock.** On PostgreSQL only writes that travel to stations run one after another; sign-ins, keys, uploads and
audit entries do not wait for them. When every write took the lock, the same measurement on the same machine gave 2
refreshes a second (p50 2.8 s, p95 3.8 s), 2 audited changes (2.9 s, 3.8 s) and 4.0 batches (2.9 s, 3.8 s); the batches
now share the processor with ten times as many of the other writes.
"""
_UNITS = {"per_s": "1/s", "p50_ms": "ms", "p95_ms": "ms", "refused": ""}
_MEANINGS = {
    "per_s": "how many a second",
    "p50_ms": "median",
    "p95_ms": "95th percentile",
    "refused": "how many gave up waiting for another writer",
}


@dataclass(slots=True)
class _Writer:
    """One thread that repeats a write until time is up, at most once in ``pace_s``."""

    kind: str
    write: Callable[[], object]
    pace_s: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    refused: int = 0

    def run(self, start: threading.Barrier, until: Callable[[], float]) -> None:
        start.wait()
        due = time.perf_counter()
        while time.perf_counter() < until():
            time.sleep(max(0.0, due - time.perf_counter()))
            began = time.perf_counter()
            due = max(due + self.pace_s, began)
            try:
                self.write()
            except Unavailable:
                self.refused += 1
                continue
            self.milliseconds.append((time.perf_counter() - began) * 1000)


def measure(data: Path, *, seconds: float = SECONDS, rounds: int = ROUNDS) -> list[Figure]:
    """Return throughput, p50 and p95 of each kind of write, medians of ``rounds``.

    Args:
        data: not used.
        seconds: of one round.
        rounds: each on a database of its own.

    Raises:
        Unavailable: ``benchmark-postgresql`` when PostgreSQL is not installed.
    """
    del data
    programs = private_postgresql.find_programs()
    if programs is None:
        raise Unavailable("benchmark-postgresql")
    found: dict[str, list[Mapping[str, float]]] = {kind: [] for kind in _WHAT}
    with private_postgresql.cluster(programs, durable=True) as socket:
        for number in range(rounds):
            with private_postgresql.database(socket, f"round{number}") as url:
                for kind, values in _round(url, seconds).items():
                    found[kind].append(values)
    return [_figure(kind, name, [one[name] for one in values]) for kind, values in found.items() for name in values[0]]


def _figure(kind: str, name: str, values: list[float]) -> Figure:
    spread = f"median of {len(values)} rounds, {min(values):.3g} to {max(values):.3g}"
    return Figure(
        name=f"writers_{kind}_{name}",
        value=median(values),
        unit=_UNITS[name],
        what=f"{_WHAT[kind]}: {_MEANINGS[name]}",
        note=spread,
    )


def _round(url: str, seconds: float) -> Mapping[str, Mapping[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        context = open_context(ServerSettings(data_dir=Path(folder), database_url=url, sign_in_attempts=10_000))
        try:
            return _measured(_writers(context), seconds)
        finally:
            context.close()


def _measured(writers: list[_Writer], seconds: float) -> Mapping[str, Mapping[str, float]]:
    end = [0.0]

    def begin() -> None:
        end[0] = time.perf_counter() + seconds

    start = threading.Barrier(len(writers), action=begin)
    threads = [threading.Thread(target=writer.run, args=(start, lambda: end[0])) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {}
    for kind in _WHAT:
        times = [took for writer in writers if writer.kind == kind for took in writer.milliseconds]
        percentile = percentiles(times)
        found[kind] = {
            "per_s": len(times) / seconds,
            "p50_ms": percentile["p50"] or 0.0,
            "p95_ms": percentile["p95"] or 0.0,
            "refused": float(sum(writer.refused for writer in writers if writer.kind == kind)),
        }
    return found


def _writers(context: ServerContext) -> list[_Writer]:
    target = Target(code="bench", name="Bench")
    devices = [Device(name=f"Station {number}", credential_digest="0" * 64) for number in range(STATIONS)]
    with context.database.transaction() as session:
        session.add_all([target, *devices])
    return [
        *(_Writer("push", _pushing(context, device.id, target.id)) for device in devices),
        *(_Writer("refresh", _refreshing(context, f"user{number}"), PACE_S) for number in range(SIGNED_IN)),
        *(_Writer("audited", _auditing(context), PACE_S) for _ in range(ADMINISTRATORS)),
    ]


def _pushing(context: ServerContext, device_id: str, target_id: str) -> Callable[[], object]:
    clock = HybridLogicalClock(device_id)

    def change() -> dict[str, Any]:
        created = rfc3339(utc_now())
        fields = {"created_at": created, "device_id": device_id, "target_id": target_id, "status": "PENDING"}
        made = {"change_id": new_id(), "entity": "inspection_session", "entity_id": new_id(), "op": "insert"}
        return {**made, "clock": str(clock.now()), "fields": fields}

    def push() -> None:
        answer = apply_batch(context.database, context.clock, device_id, [change() for _ in range(BATCH_CHANGES)])
        refused = [result for result in answer.results if result.rev is None]
        if refused:
            raise RuntimeError(f"refused: {refused[0].problem}")

    return push


def _refreshing(context: ServerContext, username: str) -> Callable[[], object]:
    create_user(context, _SET_UP, UserCreate(username=username, role=Role.INSPECTOR, password=_PASSWORD))
    tokens = [sign_in(context, username, _PASSWORD, "-").refresh_token]

    def again() -> None:
        tokens[0] = refresh(context, tokens[0]).refresh_token

    return again


def _auditing(context: ServerContext) -> Callable[[], object]:
    return lambda: create_key(context, _SET_UP, ApiKeyCreate(name="bench", role=Role.INTEGRATOR))
