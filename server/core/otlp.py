"""Spans over OTLP/HTTP: routes, statuses and codes; no names, addresses, paths with ids or texts of errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from models.errors import UserFacingError
from server.core.structlog_import import structlog

_SERVICE = "imageflow-server"
_LAST_S, _STOP_S = 1.5, 0.3
_FAULT = 500
_log = structlog.get_logger("imageflow.server")


class OtlpSpan:
    """A span of work.

    Args:
        span: of OpenTelemetry.
    """

    def __init__(self, span: Span) -> None:
        self._span = span

    def failed(self, error: Exception) -> None:
        """Say that it has failed; of the error, the code alone is kept."""
        code = error.code if isinstance(error, UserFacingError) else type(error).__name__
        self._span.set_status(Status(StatusCode.ERROR))
        self._span.set_attribute("error.type", code)


class OtlpRequest:
    """The span of a request.

    Args:
        span: of OpenTelemetry.
    """

    def __init__(self, span: Span) -> None:
        self._span = span

    def answered(self, method: str, route: str, status: int) -> None:
        """Name the span after its route, and keep the status, by OpenTelemetry's semantic conventions."""
        self._span.update_name(f"{method} {route}")
        self._span.set_attribute("http.request.method", method)
        self._span.set_attribute("http.route", route)
        self._span.set_attribute("http.response.status_code", status)
        if status >= _FAULT:
            self._span.set_status(Status(StatusCode.ERROR))


class OtlpTracing:
    """Sends spans from a thread of its own, in batches; a collector away breaks nothing, and delays the end alone.

    The standard variables of OpenTelemetry's SDK set the rest: ``OTEL_EXPORTER_OTLP_HEADERS``,
    ``OTEL_TRACES_SAMPLER``, ``OTEL_RESOURCE_ATTRIBUTES``.

    Args:
        endpoint: URL of the collector, without the path ``/v1/traces``.
    """

    def __init__(self, endpoint: str) -> None:
        about = {"service.name": _SERVICE, "service.version": version("imageflow-station")}
        self._provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
        self._exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer(_SERVICE)
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, str | int]) -> Iterator[OtlpSpan]:
        """Return a block that is a span; an error that ends it fails it."""
        with self._tracer.start_as_current_span(
            name, attributes=dict(attributes), record_exception=False, set_status_on_exception=False
        ) as span:
            own = OtlpSpan(span)
            try:
                yield own
            except Exception as error:
                own.failed(error)
                raise

    @contextmanager
    def request(self, parent: Mapping[str, str]) -> Iterator[OtlpRequest]:
        """Return a block that is the span of a request."""
        with self._tracer.start_as_current_span(
            "request",
            context=self._propagator.extract(parent),
            kind=SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield OtlpRequest(span)

    def close(self) -> None:
        """Send what is left, for two seconds at the most: what a collector has not taken by then is lost."""
        # The SDK would wait for half a minute, and tell it no other way.
        ending = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        ending.start()
        ending.join(_LAST_S)
        if ending.is_alive():
            _log.warning("spans not sent")
            # So that it tries no more.
            self._exporter.shutdown()  # type: ignore[no-untyped-call]  # OpenTelemetry has left its types out
            ending.join(_STOP_S)
