"""Spans reach a collector over real HTTP; without one nothing of OpenTelemetry is loaded."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.errors import Unavailable
from server import context
from server.core import tracing
from server.core.settings import ServerSettings
from tests.support.executing import executing_server, jpeg
from tests.support.sensor_models import upload, vector_model
from tests.support.server_process import environment
from tests.support.webhook_receiver import Receiver, receiver

ERROR = 2
"""``STATUS_CODE_ERROR`` of OTLP."""
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
LOADED = """
import sys
from pathlib import Path
from server.context import open_context
from server.core.settings import ServerSettings
from server.http.application import create_app
settings = ServerSettings(data_dir=Path(sys.argv[1]))
context = open_context(settings)
create_app(settings, context)
context.close()
print([name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))])
"""


@pytest.fixture
def collector() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def spans_of(collector: Receiver) -> list[Any]:
    """Return what the collector was sent, as OTLP's own schema reads it."""
    # Here: a checkout whose environment is older than the test can still collect the others.
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    found = []
    for given, body in collector.calls:
        head = {name.lower(): value for name, value in given.items()}
        assert head["content-type"] == "application/x-protobuf"
        plain = gzip.decompress(body) if head.get("content-encoding") == "gzip" else body
        sent = ExportTraceServiceRequest.FromString(plain)
        found += [span for resource in sent.resource_spans for scope in resource.scope_spans for span in scope.spans]
    return found


def attributes_of(span: Any) -> dict[str, Any]:
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


@pytest.mark.slow
def test_what_a_server_does_reaches_the_collector(tmp_path: Path, collector: Receiver) -> None:
    with executing_server(tmp_path, otlp_endpoint=f"http://127.0.0.1:{collector.port}") as running:
        head = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
        assert running.served["inspector"].get("/users/me", headers=head).status_code == 200
        execution = running.start(running.pipeline(), ("secret-name.jpg", jpeg()))
        assert running.ended(execution)["status"] == "completed"
    spans = spans_of(collector)
    asked = next(span for span in spans if span.name == "GET /api/v1/users/me")
    assert (asked.trace_id.hex(), asked.parent_span_id.hex()) == (TRACE, PARENT)
    assert attributes_of(asked)["http.response.status_code"] == 200
    ran = next(span for span in spans if span.name == "execution")
    assert attributes_of(ran)["imageflow.execution"] == execution
    steps = {span.name for span in spans if span.parent_span_id == ran.span_id}
    assert steps == {"step resize", "step filter"}
    told = b"".join(span.SerializeToString() for span in spans)
    assert [name for name in (b"inspector", b"127.0.0.1", b"secret-name") if name in told] == []


@pytest.fixture(scope="module")
def unusual(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The spans of a score, a method that no route has, and an execution that failed."""
    folder = tmp_path_factory.mktemp("traced")
    cut = {"rectangle": {"x": 5000, "y": 5000, "width": 10, "height": 10}}
    step = {"id": "cut", "component": "crop", "inputs": {"image": "input"}, "parameters": cut}
    with receiver() as running:
        with executing_server(folder, otlp_endpoint=f"http://127.0.0.1:{running.port}") as server:
            assert upload(server.served["supervisor"], vector_model(), sensor="pump").status_code == 201
            body = {"values": [1.2, 0.9, 1.1], "sensor": "pump"}
            assert server.served["anonymous"].post("/anomaly", json=body).status_code == 200
            assert server.served["anonymous"].request("PROPFIND", "/health").status_code == 405
            assert server.ended(server.start(server.pipeline(step)))["status"] == "failed"
        return spans_of(running)


@pytest.mark.slow
def test_an_answer_in_one_piece_is_traced_with_its_status(unusual: list[Any]) -> None:
    scored = next(span for span in unusual if span.name == "POST /api/v1/anomaly")
    assert (attributes_of(scored)["http.response.status_code"], scored.status.code) == (200, 0)


@pytest.mark.slow
def test_a_method_that_no_route_has_is_traced_as_another(unusual: list[Any]) -> None:
    brewed = next(span for span in unusual if attributes_of(span).get("http.response.status_code") == 405)
    assert (attributes_of(brewed)["http.request.method"], brewed.name.partition(" ")[0]) == ("OTHER", "OTHER")


@pytest.mark.slow
def test_the_span_of_a_failed_execution_is_an_error(unusual: list[Any]) -> None:
    ran = next(span for span in unusual if span.name == "execution")
    assert (ran.status.code, attributes_of(ran)["error.type"]) == (ERROR, "crop-outside")


@pytest.mark.slow
def test_a_collector_that_is_away_breaks_no_request(tmp_path: Path) -> None:
    with executing_server(tmp_path, otlp_endpoint="http://127.0.0.1:9") as running:
        assert running.served["inspector"].get("/users/me").status_code == 200


@pytest.mark.slow
def test_a_collector_that_never_answers_hardly_delays_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sending = tracing.tracing_to(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with sending.span("execution", {}):
            began = time.monotonic()
        sending.close()
        # Two seconds, and some for a computer that has much to do; the SDK alone takes ten.
        assert time.monotonic() - began < 5


def test_the_database_is_closed_whatever_tracing_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(tracing.NoTracing):
        def close(self) -> None:
            raise OSError("no collector")

    monkeypatch.setattr(context, "tracing_to", lambda endpoint: Broken())
    opened = context.open_context(ServerSettings(data_dir=tmp_path))
    before = opened.database.engine.pool
    with pytest.raises(OSError, match="no collector"):
        opened.close()
    assert opened.database.engine.pool is not before


@pytest.mark.slow
@pytest.mark.parametrize("given", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}])
def test_a_server_without_a_collector_loads_none_of_it(tmp_path: Path, given: dict[str, str]) -> None:
    command = [sys.executable, "-c", LOADED, str(tmp_path)]
    done = subprocess.run(command, env=environment(**given), capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_a_collector_without_its_packages_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "server.core.otlp", None)
    with pytest.raises(Unavailable) as refused:
        tracing.tracing_to("http://127.0.0.1:4318")
    assert refused.value.code == "telemetry-packages-missing"
