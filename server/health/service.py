"""Asks each part whether it answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from importlib.metadata import version

from sqlalchemy import select

from models.errors import Unavailable
from models.sync import ChangeLogHead
from server.context import ServerContext
from server.events.outbox import waiting_s
from server.health.schemas import Health, PartHealth, ServiceHealth
from server.services.schemas import GrpcServiceReply
from server.services.service import list_services

_NEEDED = ("database", "object_store")
"""Without the event bus the server still takes and answers everything; what must not be lost waits in the database."""


@cache
def product_version() -> str:
    """Return the version of the product."""
    return version("imageflow-station")


def health(context: ServerContext) -> Health:
    """Return the state of every part.

    Raises:
        Unavailable: ``server-part-down`` with the same members when a part that is needed is down.
    """
    parts = {
        "database": _probe(lambda: _ask(context)),
        "object_store": _probe(context.objects.check),
        "event_bus": _probe(context.events.check),
    }
    down = [name for name in _NEEDED if parts[name].status == "down"]
    state = Health(
        status="down" if down else "ok",
        version=product_version(),
        components=parts,
        events_waiting_s=_events_waiting_s(context) if parts["database"].status == "up" else 0.0,
        grpc_services={service.id: _service(service) for service in list_services(context.services, context.models)},
    )
    if down:
        members: dict[str, object] = state.model_dump(mode="json")
        members["state"] = members.pop("status")
        raise Unavailable("server-part-down", parts=", ".join(down), members=members)
    return state


def _service(service: GrpcServiceReply) -> ServiceHealth:
    up = sum(replica.status == "up" for replica in service.replicas)
    return ServiceHealth(
        status=service.status,
        latency_ms=service.latency_ms,
        circuit=service.circuit,
        replicas=up,
        error=service.error,
    )


def _ask(context: ServerContext) -> None:
    with context.database.read() as session:
        session.execute(select(ChangeLogHead.position))


def _events_waiting_s(context: ServerContext) -> float:
    with context.database.read() as session:
        return round(waiting_s(session), 1)


def _probe(ask: Callable[[], None]) -> PartHealth:
    started = time.perf_counter()
    try:
        ask()
    except Unavailable:
        return PartHealth(status="down", latency_ms=_since(started))
    return PartHealth(status="up", latency_ms=_since(started))


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
