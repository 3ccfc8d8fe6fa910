"""``/inspection/statistics``."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from server.http.dependencies import ANY_PRINCIPAL, Context
from server.http.lanes import heavy
from server.http.periods import InPeriod
from server.http.routes import feature_router
from server.quality import service
from server.quality.repository import Scope
from server.quality.schemas import Statistics
from sync.shared.schemas import DeviceName, RecordId, Text

router = feature_router(prefix="/inspection", tags=["quality"])


async def scope_query(
    target_id: Annotated[RecordId | None, Query(description="Only this target.")] = None,
    item_id: Annotated[RecordId | None, Query(description="Only this item.")] = None,
    device_id: Annotated[DeviceName | None, Query(max_length=64, description="Only this station, or `server`.")] = None,
    lot: Annotated[Text | None, Query(max_length=128, description="Only this lot.")] = None,
) -> Scope:
    """Return which sessions are counted."""
    return Scope(target_id=target_id, lot=lot, device_id=device_id, item_id=item_id)


@router.get("/statistics", summary="Completed sessions by effective verdict", dependencies=ANY_PRINCIPAL)
@heavy
def statistics(context: Context, period: InPeriod, scope: Annotated[Scope, Depends(scope_query)]) -> Statistics:
    """A person's verdict goes before the machine's; held parts are counted beside the OK rate.

    With `item_id` the sessions are counted in which the item was judged, by the verdict about the item.
    """
    return service.statistics(context, period, scope)
