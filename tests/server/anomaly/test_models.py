"""``/anomaly/models``: upload, activation, deletion, threshold."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from inspection.sensor import model_bytes
from models.ids import new_id
from tests.support.sensor_models import COLUMNS, upload, vector_model, window_model
from tests.support.serving import Served

ROW = [1.2, 0.9, 1.1]


def sensor() -> str:
    return f"pump-{new_id()}"


def test_an_uploaded_model_is_shown_with_what_it_is(served: Served) -> None:
    name = sensor()
    made = upload(served["supervisor"], vector_model(), sensor=name)
    assert made.status_code == 201
    shown = served["inspector"].get(made.headers["location"].removeprefix("/api/v1")).json()
    assert (shown["name"], shown["sensor"], shown["status"], shown["active"]) == ("Pump", name, "ready", True)
    assert (shown["columns"], shown["window"]) == (list(COLUMNS), 1)


def test_the_same_upload_with_the_same_id_is_one_model(served: Served) -> None:
    form = {"id": new_id(), "sensor": sensor()}
    answers = [upload(served["supervisor"], vector_model(), **form).status_code for _ in range(2)]
    assert answers == [201, 200]


def test_an_id_cannot_be_used_for_another_model(served: Served) -> None:
    form = {"id": new_id(), "sensor": sensor()}
    upload(served["supervisor"], vector_model(), **form)
    assert upload(served["supervisor"], window_model(), **form).status_code == 409


def test_a_second_model_scores_once_it_is_activated(served: Served) -> None:
    name, other = sensor(), vector_model().with_threshold(1e-6)
    upload(served["supervisor"], vector_model(), sensor=name)
    second = upload(served["supervisor"], other, sensor=name).json()
    body = {"values": ROW, "sensor": name}
    before = served["inspector"].post("/anomaly", json=body).json()["status"]
    assert served["supervisor"].post(f"/anomaly/models/{second['id']}/activate").json()["active"] is True
    assert (before, served["inspector"].post("/anomaly", json=body).json()["status"]) == ("normal", "anomaly")


def test_one_model_of_a_sensor_is_active(served: Served) -> None:
    name = sensor()
    for _ in range(3):
        upload(served["supervisor"], vector_model(), sensor=name, activate="true")
    listed = served["inspector"].get("/anomaly/models", params={"sensor": name}).json()["items"]
    assert sorted(one["active"] for one in listed) == [False, False, True]


def test_models_of_several_sensors_score_side_by_side(served: Served) -> None:
    first, second = sensor(), sensor()
    upload(served["supervisor"], vector_model(), sensor=first)
    upload(served["supervisor"], vector_model().with_threshold(1e-6), sensor=second)
    found = [
        served["inspector"].post("/anomaly", json={"values": ROW, "sensor": name}).json()["status"]
        for name in (first, second)
    ]
    assert found == ["normal", "anomaly"]


def test_an_active_model_is_not_deleted(served: Served) -> None:
    made = upload(served["supervisor"], vector_model(), sensor=sensor()).json()
    answer = served["supervisor"].delete(f"/anomaly/models/{made['id']}")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "anomaly-model-active")


def test_a_model_that_is_not_active_is_deleted(served: Served) -> None:
    name = sensor()
    first = upload(served["supervisor"], vector_model(), sensor=name).json()
    upload(served["supervisor"], vector_model(), sensor=name, activate="true")
    assert served["supervisor"].delete(f"/anomaly/models/{first['id']}").status_code == 204
    assert served["inspector"].get(f"/anomaly/models/{first['id']}").status_code == 404


class Harmful:
    """Unpickling it would run a command."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit(99)",))


def _pickled() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, metadata=np.array([Harmful()], dtype=object))
    return buffer.getvalue()


def _bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.npy", b"\0" * (80 * 2**20))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04",
        _pickled(),
        _bomb(),
        model_bytes(vector_model())[:-100],
        model_bytes(vector_model()).replace(b"Pump", b"Lamp"),
    ],
    ids=["begun", "object-array", "bomb", "cut", "changed"],
)
def test_a_file_that_is_no_whole_model_is_refused(served: Served, data: bytes) -> None:
    answer = served["supervisor"].post("/anomaly/models", files={"file": ("model.npz", data)})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_model_file_over_the_limit_is_refused(served: Served) -> None:
    answer = served["supervisor"].post("/anomaly/models", files={"file": ("model.npz", b"PK\x03\x04" + b"x" * 2**24)})
    assert answer.status_code == 413


def test_the_threshold_is_shown_beside_the_errors(served: Served) -> None:
    made = upload(served["supervisor"], vector_model(), sensor=sensor()).json()
    shown = served["inspector"].get(f"/anomaly/models/{made['id']}/threshold").json()
    assert shown["threshold"] == vector_model().metadata.threshold == shown["percentiles"][0]["threshold"]
    assert sum(shown["histogram_counts"]) == 400
    assert len(shown["histogram_edges"]) == len(shown["histogram_counts"]) + 1


def test_the_thresholds_to_choose_from_rise(served: Served) -> None:
    made = upload(served["supervisor"], vector_model(), sensor=sensor()).json()
    shown = served["inspector"].get(f"/anomaly/models/{made['id']}/threshold").json()
    found = [one["threshold"] for one in shown["percentiles"]]
    assert [one["percent"] for one in shown["percentiles"]] == [95, 96, 97, 98, 99]
    assert found == sorted(found)
    assert shown["automatic"] >= found[-1]


@pytest.mark.parametrize(
    ("body", "method"),
    [({"percent": 99}, "percentile"), ({"automatic": True}, "automatic"), ({"value": 1e-6}, "manual")],
)
def test_the_threshold_is_moved_three_ways(served: Served, body: dict[str, object], method: str) -> None:
    made = upload(served["supervisor"], vector_model(), sensor=sensor()).json()
    before = made["threshold"]
    changed = served["supervisor"].put(f"/anomaly/models/{made['id']}/threshold", json=body).json()
    assert changed["method"] == method
    assert changed["threshold"] != before


def test_rows_are_judged_by_the_moved_threshold(served: Served) -> None:
    name = sensor()
    made = upload(served["supervisor"], vector_model(), sensor=name).json()
    body = {"values": ROW, "sensor": name}
    before = served["inspector"].post("/anomaly", json=body).json()["status"]
    served["supervisor"].put(f"/anomaly/models/{made['id']}/threshold", json={"value": 1e-6})
    assert (before, served["inspector"].post("/anomaly", json=body).json()["status"]) == ("normal", "anomaly")


@pytest.mark.parametrize("body", [{}, {"percent": 94}, {"percent": 96, "value": 1.0}, {"value": 0}])
def test_a_threshold_without_one_clear_rule_is_refused(served: Served, body: dict[str, object]) -> None:
    made = upload(served["supervisor"], vector_model(), sensor=sensor()).json()
    assert served["supervisor"].put(f"/anomaly/models/{made['id']}/threshold", json=body).status_code == 400


def test_a_threshold_that_somebody_else_moved_is_not_overwritten(served: Served) -> None:
    made = upload(served["supervisor"], vector_model(), sensor=sensor()).json()
    path = f"/anomaly/models/{made['id']}/threshold"
    tag = served["supervisor"].put(path, json={"percent": 97}).headers["etag"]
    served["supervisor"].put(path, json={"percent": 98})
    assert served["supervisor"].put(path, json={"percent": 99}, headers={"If-Match": tag}).status_code == 412
