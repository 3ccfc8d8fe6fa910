"""Statistics from the daily counts."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.states import CountKind
from models.statistics import DailyCount
from server.core.site_time import WholeDays
from server.quality.cells import Cell, Cells, Dimension, Question, Scope

_COLUMNS = {
    Dimension.TARGET: DailyCount.target_id,
    Dimension.ITEM: DailyCount.item_id,
    Dimension.STATION: DailyCount.device_id,
    Dimension.USER: DailyCount.user_id,
    Dimension.CLASS: DailyCount.class_name,
}


def count_days(session: Session, days: WholeDays, scope: Scope, asked: Question) -> Cells:
    """Return the counts of whole days.

    Args:
        session: the transaction.
        days: of the site. Without bounds the sessions count too that do not say when they were completed.
        scope: names no lot: the daily counts know none.
        asked: what is counted.
    """
    conditions = [DailyCount.count_kind == asked.kind]
    if days.first is not None or days.last is not None:
        conditions.append(DailyCount.day >= (days.first.isoformat() if days.first is not None else "0"))
    if days.last is not None:
        conditions.append(DailyCount.day <= days.last.isoformat())
    equal = {
        DailyCount.target_id: scope.target_id,
        DailyCount.device_id: scope.device_id,
        DailyCount.item_id: scope.item_id,
        DailyCount.user_id: scope.user_id,
    }
    conditions += [column == value for column, value in equal.items() if value is not None]
    verdicts = [DailyCount.machine, DailyCount.person, DailyCount.verdict] if asked.kind is not CountKind.DEFECT else []
    group = [_COLUMNS[asked.by]] if asked.by in _COLUMNS else []
    columns = [DailyCount.day, *group, *verdicts]
    query = select(*columns, func.sum(DailyCount.total)).where(*conditions).group_by(*columns)
    found: Cells = Cells()
    for day, *rest, total in session.execute(query):
        grouped = rest.pop(0) if group else ""
        found[Cell(day, grouped, *(rest or ("", "", "")))] += int(total)
    return found
