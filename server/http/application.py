"""Assembles the server: features, errors, limits, docs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.routing import Route, WebSocketRoute

from server.ai_inspection.endpoints import router as ai_inspection_router
from server.alerts.endpoints import router as alerts_router
from server.anomaly.alerting import SensorAlerts
from server.anomaly.endpoints import router as anomaly_router
from server.anomaly.training import SensorTrainings
from server.audit_trail.endpoints import router as audit_router
from server.auth.endpoints import router as auth_router
from server.camera_stream.endpoints import camera_stream_routes
from server.camera_stream.service import streams_of
from server.components.endpoints import router as components_router
from server.context import ServerContext, open_context
from server.core.logs import RequestLog
from server.core.settings import ServerSettings
from server.core.tracing import NoTracing
from server.daily_counts.starting import building_counts
from server.devices.endpoints import router as devices_router
from server.executions.endpoints import router as executions_router
from server.files.endpoints import router as files_router
from server.health.endpoints import router as health_router
from server.http import docs, errors, openapi
from server.http.cross_origin import CrossOrigin
from server.http.idempotency import finish_work
from server.http.known_callers import KnownCallers
from server.http.lean_batches import LeanBatches
from server.http.lean_routes import LeanRoutes
from server.http.paths import CanonicalPaths
from server.http.requests import Faults, HeadRequests, Requests
from server.http.route_table import RouteTable
from server.http.traced import Traced
from server.http.websockets import ConnectionCounts, unknown_websocket
from server.live.endpoints import live_routes
from server.masters.endpoints import router as masters_router
from server.monitoring.endpoints import router as monitoring_router
from server.monitoring.running import watching
from server.objects.collecting import Grace, collect_daily
from server.orchestration.pipeline_models import models_of
from server.orchestration.starting import working
from server.quality.endpoints import router as quality_router
from server.releases.endpoints import router as releases_router
from server.services.endpoints import router as services_router
from server.sessions.endpoints import router as sessions_router
from server.sync.endpoints import live_route as sync_live_route
from server.sync.endpoints import router as sync_router
from server.sync.events import announce_commits
from server.users.endpoints import router as users_router

_FEATURES = (
    auth_router,
    users_router,
    audit_router,
    devices_router,
    masters_router,
    releases_router,
    components_router,
    sessions_router,
    files_router,
    executions_router,
    ai_inspection_router,
    sync_router,
    quality_router,
    alerts_router,
    anomaly_router,
    monitoring_router,
    services_router,
    health_router,
)
# Off whatever the environment sets: it would send clients' data to a collector named there.
_NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def create_app(settings: ServerSettings, context: ServerContext | None = None) -> FastAPI:
    """Return the application.

    Args:
        settings: as started.
        context: the parts, opened from ``settings`` when they are not given; closed when the application ends.

    Raises:
        UserFacingError: when a part cannot be opened.
    """
    parts = context or open_context(settings)
    parts.sensors.load_active()
    announce_commits(parts)
    streams = streams_of(parts, models_of(parts, parts.models.find).find)

    trainings = SensorTrainings(parts)
    sensor_alerts = SensorAlerts(parts)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        parts.outbox.start()
        grace = Grace(unrecorded=timedelta(hours=settings.objects_grace_hours))
        collecting = asyncio.create_task(collect_daily(parts.database, parts.objects, grace), name="objects")
        counting = building_counts(parts.database, settings.zone)
        async with working(parts, parts.services, parts.models.find), counting, watching(parts):
            yield
            await finish_work()
            await streams.aclose()
        collecting.cancel()
        await asyncio.to_thread(trainings.close)
        await asyncio.to_thread(sensor_alerts.close)
        # On a thread: a broker gets some seconds to take what waits for it.
        await asyncio.to_thread(parts.close)

    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=_NO_TELEMETRY,
    )
    app.state.context = parts
    app.state.known_callers = KnownCallers(parts.database)
    app.state.sensor_trainings = trainings
    app.state.websockets = ConnectionCounts(settings.websockets_per_principal)
    app.state.camera_streams = streams
    app.router.routes.append(Route(openapi.PATH, openapi.answer_document, include_in_schema=False))
    for feature in (*_FEATURES, docs.router(openapi.TITLE)):
        app.router.routes.extend(feature.routes)
    app.router.routes.extend((*live_routes(parts), sync_live_route))
    app.router.routes.extend(camera_stream_routes(streams, settings.stream_max_frame_bytes))
    app.router.routes.append(WebSocketRoute("/{path:path}", unknown_websocket))
    # The other routes are tried one after the other; only a WebSocket comes to them.
    app.router.routes.sort(key=lambda route: not isinstance(route, WebSocketRoute))
    app.router.routes.insert(0, RouteTable([route for route in app.router.routes if isinstance(route, Route)]))
    errors.install(app)
    openapi.install(app)
    log = RequestLog()
    # Of nothing that passes by the middlewares a span could be made.
    tracing = None if isinstance(parts.tracing, NoTracing) else parts.tracing
    app.state.lean_batches = LeanBatches(parts, app, app.router.routes, log) if tracing is None else None
    # The last one added is the first to see a request.
    app.add_middleware(HeadRequests)
    app.add_middleware(LeanRoutes, routes=app.router.routes)
    app.add_middleware(Faults)
    if settings.cors_origins:
        app.add_middleware(CrossOrigin, origins=settings.cors_origins)
    app.add_middleware(Requests, metrics=parts.metrics, log=log)
    if tracing is not None:
        app.add_middleware(Traced, tracing=tracing)
    app.add_middleware(CanonicalPaths)
    return app
