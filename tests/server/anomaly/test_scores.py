"""``POST /anomaly`` and ``/anomaly/batch``."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from models.ids import new_id
from tests.support.sensor_models import rows, upload, vector_model, window_model
from tests.support.serving import Served

NORMAL, WILD = [1.2, 0.9, 1.1], [9.0, -4.0, 7.5]


@pytest.fixture
def sensor(served: Served) -> str:
    """A sensor with an active model, of this test alone."""
    name = f"pump-{new_id()}"
    assert upload(served["supervisor"], vector_model(), sensor=name).status_code == 201
    return name


def score(client: httpx.Client, values: Any, sensor: str, **members: Any) -> httpx.Response:
    return client.post("/anomaly", json={"values": values, "sensor": sensor, **members})


def test_a_row_is_answered_by_two_members_alone(served: Served) -> None:
    upload(served["supervisor"], vector_model(), activate="true")
    answer = served["inspector"].post(f"{served.url}/anomaly", json={"values": NORMAL})
    assert answer.status_code == 200
    assert answer.json() == {"score": pytest.approx(vector_model().score_row(NORMAL).score), "status": "normal"}


def test_a_row_far_from_normal_is_an_anomaly(served: Served, sensor: str) -> None:
    assert score(served["inspector"], WILD, sensor).json()["status"] == "anomaly"


@pytest.mark.parametrize("prefix", ["", "/v1", "/api/v1"])
def test_the_route_answers_under_every_prefix(served: Served, sensor: str, prefix: str) -> None:
    answer = served["inspector"].post(f"{served.url}{prefix}/anomaly", json={"values": NORMAL, "sensor": sensor})
    assert answer.status_code == 200


def test_whole_numbers_are_values_too(served: Served, sensor: str) -> None:
    assert score(served["inspector"], [1, 1, 1], sensor).status_code == 200


def test_a_missing_value_is_null(served: Served, sensor: str) -> None:
    answer = score(served["inspector"], [1.2, None, 1.1], sensor).json()
    assert answer["score"] == pytest.approx(vector_model().score_row([1.2, None, 1.1]).score)


def test_an_explained_score_names_threshold_with_contributions(served: Served, sensor: str) -> None:
    answer = score(served["inspector"], NORMAL, sensor, explain=True).json()
    assert answer["threshold"] == pytest.approx(vector_model().metadata.threshold)
    assert sum(answer["contributions"].values()) == pytest.approx(answer["score"] ** 2)


def test_a_row_of_the_wrong_length_is_answered_with_the_length(served: Served, sensor: str) -> None:
    answer = score(served["inspector"], [1.0, 2.0], sensor)
    assert answer.status_code == 400
    assert (answer.json()["expected"], answer.json()["given"]) == (3, 2)
    assert answer.json()["validation_errors"][0]["field"] == "values"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"values": [1.2, NaN, 1.1]}', "values.1"),
        (b'{"values": [1.2, Infinity, 1.1]}', "values.1"),
        (b'{"values": [1.2, 1e999, 1.1]}', "values.1"),
        (b'{"values": [1.2, "0.9", 1.1]}', "values.1"),
        (b'{"values": [1.2, true, 1.1]}', "values.1"),
        (b'{"values": [1.2, [0.9], 1.1]}', "values.1"),
        (b'{"values": []}', "values"),
        (b'{"values": "1.2"}', "values"),
        (b'{"values": null}', "values"),
        (b"{}", "values"),
        (b'{"values": [1.2], "further": 1}', "further"),
        (b'{"values": [1.2', "body"),
        (b"\xff\xfe", "body"),
        (b"", "body"),
    ],
)
def test_a_body_that_is_no_row_names_the_field(served: Served, sensor: str, body: bytes, field: str) -> None:
    head = {"Content-Type": "application/json"}
    answer = served["inspector"].post("/anomaly", content=body, headers=head)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert [one["field"] for one in answer.json()["validation_errors"]] == [field]


def test_a_value_beyond_all_bounds_names_the_field(served: Served, sensor: str) -> None:
    answer = score(served["inspector"], [1e308, 0.9, 1.1], sensor)
    assert answer.status_code == 400
    assert answer.json()["validation_errors"][0]["field"] == "values"


def test_deep_json_is_refused(served: Served, sensor: str) -> None:
    body = b'{"values": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    answer = served["inspector"].post("/anomaly", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/json-too-deep")


def test_a_row_of_too_many_values_is_refused(served: Served, sensor: str) -> None:
    assert score(served["inspector"], [1.0] * 513, sensor).status_code == 400


def test_a_body_over_the_limit_is_refused(served: Served, sensor: str) -> None:
    body = b'{"values": [' + b"1.0," * 1_000_000 + b"1.0]}"
    answer = served["inspector"].post("/anomaly", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_a_sensor_without_a_model_is_not_found(served: Served) -> None:
    answer = score(served["inspector"], NORMAL, "nothing-there")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "anomaly-no-active-model")


def test_a_program_on_loopback_needs_no_credential(served: Served, sensor: str) -> None:
    assert score(served["anonymous"], NORMAL, sensor).status_code == 200


@pytest.mark.parametrize("head", ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via", "X-Real-IP"])
def test_what_a_proxy_passes_on_needs_a_credential(served: Served, sensor: str, head: str) -> None:
    with served.client(**{head: "127.0.0.1"}) as client:
        assert score(client, NORMAL, sensor).status_code == 401


def test_a_wrong_credential_is_refused_on_loopback_too(served: Served, sensor: str) -> None:
    with served.client(**{"X-API-Key": "ifk_wrong"}) as client:
        assert score(client, NORMAL, sensor).status_code == 401


@pytest.mark.parametrize("name", ["X-API-Key", "Authorization"])
@pytest.mark.parametrize("unusual", [{}, {"Origin": "http://localhost"}])
def test_an_empty_credential_is_a_wrong_one(served: Served, sensor: str, name: str, unusual: dict[str, str]) -> None:
    with served.client(**{name: ""}, **unusual) as client:
        assert score(client, NORMAL, sensor).status_code == 401


def test_a_revoked_key_is_refused_at_the_next_request(served: Served, sensor: str) -> None:
    made = served["admin"].post("/api-keys", json={"name": "PLC", "role": "integrator"}).json()
    with served.client(**{"X-API-Key": made["key"]}) as client:
        assert [score(client, NORMAL, sensor).status_code for _ in range(3)] == [200, 200, 200]
        assert served["admin"].delete(f"/api-keys/{made['id']}").status_code == 204
        assert score(client, NORMAL, sensor).status_code == 401


def test_a_batch_is_scored_as_the_model_scores_a_table(served: Served, sensor: str) -> None:
    values = rows(200, seed=7)
    answer = served["inspector"].post("/anomaly/batch", json={"rows": values.tolist(), "sensor": sensor})
    assert answer.status_code == 200
    expected = vector_model().score(values)
    assert [one["score"] for one in answer.json()["results"]] == pytest.approx(expected.tolist())
    assert answer.json()["anomalies"] == int((expected > vector_model().metadata.threshold).sum())


def test_a_batch_names_the_row_of_the_wrong_length(served: Served, sensor: str) -> None:
    answer = served["inspector"].post("/anomaly/batch", json={"rows": [NORMAL, [1.0]], "sensor": sensor})
    assert answer.status_code == 400
    assert answer.json()["validation_errors"][0]["field"] == "rows.1"


def test_a_row_of_a_batch_with_next_to_no_values_is_not_judged(served: Served, sensor: str) -> None:
    body = {"rows": [NORMAL, [None, None, 1.1]], "sensor": sensor}
    results = served["inspector"].post("/anomaly/batch", json=body).json()["results"]
    assert results[1] == {"score": None, "status": "not-judged"}


def test_a_model_of_windows_scores_no_single_row(served: Served) -> None:
    name = f"pump-{new_id()}"
    upload(served["supervisor"], window_model(), sensor=name)
    answer = score(served["inspector"], NORMAL, name)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "anomaly-model-of-windows")


def test_a_model_of_windows_scores_a_batch_in_the_order_of_time(served: Served) -> None:
    name, values = f"pump-{new_id()}", rows(60, seed=9)
    upload(served["supervisor"], window_model(), sensor=name)
    answer = served["inspector"].post("/anomaly/batch", json={"rows": values.tolist(), "sensor": name}).json()
    assert [one["score"] for one in answer["results"]] == pytest.approx(window_model().score(values).tolist())
