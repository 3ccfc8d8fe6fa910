"""``/inspection/statistics``."""

from __future__ import annotations

from server.http.dependencies import ANY_PRINCIPAL, Context
from server.http.lanes import heavy
from server.http.periods import InPeriod
from server.http.routes import feature_router
from server.quality import service
from server.quality.schemas import Statistics

router = feature_router(prefix="/inspection", tags=["quality"])


@router.get("/statistics", summary="Completed sessions by effective verdict", dependencies=ANY_PRINCIPAL)
@heavy
def statistics(context: Context, period: InPeriod) -> Statistics:
    """A person's verdict goes before the machine's; held parts are counted beside the OK rate."""
    return service.statistics(context, period)
