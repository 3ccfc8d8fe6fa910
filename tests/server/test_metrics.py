"""``/metrics``: what was asked, how it ended, how long it took, and what waits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from models.errors import Unavailable
from models.states import ExecutionStatus
from server.events.outbox import enqueue
from server.executions.events import PROCESSING_REQUESTS, ExecutionRequest
from server.grpc.contract import FILTER, RESIZE
from server.health.waiting import metrics_text
from tests.support.executing import Executing, executing_server
from tests.support.live_clients import add_execution
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
    return httpx.get(f"{served.url}/metrics", trust_env=False).text


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
