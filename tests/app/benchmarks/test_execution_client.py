"""The client that measures executions, against a server of its own process."""

from __future__ import annotations

import numpy as np
import pytest

from app.benchmarks.server.driving import served, signed_in
from app.benchmarks.server.execution_client import ExecutionClient
from inspection.imaging.files import encode_jpeg

pytestmark = pytest.mark.slow
_STEP = {"id": "resize", "component": "resize", "inputs": {"image": "input"}, "parameters": {"width": 32, "height": 32}}
_UNKNOWN = "01a22aca-1da0-705f-9ade-8c9325f4bd2a"


@pytest.fixture(scope="module")
def http(tmp_path_factory):
    with served(tmp_path_factory.mktemp("bench")) as (url, _), signed_in(url) as client:
        yield client


@pytest.fixture
def image() -> bytes:
    return encode_jpeg(np.zeros((64, 64, 3), np.uint8))


@pytest.fixture
def pipeline(http) -> str:
    definition = {"name": "Benchmark", "steps": [_STEP]}
    answer = http.post("/pipelines", json={"name": "Benchmark", "definition": definition}).raise_for_status()
    return str(answer.json()["id"])


def test_each_run_of_a_client_is_an_execution_that_has_completed(http, pipeline, image):
    with ExecutionClient(http, pipeline, [image]) as client:
        client.run()
        client.run()

    found = http.get("/executions").raise_for_status().json()["items"]
    assert [one["status"] for one in found] == ["completed", "completed"]


def test_each_run_of_a_client_has_the_next_image(http, pipeline):
    images = [encode_jpeg(np.full((64, 64, 3), grey, np.uint8)) for grey in (0, 200)]
    with ExecutionClient(http, pipeline, images) as client:
        for _ in range(4):
            client.run()

    newest = http.get("/executions").raise_for_status().json()["items"][:4]
    details = [http.get(f"/executions/{one['execution_id']}").raise_for_status().json() for one in newest]
    sent = [http.get(f"/files/{one['input_files'][0]['file_id']}").raise_for_status().content for one in details]
    assert sent == [images[1], images[0], images[1], images[0]]


def test_a_client_goes_on_after_the_server_has_closed_its_connection(http, pipeline, image):
    with ExecutionClient(http, pipeline, [image]) as client:
        client.run()
        (kept,) = client.connections
        assert kept.recv(1) == b""  # Waits for the end of the idle connection.
        client.run()


def test_a_client_fails_when_its_request_is_refused(http, image):
    with ExecutionClient(http, _UNKNOWN, [image]) as client, pytest.raises(RuntimeError, match="pipeline-not-found"):
        client.run()
