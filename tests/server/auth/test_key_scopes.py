"""API keys that are limited to a part of the API."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from models.ids import new_id
from tests.support.sensor_models import upload, vector_model
from tests.support.serving import Served

ROW = {"values": [1.2, 0.9, 1.1]}
STREAM_ROW = {"rows": [{"at": "2026-03-01T06:00:00Z", **ROW}]}


def key(served: Served, *scopes: str) -> str:
    body = {"name": "PLC", "role": "supervisor", "scopes": list(scopes)}
    answer = served["admin"].post("/api-keys", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["key"])


@pytest.fixture
def scoring(served: Served) -> Iterator[httpx.Client]:
    """A machine whose key may only score."""
    upload(served["supervisor"], vector_model(), activate="true")
    with served.client(**{"X-API-Key": key(served, "anomaly:score")}) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "body"),
    [("/anomaly", ROW), ("/anomaly/batch", {"rows": [ROW["values"]]}), (f"/anomaly/streams/{new_id()}", STREAM_ROW)],
    ids=["row", "batch", "stream"],
)
def test_a_key_for_scores_scores(scoring: httpx.Client, path: str, body: object) -> None:
    assert scoring.post(path, json=body).status_code == 200


@pytest.mark.parametrize("path", ["/anomaly/models", "/inspection/targets", "/pipelines", "/auth/me"])
def test_a_key_for_scores_reads_nothing_else(scoring: httpx.Client, path: str) -> None:
    answer = scoring.get(path)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "scope-not-allowed")


def test_a_key_for_anomalies_manages_models_too(served: Served) -> None:
    with served.client(**{"X-API-Key": key(served, "anomaly")}) as client:
        assert upload(client, vector_model(), sensor=f"pump-{new_id()}").status_code == 201
        assert client.get("/inspection/targets").status_code == 403


def test_a_scope_gives_no_more_than_the_role(served: Served) -> None:
    body = {"name": "PLC", "role": "inspector", "scopes": ["anomaly"]}
    made = served["admin"].post("/api-keys", json=body).json()
    with served.client(**{"X-API-Key": made["key"]}) as client:
        assert upload(client, vector_model(), sensor=f"pump-{new_id()}").status_code == 403


def test_a_key_without_scopes_has_all_of_its_role(served: Served) -> None:
    with served.client(**{"X-API-Key": key(served)}) as client:
        assert client.get("/inspection/targets").status_code == 200


def test_an_unknown_scope_is_refused(served: Served) -> None:
    body = {"name": "PLC", "role": "inspector", "scopes": ["everything"]}
    answer = served["admin"].post("/api-keys", json=body)
    assert (answer.status_code, answer.json()["validation_errors"][0]["field"]) == (400, "scopes.0")
