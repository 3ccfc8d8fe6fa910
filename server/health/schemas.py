"""The server's health on the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sync.shared.schemas import Reply


class PartHealth(Reply):
    """One part the server needs."""

    status: Literal["up", "down"]
    latency_ms: float


class ServiceHealth(Reply):
    """One gRPC service, by the last health check; it makes nothing 503, as steps wait or run elsewhere."""

    status: Literal["up", "down", "unknown"]
    latency_ms: float | None
    circuit: Literal["closed", "half_open", "open"]
    replicas: int = Field(description="How many are up.")
    error: str | None = Field(description="Code of the error by which its start with the server failed; else null.")


class Health(Reply):
    """All parts; 503 when one that is needed is down."""

    status: Literal["ok", "down"]
    version: str
    components: dict[str, PartHealth] = Field(description="database, object_store, event_bus")
    events_waiting_s: float = Field(description="Seconds that the oldest event has waited for the event bus.")
    grpc_services: dict[str, ServiceHealth] = Field(description="Each gRPC service that this server uses.")
