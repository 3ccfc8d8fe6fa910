"""Statistics of a month with a million sessions, the last hour and trends, on SQLite and PostgreSQL."""

from __future__ import annotations

import datetime
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from app.benchmarks import private_postgresql
from app.benchmarks.figures import Figure, at_most, judged_figure
from inspection.metrics import percentiles
from models.clock import utc_now
from models.ids import new_id
from models.states import Role
from models.targets import InspectionItem, Target
from models.users import User
from server.context import ServerContext, open_context
from server.core.periods import Period
from server.core.settings import ServerSettings
from server.core.site_time import day_of, start_of
from server.daily_counts.rebuilding import build
from server.quality.cells import Dimension, Scope
from server.quality.realtime import realtime
from server.quality.service import breakdown, pareto, statistics, trends

SESSIONS, BUILT = 1_000_000, 20_000
DAYS, TARGETS, STATIONS, USERS_A_STATION = 30, 20, 10, 3
ROUNDS = 20
_GOAL_MS = 200.0
_HISTORY = "of {sessions} sessions in {days} days, of {targets} targets at {stations} stations by {users} persons"
# The two engines write times and numbers in text differently; the rest of the seeding is one text.
_MOMENT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', :start, '+' || (i * :step) || ' seconds')",
    "postgresql": "CAST(:start AS timestamptz) + i * :step * interval '1 second'",
}
_DAY = {
    "sqlite": "substr(s.completed_at, 1, 10)",
    "postgresql": "to_char(s.completed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
}
_EMPTY = {"sqlite": "'[]'", "postgresql": "'[]'::jsonb"}
_NONE = {"sqlite": "'{{}}'", "postgresql": "'{{}}'::jsonb"}
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :count - 1)"
_ID = "'{kind}-0000-7000-8000-' || CAST(100000000000 + i AS VARCHAR(12))"
_VERDICT = "CASE WHEN (i / 7) % 25 = 0 THEN 'NG' ELSE 'OK' END"
_SEEDS = (
    """INSERT INTO inspection_sessions (id, device_id, target_id, user_id, lot, serial_number, search_text, status,
    started_at, completed_at, effective_verdict, created_at, clock, extra)
    {numbers} SELECT {session}, 'station-' || CAST(i % {stations} AS VARCHAR(4)),
    (SELECT id FROM bench_targets WHERE place = (i / {stations}) % {targets}),
    (SELECT id FROM bench_users WHERE place = (i % {stations}) * {users} + (i / 200) % {users}),
    '', '', '', 'COMPLETED', {moment}, {moment}, {verdict}, {moment}, '', {none} FROM n""",
    """INSERT INTO ai_results (id, session_id, item_id, overall_result, confidence, anomaly_score, threshold,
    detections, reasons, steps, processing_time_ms, created_at, clock, extra, device_id)
    {numbers} SELECT {result}, {session},
    (SELECT item_id FROM bench_targets WHERE place = (i / {stations}) % {targets}),
    CASE WHEN (i / 7) % 25 = 0 OR (i / 3) % 90 = 0 THEN 'NG' ELSE 'OK' END, 0.9, 0.5, 1.0, {empty}, {empty},
    {empty}, 10, {moment}, '', {none}, 'station-' || CAST(i % {stations} AS VARCHAR(4)) FROM n""",
    """INSERT INTO human_verifications (id, session_id, verdict, username, defects, comment, created_at, clock, extra,
    device_id)
    {numbers} SELECT {decision}, {session}, {verdict}, '', {empty}, '', {moment}, '', {none}, 'station-0'
    FROM n WHERE (i / 3) % 5 = 0""",
    """INSERT INTO daily_counts (count_kind, day, target_id, device_id, user_id, item_id, machine, person, verdict,
    class_name, total)
    SELECT 'part', {day}, s.target_id, s.device_id, s.user_id, '', r.overall_result, COALESCE(h.verdict, ''),
    s.effective_verdict, '', count(*) FROM inspection_sessions s JOIN ai_results r ON r.session_id = s.id
    LEFT JOIN human_verifications h ON h.session_id = s.id GROUP BY 2, 3, 4, 5, 7, 8, 9""",
    """INSERT INTO daily_counts (count_kind, day, target_id, device_id, user_id, item_id, machine, person, verdict,
    class_name, total)
    SELECT 'item', {day}, s.target_id, s.device_id, s.user_id, r.item_id, r.overall_result, COALESCE(h.verdict, ''),
    COALESCE(h.verdict, r.overall_result), '', count(*) FROM inspection_sessions s
    JOIN ai_results r ON r.session_id = s.id LEFT JOIN human_verifications h ON h.session_id = s.id
    GROUP BY 2, 3, 4, 5, 6, 7, 8, 9""",
    """INSERT INTO daily_counts (count_kind, day, target_id, device_id, user_id, item_id, machine, person, verdict,
    class_name, total)
    SELECT 'defect', day, target_id, device_id, user_id, item_id, '', '', '', 'class-' || machine, sum(total)
    FROM daily_counts WHERE count_kind = 'item' AND verdict = 'NG' GROUP BY 2, 3, 4, 5, 6, 10""",
)


def measure(data: Path, *, sessions: int = SESSIONS, rounds: int = ROUNDS, built: int = BUILT) -> list[Figure]:
    """Return p95 of each kind of statistics on each engine, and how fast daily counts are built.

    Args:
        data: not used.
        sessions: in the store that is read.
        rounds: how often each is asked for.
        built: sessions of the store whose counts are built.
    """
    del data
    found: list[Figure] = []
    for engine, opened in (("sqlite", _on_sqlite), ("postgresql", _on_postgresql)):
        with opened() as context:
            if context is None:
                continue
            item = Scope(item_id=_seed(context, sessions))
            found += _read(context, engine, sessions, rounds, item)
        with opened() as context:
            if context is not None:
                _seed(context, built)
                found.append(_built(context, engine, built))
    return found


