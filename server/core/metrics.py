"""What ``/metrics`` shows, in a registry of its own: requests and calls, their duration, sign-ins, what waits."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class CallMetrics:
    """Rate, errors and duration of gRPC calls, by method (RED, Wilkie 2015).

    Args:
        side: ``server`` or ``client``.
        what: for the help text.
        registry: gets them.
    """

    def __init__(self, side: str, what: str, registry: CollectorRegistry) -> None:
        self._handled = Counter(
            f"imageflow_grpc_{side}_handled_total",
            f"{what}, by status.",
            ("service", "method", "code"),
            registry=registry,
        )
        self._seconds = Histogram(
            f"imageflow_grpc_{side}_handling_seconds",
            f"{what}, seconds.",
            ("service", "method"),
            buckets=_SECONDS,
            registry=registry,
        )

    def observe(self, service: str, method: str, code: str, seconds: float) -> None:
        """Count a call that has ended."""
        self._handled.labels(service, method, code).inc()
        self._seconds.labels(service, method).observe(seconds)


class ScoreMetrics:
    """Rows of sensors by status, and the sum of their scores in thresholds.

    Over the rows of status ``normal`` or ``anomaly`` it is the mean score; others add 0.

    Args:
        registry: gets them.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._rows = Counter(
            "imageflow_sensor_rows_total", "Rows of sensors, by status.", ("sensor", "status"), registry=registry
        )
        self._scores = Counter(
            "imageflow_sensor_score_thresholds_total",
            "Sum of the scores of these rows, in thresholds of their models.",
            ("sensor",),
            registry=registry,
        )
        self._of_sensors: dict[tuple[str, str], tuple[Counter, Counter]] = {}

    def add(self, sensor: str, status: str, rows: int, score_sum: float, threshold: float) -> None:
        """Count rows of one status.

        Args:
            sensor: of the model that scored them.
            status: of each row.
            rows: how many.
            score_sum: of their scores; 0 for rows that are not judged.
            threshold: of the model.
        """
        kind = (sensor, status)
        found = self._of_sensors.get(kind)
        if found is None:
            # Kept, as finding the series takes longer than counting.
            found = self._of_sensors[kind] = self._rows.labels(sensor, status), self._scores.labels(sensor)
        found[0].inc(rows)
        if threshold > 0:
            found[1].inc(score_sum / threshold)


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
        self.grpc_handled = CallMetrics(
            "server", "Calls that the gRPC services of this process answered", self._registry
        )
        self.grpc_called = CallMetrics("client", "Calls of gRPC services by this process", self._registry)
        self.scores = ScoreMetrics(self._registry)
        self.item_results = Gauge(
            "imageflow_item_scores", "Anomaly scores of an item today.", ("item",), registry=self._registry
        )
        self.item_score = Gauge(
            "imageflow_item_score_thresholds",
            "Mean of these scores, in thresholds of their models.",
            ("item",),
            registry=self._registry,
        )
        self.executions = Gauge(
            "imageflow_executions", "Executions that have not ended.", ("status",), registry=self._registry
        )
        self.outbox_events = Gauge(
            "imageflow_outbox_events", "Events that wait in the database for the bus.", registry=self._registry
        )
        self.outbox_oldest = Gauge(
            "imageflow_outbox_oldest_seconds", "Since when the oldest of them waits.", registry=self._registry
        )
        self.station_lag = Gauge(
            "imageflow_station_sync_lag_seconds",
            "Since when a station that may synchronise has not done so.",
            ("station",),
            registry=self._registry,
        )
        self.websockets = Gauge("imageflow_websockets", "Open WebSocket connections.", registry=self._registry)
        self.completed = Counter(
            "imageflow_sessions_completed_total", "Sessions completed over REST.", registry=self._registry
        )
        self.alert_deliveries = Counter(
            "imageflow_alert_deliveries_total",
            "Attempts to deliver alerts by channel and outcome.",
            ("channel", "outcome"),
            registry=self._registry,
        )
        self.open_alerts = Gauge(
            "imageflow_open_alerts", "Open alerts by severity.", ("severity",), registry=self._registry
        )
        self.waiting_deliveries = Gauge(
            "imageflow_alert_deliveries_waiting", "Mails and webhooks about alerts that wait.", registry=self._registry
        )

        self._of_requests: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that has been answered."""
        kind = (method, route, status)
        found = self._of_requests.get(kind)
        if found is None:
            # Kept: finding the series of three labels takes longer than counting.
            found = self.requests.labels(method, route, str(status)), self.seconds.labels(method, route)
            self._of_requests[kind] = found
        found[0].inc()
        found[1].observe(seconds)

    def text(self) -> bytes:
        """Return the Prometheus exposition."""
        return generate_latest(self._registry)
