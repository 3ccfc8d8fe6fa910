"""Statistics and quality on the wire."""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import Field

from server.quality.cells import Dimension
from sync.shared.schemas import Moment, Reply


class StatisticsSummary(Reply):
    """Totals of completed sessions by their effective verdict."""

    total_inspections: int = Field(description="OK, NG and HOLD together.")
    ok_count: int
    ng_count: int
    hold_count: int = Field(description="Outside the OK rate.")
    ok_rate: float = Field(description="Percent of OK among OK and NG; 0 when there is neither.")


class DailyTrend(Reply):
    """One day of the site's time zone."""

    date: datetime.date
    total: int
    ok: int
    ng: int
    hold: int


class Rate(Reply):
    """So many of so many."""

    count: int
    total: int
    rate: float | None = Field(description="Percent; null of nothing.")


class AgreementReply(Reply):
    """The machine against persons, over what both have judged OK or NG."""

    agreed: Rate = Field(description="Same verdict, of all that both judged.")
    escapes: Rate = Field(description="The machine's OK, of those that persons found NG.")
    overkill: Rate = Field(description="The machine's NG, of those that persons found OK.")
    kappa: float | None = Field(description="Cohen's kappa; null where chance alone would agree on everything.")


class Statistics(Reply):
    """Completed sessions of a period."""

    summary: StatisticsSummary
    daily_trends: list[DailyTrend] = Field(description="Oldest first; days without inspections in between too.")
    defect_analysis: dict[str, int] = Field(description="Defects that persons marked, by class.")
    agreement: AgreementReply


class GroupReply(Reply):
    """One group of a breakdown; of marked defects the total alone is not 0."""

    key: str = Field(description="Id of the record, day, or class; empty where the sessions name none.")
    name: str = Field(description="Of the record; empty where it has none.")
    total: int
    ok: int
    ng: int
    hold: int
    ok_rate: float | None = Field(description="Percent of OK among OK and NG; null when there is neither.")
    agreement: AgreementReply | None = Field(description="Null for marked defects.")


class Breakdown(Reply):
    """Completed sessions of a period in groups."""

    by: Dimension
    groups: list[GroupReply] = Field(description="By key.")


class QualityMetrics(Reply):
    """The last hour."""

    hourly_ok_rate: float | None = Field(description="Percent of OK among OK and NG; null when there is neither.")
    current_ng_count: int
    active_inspectors: int = Field(description="Persons who began, or decided last, the parts completed in it.")
    hourly_total: int = Field(description="OK, NG and HOLD together.")
    hourly_hold_count: int
    open_alerts: int


class RealtimeQuality(Reply):
    """The present figures."""

    timestamp: Moment
    metrics: QualityMetrics


class QualityUpdate(RealtimeQuality):
    """The present figures on a WebSocket."""

    type: Literal["quality_update"] = "quality_update"


class TrendPoint(Reply):
    """A day with inspections on the control chart; fractions from 0 to 1."""

    date: datetime.date
    inspected: int = Field(description="OK and NG.")
    ng: int
    ng_fraction: float
    lower_limit: float
    upper_limit: float
    z: float = Field(description="Distance from the centre line in standard deviations of a sample of this size.")
    rules: list[int] = Field(description="Numbers of Nelson's rules (1 to 4) that a run which ends here breaks.")


class Trends(Reply):
    """The p chart of a period."""

    centre_line: float | None = Field(description="NG of all inspected; null without inspections.")
    points: list[TrendPoint] = Field(description="Oldest first; a day without inspections is no point.")
    empty_days: list[datetime.date]


class ParetoEntry(Reply):
    """One cause."""

    key: str
    name: str
    count: int
    share: float = Field(description="Percent of all.")
    cumulative: float = Field(description="Percent of all with those before it.")


class Pareto(Reply):
    """Causes of NG, the most frequent first."""

    by: Dimension
    total: int
    entries: list[ParetoEntry]
