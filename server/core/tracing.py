"""Spans of requests and executions; nothing of OpenTelemetry is loaded unless a collector is set."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from models.errors import Unavailable

Attributes = Mapping[str, str | int]


class Span(Protocol):
    """A span while what it is about goes on."""

    def failed(self, error: Exception) -> None:
        """Say that it has failed; of the error, the code alone is kept."""
        ...


class RequestSpan(Protocol):
    """The span of a request while it is served."""

    def answered(self, method: str, route: str, status: int) -> None:
        """Name the span after its route, and keep the status of the answer."""
        ...


class Tracing(Protocol):
    """Makes spans."""

    def span(self, name: str, attributes: Attributes) -> AbstractContextManager[Span]:
        """Return a block that is a span; those begun within it are its children, an error that ends it fails it."""
        ...

    def request(self, parent: Mapping[str, str]) -> AbstractContextManager[RequestSpan]:
        """Return a block that is the span of a request, a child of what its W3C trace context names."""
        ...

    def close(self) -> None:
        """Send what is left."""
        ...


class _NoSpan:
    """Keeps nothing."""

    def failed(self, error: Exception) -> None:
        """Do nothing."""


class NoTracing:
    """Makes none."""

    def span(self, name: str, attributes: Attributes) -> AbstractContextManager[Span]:
        """Return a block that records nothing."""
        del name, attributes
        return nullcontext(_NoSpan())

    def close(self) -> None:
        """Do nothing."""


def tracing_to(endpoint: str | None) -> Tracing | NoTracing:
    """Return what makes spans for a collector; None sends none.

    Raises:
        Unavailable: ``telemetry-packages-missing``.
    """
    if endpoint is None:
        return NoTracing()
    try:
        from server.core.otlp import OtlpTracing
    except ImportError as error:
        raise Unavailable("telemetry-packages-missing", package=error.name or "opentelemetry") from error
    return OtlpTracing(endpoint)
