"""The server's health on the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sync.shared.schemas import Reply


class PartHealth(Reply):
    """One part the server needs."""

    status: Literal["up", "down"]
    latency_ms: float


class Health(Reply):
    """All parts; 503 when one that is needed is down."""

    status: Literal["ok", "down"]
    version: str
    components: dict[str, PartHealth] = Field(description="database, object_store, event_bus")
    events_waiting_s: float = Field(description="Seconds that the oldest event has waited for the event bus.")
    grpc_services: dict[str, PartHealth] = Field(
        description="Each gRPC service this server uses; empty, as it uses none."
    )
