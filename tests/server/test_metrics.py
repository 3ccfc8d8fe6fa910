"""``/metrics``: what was asked, how it ended, how long it took, and what waits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import grpc
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from models.clock import utc_now
from models.errors import Unavailable
from models.ids import new_id
from models.states import ExecutionStatus
from models.statistics import DailyScore
from server.core.site_time import day_of
from server.events.outbox import enqueue
from server.executions.events import PROCESSING_REQUESTS, ExecutionRequest
from server.grpc.contract import FILTER, RESIZE
from server.health.waiting import metrics_text
from tests.support.executing import Executing, executing_server
from tests.support.live_clients import add_execution
from tests.support.sensor_models import upload, vector_model
from tests.support.serving import Served, serve_with_users


@pytest.fixture(scope="module")
def executing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executing]:
    with executing_server(tmp_path_factory.mktemp("metrics")) as running:
        yield running


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Served]:
    """A server that runs no executions and publishes nothing of its outbox."""
    with serve_with_users(tmp_path, execution_slots=0) as served:
        served.context.outbox.stop()
        yield served


def sample(text: str, name: str, **labels: str) -> float | None:
    """Return the value of a sample; None when there is none of the name with these labels."""
    for family in text_string_to_metric_families(text):
        for found in family.samples:
            if found.name == name and labels.items() <= found.labels.items():
                return float(found.value)
    return None


def scraped(served: Served) -> str:
    return httpx.get(f"{served.url}/metrics", trust_env=False, timeout=60).text


@pytest.mark.parametrize("side", ["server", "client"])
def test_calls_of_services_are_counted_by_method(executing: Executing, side: str) -> None:
    executing.ended(executing.start(executing.pipeline()))
    text = scraped(executing.served)
    for service in (RESIZE, FILTER):
        labels = {"service": service.full_name, "method": service.method}
        assert sample(text, f"imageflow_grpc_{side}_handled_total", **labels, code="OK")
        assert sample(text, f"imageflow_grpc_{side}_handling_seconds_count", **labels)


def test_a_refused_call_is_counted_with_its_status(executing: Executing) -> None:
    (address,) = [
        one["address"] for one in executing.served["admin"].get("/grpc-services").json() if one["id"] == FILTER.key
    ]
    labels = {"service": FILTER.full_name, "method": FILTER.method, "code": "INVALID_ARGUMENT"}
    name = "imageflow_grpc_server_handled_total"
    before = sample(scraped(executing.served), name, **labels) or 0
    with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError):
        channel.unary_unary(FILTER.path(), None, None)(b"\xff\xff", timeout=20)
    assert sample(scraped(executing.served), name, **labels) == before + 1


def test_executions_that_wait_are_counted_by_status(idle: Served) -> None:
    for status in (ExecutionStatus.PENDING, ExecutionStatus.PENDING, ExecutionStatus.RUNNING, ExecutionStatus.FAILED):
        add_execution(idle.context.database, status)
    text = scraped(idle)
    counts = {status: sample(text, "imageflow_executions", status=status) for status in ("pending", "running")}
    assert counts == {"pending": 2, "running": 1}
    assert sample(text, "imageflow_executions", status="failed") is None


def test_events_that_wait_for_the_bus_are_counted(idle: Served) -> None:
    assert sample(scraped(idle), "imageflow_outbox_events") == 0
    with idle.context.database.local_transaction() as session:
        for key in "ab":
            enqueue(session, PROCESSING_REQUESTS, key, ExecutionRequest(execution_id=key))
    text = scraped(idle)
    assert sample(text, "imageflow_outbox_events") == 2
    assert sample(text, "imageflow_outbox_oldest_seconds") is not None


def test_a_scrape_without_a_database_still_counts_requests(idle: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise Unavailable("database-unreachable")

    scraped(idle)
    monkeypatch.setattr(idle.context.database, "read", away)
    text = metrics_text(idle.context).decode()
    waiting = sample(text, "imageflow_outbox_events")
    assert waiting is not None
    assert math.isnan(waiting)
    assert sample(text, "imageflow_http_requests_total", method="GET")


@pytest.fixture
def sensor(executing: Executing) -> tuple[httpx.Client, str, float]:
    """A client, a sensor with an active model, and the threshold of the model."""
    name, client = new_id(), executing.served["supervisor"]
    model = vector_model()
    assert upload(client, model, sensor=name).status_code == 201
    return client, name, model.metadata.threshold


def scores_of(executing: Executing, sensor: str) -> tuple[dict[str, float | None], float | None]:
    text = scraped(executing.served)
    statuses = ("normal", "anomaly", "not-judged")
    rows = {status: sample(text, "imageflow_sensor_rows_total", sensor=sensor, status=status) for status in statuses}
    return rows, sample(text, "imageflow_sensor_score_thresholds_total", sensor=sensor)


def test_a_row_of_a_sensor_is_counted_with_its_score(
    executing: Executing, sensor: tuple[httpx.Client, str, float]
) -> None:
    client, name, threshold = sensor
    body = {"sensor": name, "values": [1.2, 0.9, 1.1]}
    first, second = (client.post("/anomaly", json=body).json()["score"] for _ in range(2))
    rows, total = scores_of(executing, name)
    assert rows == {"normal": 2, "anomaly": None, "not-judged": None}
    assert total == pytest.approx((first + second) / threshold)


def test_the_rows_of_a_batch_are_counted_by_status(
    executing: Executing, sensor: tuple[httpx.Client, str, float]
) -> None:
    client, name, threshold = sensor
    table = [[1.2, 0.9, 1.1], [90, 90, 90], [None, None, 1.1]]
    results = client.post("/anomaly/batch", json={"sensor": name, "rows": table}).json()["results"]
    rows, total = scores_of(executing, name)
    assert rows == {"normal": 1, "anomaly": 1, "not-judged": 1}
    assert total == pytest.approx(sum(one["score"] or 0 for one in results) / threshold)


def test_the_rows_of_a_stream_are_counted_once(executing: Executing, sensor: tuple[httpx.Client, str, float]) -> None:
    client, name, _ = sensor
    body = {"sensor": name, "rows": [{"at": "2026-03-01T06:00:00Z", "values": [1.2, 0.9, 1.1]}]}
    for _ in range(2):
        assert client.post(f"/anomaly/streams/{name}", json=body).status_code == 200
    assert scores_of(executing, name)[0]["normal"] == 1


def test_the_scores_of_an_item_are_those_of_today(idle: Served) -> None:
    today = day_of(utc_now(), idle.context.settings.zone)
    with idle.context.database.local_transaction() as session:
        for day, device_id, score_sum in ((today, "a", 900), (today, "b", 300), (today - timedelta(days=1), "a", 9)):
            count = {"total": 1, "score_sum": score_sum, "square_sum": score_sum**2}
            session.add(DailyScore(day=day.isoformat(), item_id="item", device_id=device_id, **count))
    text = scraped(idle)
    assert sample(text, "imageflow_item_scores", item="item") == 2
    assert sample(text, "imageflow_item_score_thresholds", item="item") == pytest.approx(0.6)
