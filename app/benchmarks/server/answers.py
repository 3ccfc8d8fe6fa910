"""Answers of the server that must not cost more than they may: statistics over many sessions, a refused sign-in."""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import insert

from app.benchmarks.figures import Figure, at_most, judged_figure
from models.errors import NotSignedIn
from models.sessions import AIResult, InspectionSession
from models.states import Role
from models.targets import Target
from server.auth.identity.principal import Principal
from server.auth.service import sign_in
from server.context import ServerContext, open_context
from server.core.periods import Period
from server.core.settings import ServerSettings
from server.quality.service import statistics
from server.users.schemas import UserCreate
from server.users.service import create_user

SESSIONS, ROUNDS = 100_000, 5
STATISTICS_S = 2.0
RATIO = (0.3, 3.3)
"""Without a digest checked in its place, an unknown user is refused in a tenth of the time."""

_KNOWN = "known"


def measure(data: Path, *, sessions: int = SESSIONS, rounds: int = ROUNDS) -> list[Figure]:
    """Return the processor time of statistics and what an unknown user's refusal takes of a known one's.

    Args:
        data: not used.
        sessions: that the statistics count, in SQLite.
        rounds: of each; the median counts.
    """
    del data
    with tempfile.TemporaryDirectory() as folder:
        context = open_context(ServerSettings(data_dir=Path(folder), sign_in_attempts=10_000))
        try:
            return [_statistics(context, sessions, rounds), _refusals(context, rounds)]
        finally:
            context.close()


def _statistics(context: ServerContext, count: int, rounds: int) -> Figure:
    fill_with_sessions(context, count)
    taken = []
    for _ in range(rounds):
        began = time.thread_time()
        statistics(context, Period(None, None))
        taken.append(time.thread_time() - began)
    seconds = median(taken)
    return judged_figure(
        name="statistics_cpu_s",
        value=seconds,
        unit="s",
        what=f"statistics over {count} sessions, processor time of the answer",
        goal=at_most(STATISTICS_S),
        note=f"median of {rounds} rounds, {min(taken):.3g} to {max(taken):.3g}",
    )


def fill_with_sessions(context: ServerContext, count: int) -> None:
    """Write completed sessions of thirty days into an empty store, with AI results, without daily counts."""
    began = datetime(2026, 3, 1, tzinfo=UTC)
    target = Target(code="many", name="Many")
    with context.database.transaction() as session:
        session.add(target)
    common = {"device_id": "server", "clock": "", "extra": {}, "created_at": began, "status": "COMPLETED"}
    rows = [
        {
            **common,
            "id": f"00000000-0000-7000-8000-{number:012d}",
            "target_id": target.id,
            "lot": "",
            "serial_number": "",
            "completed_at": began + timedelta(minutes=number % (30 * 24 * 60)),
            "effective_verdict": _verdict(number),
        }
        for number in range(count)
    ]
    results = [
        {
            "device_id": "server",
            "clock": "",
            "extra": {},
            "created_at": began,
            "id": f"00000000-0000-7000-9000-{number:012d}",
            "session_id": row["id"],
            "overall_result": _verdict(number),
            "confidence": 1.0,
            "detections": [],
            "reasons": [],
            "steps": [],
            "processing_time_ms": 10,
        }
        for number, row in enumerate(rows)
    ]
    with context.database.engine.begin() as connection:
        connection.execute(insert(InspectionSession), rows)
        connection.execute(insert(AIResult), results)


def _verdict(number: int) -> str:
    return "NG" if number % 5 == 0 else "OK"


def _refusals(context: ServerContext, rounds: int) -> Figure:
    password = "a password of the benchmark"  # noqa: S105 - of a database that ends with the measurement
    creator = Principal(None, "benchmark", Role.ADMIN, None)
    create_user(context, creator, UserCreate(username=_KNOWN, role=Role.INSPECTOR, password=password))
    unknown, known = (_refused_s(context, name, rounds) for name in ("unknown", _KNOWN))
    ratio = unknown / known
    return Figure(
        name="sign_in_unknown_ratio",
        value=ratio,
        what="time to refuse an unknown user over the time to refuse a wrong password",
        goal=f"{RATIO[0]:g} – {RATIO[1]:g}",
        met=RATIO[0] <= ratio <= RATIO[1],
        note=f"medians of {rounds}; {known * 1000:.0f} ms for the wrong password",
    )


def _refused_s(context: ServerContext, name: str, rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        try:
            sign_in(context, name, "wrong", "127.0.0.1")
        except NotSignedIn:
            taken.append(time.perf_counter() - began)
    return median(taken)
