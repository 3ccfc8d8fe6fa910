"""Processing components on the wire."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sync.shared.schemas import Reply


class ComponentReply(Reply):
    """A kind of processing."""

    id: str
    name: str
    description: str
    inputs: dict[str, Any] = Field(description="Port → kind of value, whether it must be connected, description.")
    output: str = Field(description="Kind of value it gives.")
    parameters: dict[str, Any] = Field(description="JSON Schema (2020-12) of its parameters.")
    runs_in: list[str] = Field(
        description="Where its steps may run: `local` is the process of the server, of a worker or of a station; "
        "else the id of a gRPC service (`/grpc-services`)."
    )
