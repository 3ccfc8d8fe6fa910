"""Statistics by the effective verdict: totals, trends, breakdowns, control chart, Pareto."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Callable

from models.clock import utc_now
from models.states import CountKind
from server.context import ServerContext
from server.core.periods import Period
from server.quality.agreement import Agreement, Share, agreement
from server.quality.cells import EVERYTHING, Cell, Cells, Dimension, Question, Scope, Tally, question, tally
from server.quality.control_chart import Sample, p_chart
from server.quality.days import recent, shown_days
from server.quality.names import names_of
from server.quality.repository import count_cells
from server.quality.schemas import (
    AgreementReply,
    Breakdown,
    DailyTrend,
    GroupReply,
    Pareto,
    ParetoEntry,
    Rate,
    Statistics,
    StatisticsSummary,
    TrendPoint,
    Trends,
)


def statistics(context: ServerContext, period: Period, scope: Scope = EVERYTHING) -> Statistics:
    """Return summary, daily trends, defects and agreement of the completed sessions of a period."""
    zone = context.settings.zone
    with context.database.read() as session:
        cells = count_cells(session, period, scope, question(scope), zone)
        defects = count_cells(session, period, scope, Question(CountKind.DEFECT, Dimension.CLASS), zone)
    by_day = _grouped(cells, lambda cell: cell.day)
    whole = tally(cells.items())
    days = shown_days([day for day in by_day if day], period, zone, utc_now())
    return Statistics(
        summary=summary(whole),
        daily_trends=[_trend(day, tally(by_day.get(day.isoformat(), Cells()).items())) for day in days],
        defect_analysis=dict(sorted(_totals(defects).items())),
        agreement=_agreement(agreement(whole.both)),
    )


def breakdown(context: ServerContext, period: Period, scope: Scope, by: Dimension) -> Breakdown:
    """Return the completed sessions of a period in groups; by class the marked defects."""
    asked = question(scope, by)
    with context.database.read() as session:
        cells = count_cells(session, period, scope, asked, context.settings.zone)
        groups = _grouped(cells, lambda cell: cell.day if by is Dimension.DAY else cell.group)
        names = names_of(session, by, groups)
    return Breakdown(
        by=by,
        groups=[
            _group(key, names.get(key, ""), found, counts_parts=asked.kind is not CountKind.DEFECT)
            for key, found in sorted(groups.items())
        ],
    )


def trends(context: ServerContext, period: Period, scope: Scope) -> Trends:
    """Return the p chart of a period, of the last 30 days without one: a sample a day; parts on hold are in none."""
    period = recent(period, context.settings.zone, utc_now())
    with context.database.read() as session:
        cells = count_cells(session, period, scope, question(scope), context.settings.zone)
    tallies = {day: tally(found.items()) for day, found in _grouped(cells, lambda cell: cell.day).items() if day}
    days = sorted(day for day, found in tallies.items() if found.judged)
    chart = p_chart([Sample(tallies[day].judged, tallies[day].ng) for day in days])
    shown = shown_days(days, period, context.settings.zone, utc_now())
    return Trends(
        centre_line=chart.centre,
        points=[
            TrendPoint(
                date=datetime.date.fromisoformat(day),
                inspected=tallies[day].judged,
                ng=tallies[day].ng,
                ng_fraction=point.fraction,
                lower_limit=point.lower,
                upper_limit=point.upper,
                z=point.z,
                rules=list(point.rules),
            )
            for day, point in zip(days, chart.points, strict=True)
        ],
        empty_days=sorted(set(shown) - {datetime.date.fromisoformat(day) for day in days}),
    )


def pareto(context: ServerContext, period: Period, scope: Scope, by: Dimension) -> Pareto:
    """Return what NG parts, or by class marked defects, fall on, the most frequent first; period as in ``trends``."""
    period = recent(period, context.settings.zone, utc_now())
    asked = question(scope, by)
    with context.database.read() as session:
        cells = count_cells(session, period, scope, asked, context.settings.zone)
        if asked.kind is not CountKind.DEFECT:
            cells = Cells({cell: count for cell, count in cells.items() if cell.verdict == "NG"})
        totals = _totals(cells)
        names = names_of(session, by, totals)
    whole, cumulated, entries = sum(totals.values()), 0, []
    for key, count in sorted(totals.items(), key=lambda entry: (-entry[1], entry[0])):
        cumulated += count
        shares = {"share": round(100 * count / whole, 2), "cumulative": round(100 * cumulated / whole, 2)}
        entries.append(ParetoEntry(key=key, name=names.get(key, ""), count=count, **shares))
    return Pareto(by=by, total=whole, entries=entries)


def summary(found: Tally) -> StatisticsSummary:
    """Return the totals; the OK rate is in percent of OK and NG, held parts are not counted in it."""
    return StatisticsSummary(
        total_inspections=found.judged + found.hold,
        ok_count=found.ok,
        ng_count=found.ng,
        hold_count=found.hold,
        ok_rate=Share(found.ok, found.judged).rate or 0.0,
    )


def _grouped(cells: Cells, key: Callable[[Cell], str]) -> dict[str, Cells]:
    groups: defaultdict[str, Cells] = defaultdict(Cells)
    for cell, count in cells.items():
        groups[key(cell)][cell] += count
    return dict(groups)


def _totals(cells: Cells) -> Counter[str]:
    totals: Counter[str] = Counter()
    for cell, count in cells.items():
        totals[cell.group] += count
    return totals


def _trend(day: datetime.date, found: Tally) -> DailyTrend:
    return DailyTrend(date=day, total=found.judged + found.hold, ok=found.ok, ng=found.ng, hold=found.hold)


def _group(key: str, name: str, cells: Cells, *, counts_parts: bool) -> GroupReply:
    found = tally(cells.items())
    return GroupReply(
        key=key,
        name=name,
        total=sum(cells.values()),
        ok=found.ok,
        ng=found.ng,
        hold=found.hold,
        ok_rate=Share(found.ok, found.judged).rate,
        agreement=_agreement(agreement(found.both)) if counts_parts else None,
    )


def _agreement(found: Agreement) -> AgreementReply:
    rates = {"agreed": found.agreed, "escapes": found.escapes, "overkill": found.overkill}
    replies = {name: Rate(count=share.count, total=share.total, rate=share.rate) for name, share in rates.items()}
    return AgreementReply(**replies, kappa=found.kappa)
