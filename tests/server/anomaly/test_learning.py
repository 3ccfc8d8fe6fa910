"""Online learning with its guard, and drift."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from inspection.sensor import OnlineLearner
from models.ids import new_id
from tests.support.sensor_models import COLUMNS, rows, upload, vector_model, window_model
from tests.support.serving import Served

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def sensor(served: Served) -> str:
    name = f"pump-{new_id()}"
    assert upload(served["supervisor"], vector_model(), sensor=name).status_code == 201
    return name


def model_of(served: Served, sensor: str) -> str:
    items = served["inspector"].get("/anomaly/models", params={"sensor": sensor}).json()["items"]
    return str(items[0]["id"])


def timed(values: NDArray[np.float64], start: int = 0) -> list[dict[str, Any]]:
    moments = [(BEGAN + timedelta(minutes=start + place)).isoformat() for place in range(len(values))]
    return [{"at": at, "values": row} for at, row in zip(moments, values.tolist(), strict=True)]


def teach(client: httpx.Client, model_id: str, sent: list[dict[str, Any]]) -> dict[str, Any]:
    answer = client.post(f"/anomaly/models/{model_id}/learn", json={"rows": sent})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def score(served: Served, sensor: str) -> float:
    body = {"values": [1.25, 0.92, 1.09], "sensor": sensor}
    return float(served["inspector"].post("/anomaly", json=body).json()["score"])


def test_rows_in_pieces_are_learned_as_in_one(served: Served, sensor: str) -> None:
    model_id, values = model_of(served, sensor), np.add(rows(400, seed=11), [0.02, 0.0, 0.0])
    learner = OnlineLearner(vector_model())
    for row in timed(values):
        learner.push(row["values"], datetime.fromisoformat(row["at"]).timestamp())
    for first in range(0, 400, 100):
        answer = teach(served["supervisor"], model_id, timed(values[first : first + 100], first))
    assert answer["rows_learned"] == learner.rows_learned > 0
    assert [one["distance"] for one in answer["shifts"]] == pytest.approx(
        [one.distance for one in learner.feature_shift()]
    )


def test_rows_are_scored_by_what_was_learned(served: Served, sensor: str) -> None:
    before = score(served, sensor)
    teach(served["supervisor"], model_of(served, sensor), timed(rows(300, seed=11)))
    assert score(served, sensor) != before


def test_learning_is_taken_back(served: Served, sensor: str) -> None:
    before, model_id = score(served, sensor), model_of(served, sensor)
    teach(served["supervisor"], model_id, timed(rows(300, seed=11)))
    assert served["supervisor"].delete(f"/anomaly/models/{model_id}/learn").status_code == 204
    assert score(served, sensor) == before
    assert served["inspector"].get(f"/anomaly/models/{model_id}/learn").json()["rows_learned"] == 0


def test_nothing_is_learned_from_anomalies(served: Served, sensor: str) -> None:
    before, model_id = score(served, sensor), model_of(served, sensor)
    answer = teach(served["supervisor"], model_id, timed(rows(200, seed=11) + 3.0))
    assert (answer["rows_learned"], answer["accepted"], answer["waiting"]) == (0, 0, 0)
    assert score(served, sensor) == before


def test_no_number_of_requests_moves_a_model_beyond_a_day(served: Served, sensor: str) -> None:
    model_id = model_of(served, sensor)
    shifted = np.tile([1.2, 0.9, 1.1], (60, 1)) + vector_model().scaling.scale * [0.4, 0.4, -0.4]
    for first in range(0, 600, 60):
        answer = teach(served["supervisor"], model_id, timed(shifted, first))
    assert answer["rows_learned"] > 0
    assert max(abs(one["distance"]) for one in answer["shifts"]) <= 0.5 + 1e-9


def test_the_same_rows_again_are_not_learned_twice(served: Served, sensor: str) -> None:
    model_id, sent = model_of(served, sensor), timed(rows(200, seed=11))
    first = teach(served["supervisor"], model_id, sent)
    again = teach(served["supervisor"], model_id, sent)
    assert (again["late"], again["rows_learned"]) == (200, first["rows_learned"])


def test_windows_are_learned_over_requests_too(served: Served) -> None:
    name, values = f"pump-{new_id()}", rows(300, seed=12)
    upload(served["supervisor"], window_model(), sensor=name)
    learner = OnlineLearner(window_model())
    for row in timed(values):
        learner.push(row["values"], datetime.fromisoformat(row["at"]).timestamp())
    for first in range(0, 300, 60):
        answer = teach(served["supervisor"], model_of(served, name), timed(values[first : first + 60], first))
    assert answer["rows_learned"] == learner.rows_learned


def test_a_wrong_row_teaches_nothing(served: Served, sensor: str) -> None:
    model_id = model_of(served, sensor)
    sent = [*timed(rows(80, seed=11)), {"at": "2026-03-02T00:00:00Z", "values": [1.0]}]
    answer = served["supervisor"].post(f"/anomaly/models/{model_id}/learn", json={"rows": sent})
    assert (answer.status_code, answer.json()["validation_errors"][0]["field"]) == (400, "rows.80.values")
    assert served["inspector"].get(f"/anomaly/models/{model_id}/learn").json()["waiting"] == 0


def test_drift_is_measured_sensor_by_sensor(served: Served, sensor: str) -> None:
    moved = np.add(rows(300, seed=13), [1.0, 0.0, 0.0])
    path = f"/anomaly/models/{model_of(served, sensor)}/drift"
    found = served["inspector"].post(path, json={"rows": moved.tolist()}).json()
    assert [one["column"] for one in found] == list(COLUMNS)
    assert [one["level"] for one in found] == ["changed", "stable", "stable"]
