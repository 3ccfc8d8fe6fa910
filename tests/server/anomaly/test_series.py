"""A model of a series on the server: streams, batches with episodes, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from inspection.sensor import episodes_of, score_rows
from models.ids import new_id
from tests.support.sensor_models import upload
from tests.support.sensor_series import series_model, temperature
from tests.support.serving import Served


@pytest.fixture
def oil(served: Served) -> dict[str, Any]:
    """The model of a series, active for a sensor of its own."""
    answer = upload(served["supervisor"], series_model(), sensor=f"oil-{new_id()}")
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["type"].rpartition("/")[2])


def timed(values: NDArray[np.float64], seconds: NDArray[np.float64]) -> list[dict[str, Any]]:
    moments = [datetime.fromtimestamp(at, UTC).isoformat() for at in seconds.tolist()]
    return [{"at": at, "values": row} for at, row in zip(moments, values.tolist(), strict=True)]


def test_a_stream_in_pieces_scores_as_the_whole_table(served: Served, oil: dict[str, Any]) -> None:
    values, seconds = temperature(2, seed=8, first_day=28)
    sent, stream, found = timed(values, seconds), new_id(), []
    for piece in (slice(0, 7), slice(7, 120), slice(120, 288)):
        body = {"rows": sent[piece], "sensor": oil["sensor"]}
        answer = served["inspector"].post(f"/anomaly/streams/{stream}", json=body)
        assert answer.status_code == 200, answer.text
        found += [(one["score"], one["status"]) for one in answer.json()["results"]]
    assert [score for score, _ in found] == pytest.approx(series_model().score(values, seconds).tolist(), rel=1e-9)
    assert {status for _, status in found} == {"normal"}


def test_a_stream_has_the_episodes_of_the_whole_table(served: Served, oil: dict[str, Any]) -> None:
    values, seconds = temperature(5, seed=1, first_day=28)
    values[300:340] += 9
    sent, stream, answers = timed(values, seconds), new_id(), []
    for piece in (slice(0, 290), slice(290, 320), slice(320, 330), slice(330, 720)):
        body = {"rows": sent[piece], "sensor": oil["sensor"]}
        answers.append(served["inspector"].post(f"/anomaly/streams/{stream}", json=body).json()["episodes"])
    (wanted,) = episodes_of(score_rows(series_model(), values, seconds), series_model().metadata.hold_off)
    assert [len(one) for one in answers] == [0, 1, 1, 1]
    assert [one[0]["open"] for one in answers[1:]] == [True, True, False]
    (episode,) = served["inspector"].get(f"/anomaly/streams/{stream}").json()["episodes"]
    assert episode == answers[-1][0]
    assert [moment(episode[name]) for name in ("start", "end", "peak")] == [
        seconds[row] for row in (wanted.start, wanted.end, wanted.peak)
    ]
    assert (episode["score"], episode["anomalies"]) == (pytest.approx(wanted.score, rel=1e-9), wanted.alarms)
    assert episode["sensors"] == [{"column": "oil", "share": 1.0}]


def test_an_episode_that_is_over_is_in_no_later_answer(served: Served, oil: dict[str, Any]) -> None:
    values, seconds = temperature(6, seed=1, first_day=28)
    values[300:340] += 9
    sent, stream = timed(values, seconds), new_id()
    for piece in (slice(0, 720), slice(720, 864)):
        body = {"rows": sent[piece], "sensor": oil["sensor"]}
        last = served["inspector"].post(f"/anomaly/streams/{stream}", json=body).json()
    assert last["episodes"] == []
    assert len(served["inspector"].get(f"/anomaly/streams/{stream}").json()["episodes"]) == 1


def test_a_batch_has_the_episodes_of_its_rows(served: Served, oil: dict[str, Any]) -> None:
    values, _ = temperature(4, seed=1, first_day=28)
    values[300:340] += 9
    answer = served["inspector"].post("/anomaly/batch", json={"rows": values.tolist(), "sensor": oil["sensor"]}).json()
    (episode,) = answer["episodes"]
    assert 300 <= episode["start"] <= 306
    assert episode["score"] == max(one["score"] for one in answer["results"])
    assert [one["column"] for one in episode["sensors"]] == ["oil"]


def test_a_single_row_is_refused(served: Served, oil: dict[str, Any]) -> None:
    answer = served["inspector"].post("/anomaly", json={"values": [60.0], "sensor": oil["sensor"]})
    assert (answer.status_code, code_of(answer)) == (409, "anomaly-model-of-windows")


def test_it_learns_nothing_beside_its_stream(served: Served, oil: dict[str, Any]) -> None:
    sent = timed(*temperature(1, first_day=28))[:3]
    answer = served["supervisor"].post(f"/anomaly/models/{oil['id']}/learn", json={"rows": sent})
    assert (answer.status_code, code_of(answer)) == (409, "anomaly-series-follows")


def test_its_automatic_threshold_is_that_of_its_training(served: Served, oil: dict[str, Any]) -> None:
    answer = served["supervisor"].get(f"/anomaly/models/{oil['id']}/threshold").json()
    assert answer["automatic"] == answer["threshold"] == series_model().metadata.threshold
