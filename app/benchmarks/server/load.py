"""One server process under load from sixteen connections, beside a bare route in the same run.

Client and server share the processor, as they do on a small site; the ratio to the bare route says what the server adds
to uvicorn whatever machine it runs on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from app.benchmarks.figures import Figure, at_least, at_most, judged_figure
from app.benchmarks.probing import resident_megabytes
from app.benchmarks.server.driving import get, load, peer_route, post, served, signed_in

CONNECTIONS = 16
SECONDS, ROUNDS = 8.0, 3
TARGETS = 20
_BARE, _BARE_MODULE = "bare", "app.benchmarks.server.bare_route"


@dataclass(frozen=True, slots=True)
class _Goal:
    """What a route is to reach: requests a second, and the 99th percentile where one was set."""

    what: str
    per_s: float
    p99_ms: float | None = None


_GOALS = {
    "health": _Goal("GET /health", 2_500),
    "targets": _Goal(f"GET /inspection/targets, {TARGETS} targets", 1_000),
    "sessions": _Goal("POST /inspection/sessions, each committed to SQLite with its audit entry", 400, 150),
}


def measure(data: Path, *, seconds: float = SECONDS, rounds: int = ROUNDS) -> list[Figure]:
    """Return requests a second, their percentiles, their ratio to a bare route, and the memory of the server.

    Args:
        data: not used.
        seconds: of one load.
        rounds: every route once a round, one after the other; medians count.

    Raises:
        Unavailable: when the server does not start.
    """
    del data
    found: dict[str, list[Mapping[str, float]]] = {name: [] for name in (_BARE, *_GOALS)}
    with (
        tempfile.TemporaryDirectory() as folder,
        peer_route(_BARE_MODULE, Path(folder) / "port") as (bare, _),
        served(Path(folder)) as server,
    ):
        url, process_id = server
        requests = _requests(url)
        at_start = resident_megabytes(process_id)
        for _ in range(rounds):
            found[_BARE].append(load(bare, [get("/")], CONNECTIONS, seconds))
            for name, request in requests.items():
                found[name].append(load(url, [request], CONNECTIONS, seconds))
        after = resident_megabytes(process_id)
    return [*_figures(found), *_memory_figures(at_start, after)]


def _figures(found: Mapping[str, list[Mapping[str, float]]]) -> Iterator[Figure]:
    bare = median(one["per_s"] for one in found[_BARE])
    yield Figure(
        name="load_bare_per_s", value=bare, unit="1/s", what=f"a bare route on uvicorn, {CONNECTIONS} connections"
    )
    for name, goal in _GOALS.items():
        rates = [one["per_s"] for one in found[name]]
        refused = sum(one["refused"] for one in found[name])
        rate, p99 = median(rates), median(one["p99_ms"] for one in found[name])
        note = f"{min(rates):.0f} to {max(rates):.0f} over {len(rates)} rounds; {refused:.0f} refused"
        yield judged_figure(
            name=f"load_{name}_per_s",
            value=rate,
            unit="1/s",
            what=f"{goal.what}, {CONNECTIONS} connections, one process",
            goal=at_least(goal.per_s),
            valid=not refused,
            note=note,
        )
        yield Figure(
            name=f"load_{name}_of_bare", value=rate / bare, what=f"{goal.what}: requests for each of the bare route"
        )
        yield judged_figure(
            name=f"load_{name}_p99_ms",
            value=p99,
            unit="ms",
            what=f"{goal.what}: 99th percentile",
            goal=at_most(goal.p99_ms),
        )


def _memory_figures(at_start: float, after: float) -> Iterator[Figure]:
    yield judged_figure(
        name="load_memory_at_start_mb",
        value=at_start,
        unit="MB",
        what="memory of the server after its first requests",
        goal=at_most(120),
    )
    yield Figure(name="load_memory_after_mb", value=after, unit="MB", what="memory of the server after the load")


def _requests(url: str) -> dict[str, str]:
    with signed_in(url) as client:
        made = [
            client.post("/inspection/targets", json={"code": f"T-{number}", "name": "Plate"}).raise_for_status()
            for number in range(TARGETS)
        ]
        session = {"target_id": made[0].json()["id"], "lot": "L-1", "serial_number": "S-1"}
        return {
            "health": get("/health"),
            "targets": get("/api/v1/inspection/targets", client),
            "sessions": post("/api/v1/inspection/sessions", session, client),
        }
