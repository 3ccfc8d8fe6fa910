"""Statistics by the effective verdict."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from server.context import ServerContext
from server.core.periods import Period
from server.quality.repository import EVERYTHING, Day, Scope, count_by_day, count_defects
from server.quality.schemas import DailyTrend, Statistics, StatisticsSummary


def statistics(context: ServerContext, period: Period, scope: Scope = EVERYTHING) -> Statistics:
    """Return summary, daily trends and defects of the completed sessions of a period."""
    with context.database.read() as session:
        days = count_by_day(session, period, scope)
        defects = count_defects(session, period, scope)
    return Statistics(
        summary=summary(days), daily_trends=[_trend(day) for day in days if day.day], defect_analysis=dict(defects)
    )


def summary(days: Iterable[Day]) -> StatisticsSummary:
    """Return the totals; the OK rate is in percent of OK and NG, held parts are not counted in it."""
    ok = ng = hold = 0
    for day in days:
        ok, ng, hold = ok + day.ok, ng + day.ng, hold + day.hold
    return StatisticsSummary(
        total_inspections=ok + ng + hold,
        ok_count=ok,
        ng_count=ng,
        hold_count=hold,
        ok_rate=round(100 * ok / (ok + ng), 2) if ok + ng else 0.0,
    )


def _trend(day: Day) -> DailyTrend:
    total = day.ok + day.ng + day.hold
    return DailyTrend(date=datetime.date.fromisoformat(day.day), total=total, ok=day.ok, ng=day.ng, hold=day.hold)
