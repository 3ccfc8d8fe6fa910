"""What others wait while sixteen connections ask for statistics over a store of many sessions.

Each request is measured by itself and beside the crowd, in turns; its 95th percentiles are compared. The statistics are
of different periods, so that no request shares the figures of another.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from statistics import median

import httpx

from app.benchmarks.figures import Figure, at_most, judged_figure
from app.benchmarks.server.answers import SESSIONS, fill_with_sessions
from app.benchmarks.server.driving import SIGN_IN, get, keeping_busy, load, post, served, signed_in
from server.context import ServerContext
from server.daily_counts.rebuilding import build

CONNECTIONS = 16
SECONDS, ROUNDS = 4.0, 3
MOST_RATIO = 2.0
NOTES = """
**A crowd that asks for statistics.** Each answer is some milliseconds of Python, on the one thread of heavy reads
and on the event loop. A crowd that asks for the next at once kept the interpreter's lock busy in both, and what was
light waited at each of its steps; a switch interval of 0.5 in place of 5 ms changed nothing. Since then heavy reads
have a fifth of the time in the long run while light requests come, and an answer is given again, for a second at
most, while nothing has been committed.
"""
_LEAD_S = 1.0


def measure(data: Path, *, seconds: float = SECONDS, rounds: int = ROUNDS, sessions: int = SESSIONS) -> list[Figure]:
    """Return how much longer ordinary requests take beside heavy reads.

    Args:
        data: not used.
        seconds: of one measurement.
        rounds: each request once a round, by itself and beside the crowd; medians count.
        sessions: in the store.

    Raises:
        Unavailable: when the server does not start.
    """
    del data
    fill = partial(_fill, count=sessions)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), fill) as (url, _),
        signed_in(url) as client,
    ):
        crowd = [
            get(f"/api/v1/inspection/statistics?start_date=2026-03-{day:02d}", client)
            for day in range(1, CONNECTIONS + 1)
        ]
        requests = _requests(client)
        alone: dict[str, list[Mapping[str, float]]] = {what: [] for what in requests}
        beside: dict[str, list[Mapping[str, float]]] = {what: [] for what in requests}
        for _ in range(rounds):
            for what, request in requests.items():
                alone[what].append(load(url, [request], 1, seconds))
                with keeping_busy(url, crowd, CONNECTIONS, seconds + _LEAD_S):
                    beside[what].append(load(url, [request], 1, seconds))
    return [_figure(what, alone[what], beside[what], sessions) for what in requests]


def _fill(context: ServerContext, count: int) -> None:
    fill_with_sessions(context, count)
    build(context.database, context.settings.zone)


def _requests(client: httpx.Client) -> dict[str, str]:
    target = client.get("/inspection/targets").raise_for_status().json()["items"][0]["id"]
    return {
        "health": get("/health"),
        "sign_in": post("/api/v1/auth/login", SIGN_IN),
        "new_session": post("/api/v1/inspection/sessions", {"target_id": target, "lot": "L"}, client),
        "list": get("/api/v1/inspection/targets", client),
        "sync_pull": get("/api/v1/inspection/sync/changes?limit=50", client),
    }


def _figure(what: str, alone: list[Mapping[str, float]], beside: list[Mapping[str, float]], sessions: int) -> Figure:
    idle, busy = (median(one["p95_ms"] for one in found) for found in (alone, beside))
    refused = sum(one["refused"] for one in (*alone, *beside))
    return judged_figure(
        name=f"crowd_{what}_ratio",
        value=busy / idle,
        what=f"{what.replace('_', ' ')}: p95 beside {CONNECTIONS} connections that ask for statistics over {sessions} "
        "sessions, over p95 by itself",
        goal=at_most(MOST_RATIO),
        valid=not refused,
        note=f"{idle:.1f} ms by itself, {busy:.1f} ms beside them; {refused:.0f} refused",
    )
