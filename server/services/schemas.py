"""The gRPC services on the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sync.shared.schemas import Reply

Status = Literal["up", "down", "unknown"]
CircuitName = Literal["closed", "half_open", "open"]


class ReplicaReply(Reply):
    """One replica of a service."""

    address: str
    status: Status = Field(description="By the last health check; unknown before the first one.")
    latency_ms: float | None = Field(description="Of health checks, a moving average.")
    circuit: CircuitName


class ModelReply(Reply):
    """A model that a service can be asked for."""

    name: str
    status: Literal["present", "missing"] = Field(description="Whether its file is there.")


class GrpcServiceReply(Reply):
    """A gRPC service as this server uses it."""

    id: str
    name: str
    address: str = Field(description="As configured; several are separated by commas.")
    embedded: bool = Field(description="Whether it runs in the server's process.")
    status: Status = Field(description="up when any replica is.")
    latency_ms: float | None = Field(description="Of the fastest replica that is up.")
    circuit: CircuitName = Field(description="closed when any replica's is, else half_open when any is.")
    timeout_s: float
    retries: int
    component: str | None = Field(description="Component whose steps it runs; null: whole pipelines, frame by frame.")
    models: list[ModelReply] | None = Field(
        description="Models of the server's settings; null for a service without models, or one that runs elsewhere."
    )
    error: str | None = Field(
        description="Code of the error by which its start in this process failed, until one succeeds; else null."
    )
    replicas: list[ReplicaReply]


class GrpcServicesHealth(Reply):
    """Health of all services, asked for now."""

    status: Literal["ok", "degraded"] = Field(description="degraded when a service has no replica that is up.")
    services: list[GrpcServiceReply]
