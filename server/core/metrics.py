"""What ``/metrics`` shows, in a registry of its own: requests, their duration, failed sign-ins, sessions."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters of one server process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "imageflow_http_requests_total",
            "Requests by method, route and status.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "imageflow_http_request_seconds",
            "Seconds from request to answer.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.sign_ins = Counter(
            "imageflow_sign_ins_total", "Sign-ins by outcome.", ("outcome",), registry=self._registry
        )
        self.websockets = Gauge("imageflow_websockets", "Open WebSocket connections.", registry=self._registry)
        self.completed = Counter(
            "imageflow_sessions_completed_total", "Sessions completed over REST.", registry=self._registry
        )

    def text(self) -> bytes:
        """Return the Prometheus exposition."""
        return generate_latest(self._registry)
