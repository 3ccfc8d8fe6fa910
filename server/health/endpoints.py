"""``/health`` and ``/metrics``."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from server.core.metrics import CONTENT_TYPE
from server.health import service
from server.health.schemas import Health
from server.health.waiting import metrics_text
from server.http.dependencies import Context
from server.http.lanes import shared
from server.http.routes import CheckedRoute, operation_id

router = APIRouter(route_class=CheckedRoute, generate_unique_id_function=operation_id, tags=["operation"])


@router.get("/health", summary="Whether the server and what it needs are there", responses={503: {}})
@shared
def get_health(context: Context) -> Health:
    """503 when a part that is needed is down."""
    return service.health(context)


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"description": "Text exposition.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def get_metrics(context: Context) -> Response:
    """Counters of this process, and what waits in the database; no personal data in them."""
    return Response(metrics_text(context), media_type=CONTENT_TYPE)
