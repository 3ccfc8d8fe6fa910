"""Statistics on the wire."""

from __future__ import annotations

import datetime

from pydantic import Field

from sync.shared.schemas import Reply


class StatisticsSummary(Reply):
    """Totals of completed sessions by their effective verdict."""

    total_inspections: int = Field(description="OK, NG and HOLD together.")
    ok_count: int
    ng_count: int
    hold_count: int = Field(description="Outside the OK rate.")
    ok_rate: float = Field(description="Percent of OK among OK and NG; 0 when there is neither.")


class DailyTrend(Reply):
    """One day (UTC) of completed sessions."""

    date: datetime.date
    total: int
    ok: int
    ng: int
    hold: int


class Statistics(Reply):
    """Completed sessions of a period."""

    summary: StatisticsSummary
    daily_trends: list[DailyTrend] = Field(description="Days with inspections, oldest first.")
    defect_analysis: dict[str, int] = Field(description="Defects that persons marked, by class.")
