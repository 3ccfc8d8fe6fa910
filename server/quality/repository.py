"""Counts of completed sessions: from the daily counts where they say it, else from the facts."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from server.core.periods import Period
from server.core.site_time import split
from server.daily_counts.rebuilding import are_complete
from server.quality.cells import Cells, Question, Scope
from server.quality.counted import count_days
from server.quality.plain import count_facts


def count_cells(session: Session, period: Period, scope: Scope, asked: Question, zone: ZoneInfo) -> Cells:
    """Return the counts of a period by the days of the site.

    Whole days come from the daily counts, the rest of the first and last day from the facts. So does everything that
    concerns one lot, and everything while the daily counts are being built.
    """
    if scope.lot is not None or not are_complete(session, zone):
        return count_facts(session, period, scope, asked, zone)
    parts = split(period, zone)
    found = Cells()
    if parts.days is not None:
        found += count_days(session, parts.days, scope, asked)
    for edge in parts.edges:
        found += count_facts(session, edge, scope, asked, zone)
    return found
