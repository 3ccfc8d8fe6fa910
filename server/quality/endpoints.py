"""``/inspection/statistics``."""

from __future__ import annotations

from fastapi import APIRouter

from server.http.dependencies import ANY_PRINCIPAL, Context
from server.http.periods import InPeriod
from server.http.routes import CheckedRoute
from server.quality import service
from server.quality.schemas import Statistics

router = APIRouter(route_class=CheckedRoute, prefix="/inspection", tags=["quality"])


@router.get("/statistics", summary="Completed sessions by effective verdict", dependencies=ANY_PRINCIPAL)
def statistics(context: Context, period: InPeriod) -> Statistics:
    """A person's verdict goes before the machine's; held parts are counted beside the OK rate."""
    return service.statistics(context, period)