def _read(context: ServerContext, engine: str, sessions: int, rounds: int, item: Scope) -> list[Figure]:
    zone = context.settings.zone
    today = day_of(utc_now(), zone)
    month = Period(
        start_of(today - datetime.timedelta(days=DAYS - 1), zone), start_of(today + datetime.timedelta(days=1), zone)
    )
    asked: dict[str, Callable[[], object]] = {
        "month": lambda: statistics(context, month),
        "by_target": lambda: breakdown(context, month, Scope(), Dimension.TARGET),
        "realtime": lambda: realtime(context),
        "trends": lambda: trends(context, month, Scope()),
        "pareto": lambda: pareto(context, month, Scope(), Dimension.CLASS),
        "by_item": lambda: breakdown(context, month, Scope(), Dimension.ITEM),
        "item_month": lambda: statistics(context, month, item),
        "item_by_station": lambda: breakdown(context, month, item, Dimension.STATION),
        "item_trends": lambda: trends(context, month, item),
        "item_pareto": lambda: pareto(context, month, item, Dimension.CLASS),
    }
    history = _HISTORY.format(
        sessions=sessions, days=DAYS, targets=TARGETS, stations=STATIONS, users=STATIONS * USERS_A_STATION
    )
    figures = []
    for name, ask in asked.items():
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            ask()
            times.append((time.perf_counter() - began) * 1000)
        percentile = percentiles(times)
        p95 = percentile["p95"] or 0.0
        figures.append(
            judged_figure(
                name=f"statistics_{engine}_{name}_p95_ms",
                value=round(p95, 1),
                unit="ms",
                what=f"{name.replace('_', ' ')} {history}, on {engine}: 95th percentile of {rounds}",
                goal=at_most(_GOAL_MS),
                note=f"median {percentile['p50'] or 0.0:.1f} ms; asked of the service, without HTTP",
            )
        )
    return figures


def _built(context: ServerContext, engine: str, sessions: int) -> Figure:
    began = time.perf_counter()
    build(context.database, context.settings.zone, again=True)
    took = time.perf_counter() - began
    return Figure(
        name=f"statistics_{engine}_built_per_s",
        value=round(sessions / took),
        unit="1/s",
        what=f"sessions whose daily counts are built, on {engine}",
        note=f"{sessions} sessions in {took:.1f} s, in transactions of 500",
    )


def _seed(context: ServerContext, sessions: int) -> str:
    """Write sessions with an AI result each, a person's decision on every fifth, and their daily counts.

    Returns the id of an item, that of one of the targets.
    """
    with context.database.transaction() as session:
        targets = [Target(code=f"bench-{place}", name=f"Target {place}") for place in range(TARGETS)]
        users = [User(username=f"bench-{place}", role=Role.INSPECTOR) for place in range(STATIONS * USERS_A_STATION)]
        session.add_all([*targets, *users])
        session.flush()
        items = [InspectionItem(target_id=target.id, name="Surface") for target in targets]
        session.add_all(items)
    build(context.database, context.settings.zone)
    with context.database.engine.begin() as connection:
        _name(connection, "bench_targets", [(one.id, item.id) for one, item in zip(targets, items, strict=True)])
        _name(connection, "bench_users", [(user.id, "") for user in users])
        start = utc_now() - datetime.timedelta(days=DAYS)
        step = DAYS * 86_400 / sessions
        given = {"count": sessions, "start": start.strftime("%Y-%m-%d %H:%M:%S"), "step": step}
        for seed in _SEEDS:
            statement = _filled(seed, connection.dialect.name)
            used = {name: value for name, value in given.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
    if not context.database.is_sqlite:
        # As autovacuum does within a minute of such a load.
        with context.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    return items[0].id


def _filled(seed: str, engine: str) -> str:
    return seed.format(
        numbers=_NUMBERS,
        session=_ID.format(kind="00000001"),
        result=_ID.format(kind="00000002"),
        decision=_ID.format(kind="00000003"),
        moment=_MOMENT[engine],
        day=_DAY[engine],
        verdict=_VERDICT,
        empty=_EMPTY[engine],
        none=_NONE[engine].format(),
        stations=STATIONS,
        targets=TARGETS,
        users=USERS_A_STATION,
    )


def _name(connection: Connection, table: str, ids: list[tuple[str, str]]) -> None:
    """Make a table of ids by their places, for the seeding statements."""
    connection.execute(text(f"CREATE TEMPORARY TABLE {table} (place INTEGER PRIMARY KEY, id TEXT, item_id TEXT)"))
    rows: list[dict[str, Any]] = [{"place": place, "id": a, "item": b} for place, (a, b) in enumerate(ids)]
    connection.execute(text(f"INSERT INTO {table} VALUES (:place, :id, :item)"), rows)  # noqa: S608 - names of this module


@contextmanager
def _on_sqlite() -> Iterator[ServerContext | None]:
    with tempfile.TemporaryDirectory() as folder:
        context = open_context(ServerSettings(data_dir=Path(folder)))
        try:
            yield context
        finally:
            context.close()


@contextmanager
def _on_postgresql() -> Iterator[ServerContext | None]:
    """Give a server's parts on a private PostgreSQL; None where it is not installed."""
    programs = private_postgresql.find_programs()
    if programs is None:
        yield None
        return
    with (
        private_postgresql.cluster(programs, durable=True) as socket,
        private_postgresql.database(socket, f"b{new_id()}") as url,
        tempfile.TemporaryDirectory() as folder,
    ):
        context = open_context(ServerSettings(data_dir=Path(folder), database_url=url))
        try:
            yield context
        finally:
            context.close()
