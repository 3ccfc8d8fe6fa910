"""``/inspection/statistics`` and ``/inspection/quality``."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from server.http.dependencies import ANY_PRINCIPAL, Context
from server.http.lanes import heavy, kept, shared
from server.http.periods import InPeriod
from server.http.routes import feature_router
from server.quality import service
from server.quality.cells import Dimension, Scope
from server.quality.realtime import realtime
from server.quality.schemas import Breakdown, Pareto, RealtimeQuality, Statistics, Trends
from sync.shared.schemas import DeviceName, RecordId, Text

router = feature_router(prefix="/inspection", tags=["quality"])


async def scope_query(
    target_id: Annotated[RecordId | None, Query(description="Only this target.")] = None,
    item_id: Annotated[RecordId | None, Query(description="Only this item.")] = None,
    device_id: Annotated[DeviceName | None, Query(max_length=64, description="Only this station, or `server`.")] = None,
    lot: Annotated[Text | None, Query(max_length=128, description="Only this lot.")] = None,
    user_id: Annotated[RecordId | None, Query(description="Only parts that this user decided or inspected.")] = None,
) -> Scope:
    """Return which sessions are counted."""
    return Scope(target_id=target_id, lot=lot, device_id=device_id, item_id=item_id, user_id=user_id)


InScope = Annotated[Scope, Depends(scope_query)]
By = Annotated[Dimension, Query(description="What is grouped by; `class` counts marked defects.")]


@router.get("/statistics", summary="Completed sessions by effective verdict", dependencies=ANY_PRINCIPAL)
@heavy
@kept
def statistics(context: Context, period: InPeriod, scope: InScope) -> Statistics:
    """A person's verdict goes before the machine's; held parts are counted beside the OK rate.

    With `item_id` the sessions are counted in which the item was judged, by the verdict about the item.
    """
    return service.statistics(context, period, scope)


@router.get("/statistics/breakdown", summary="Completed sessions in groups", dependencies=ANY_PRINCIPAL)
@heavy
@kept
def breakdown(context: Context, period: InPeriod, scope: InScope, by: By) -> Breakdown:
    """With the agreement of machine and persons in each group; a user is who decided last, else who inspected."""
    return service.breakdown(context, period, scope, by)


@router.get("/quality/realtime", summary="Figures of the last hour", dependencies=ANY_PRINCIPAL)
@shared
def get_realtime(context: Context) -> RealtimeQuality:
    """`/ws/quality-metrics` sends them when they change."""
    return realtime(context)


@router.get("/quality/trends", summary="Control chart of the NG fraction by day", dependencies=ANY_PRINCIPAL)
@heavy
@kept
def trends(context: Context, period: InPeriod, scope: InScope) -> Trends:
    """A p chart with limits for each day's number of parts, and Nelson's rules 1 to 4; the last 30 days by default."""
    return service.trends(context, period, scope)


@router.get("/quality/pareto", summary="What NG parts or defects fall on", dependencies=ANY_PRINCIPAL)
@heavy
@kept
def pareto(context: Context, period: InPeriod, scope: InScope, by: By = Dimension.CLASS) -> Pareto:
    """The most frequent first, with cumulated shares; the last 30 days by default."""
    return service.pareto(context, period, scope, by)
