"""``/anomaly/streams``: rows of a machine as they come, scored as a whole table is."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inspection.sensor import SensorModel, SensorStream, score_rows
from models.ids import new_id
from models.sensors import SensorStreamRecord
from server.anomaly.stream_state import REMEMBERED
from server.core.settings import ServerSettings
from tests.support.sensor_models import rows, upload, vector_model, window_model
from tests.support.serving import Served, serve, serve_with_users

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
MODELS = {"vectors": vector_model, "windows": window_model}


def timed(values: NDArray[np.float64], start: int = 0) -> list[dict[str, Any]]:
    """Return rows a second apart, null where a value is missing."""
    cells = [[None if math.isnan(value) else value for value in row] for row in values.tolist()]
    return [{"at": at(start + place), "values": row} for place, row in enumerate(cells)]


def at(second: int) -> str:
    return (BEGAN + timedelta(seconds=second)).isoformat().replace("+00:00", "Z")


def push(client: httpx.Client, stream: str, sent: Sequence[Any], **members: Any) -> dict[str, Any]:
    answer = client.post(f"/anomaly/streams/{stream}", json={"rows": list(sent), **members})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def scores(answer: dict[str, Any]) -> list[float]:
    return [math.nan if one["score"] is None else one["score"] for one in answer["results"]]


@pytest.fixture(params=["vectors", "windows"])
def model(served: Served, request: pytest.FixtureRequest) -> tuple[SensorModel, str]:
    """A model, and the sensor it is active for."""
    made, sensor = MODELS[request.param](), f"pump-{new_id()}"
    assert upload(served["supervisor"], made, sensor=sensor).status_code == 201
    return made, sensor


@pytest.fixture
def windows(served: Served) -> str:
    sensor = f"pump-{new_id()}"
    assert upload(served["supervisor"], window_model(), sensor=sensor).status_code == 201
    return sensor


@given(data=st.data())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_in_pieces_score_as_the_whole_table(
    served: Served, model: tuple[SensorModel, str], data: st.DataObject
) -> None:
    scorer, sensor = model
    values = rows(40, seed=data.draw(st.integers(0, 1_000)))
    holes = data.draw(st.lists(st.tuples(st.integers(0, 39), st.integers(0, 2)), max_size=25))
    for row, column in holes:
        values[row, column] = np.nan
    cuts = sorted(data.draw(st.sets(st.integers(1, 39), max_size=5)))
    stream, found = new_id(), []
    for first, last in zip([0, *cuts], [*cuts, 40], strict=True):
        sent = timed(values[first:last], first)
        order = data.draw(st.permutations(range(len(sent))))
        answer = push(served["inspector"], stream, [sent[place] for place in order], sensor=sensor)
        by_time = dict(zip([sent[place]["at"] for place in order], scores(answer), strict=True))
        found += [by_time[row["at"]] for row in sent]
    assert found == pytest.approx(score_rows(scorer, values).scores.tolist(), nan_ok=True, rel=1e-9)


def test_a_state_goes_on_bit_by_bit() -> None:
    values, whole = rows(30, seed=3), SensorStream(window_model())
    values[4, 1] = values[13, 0] = np.nan
    expected = [whole.push(row).score for row in values.tolist()]
    found, state = [], None
    for row in values.tolist():
        stream = SensorStream(window_model(), state)
        found.append(stream.push(row).score)
        state = stream.state()
    assert found == expected


def test_the_same_rows_again_have_the_same_results(served: Served, windows: str) -> None:
    stream, sent = new_id(), timed(rows(20))
    first = push(served["inspector"], stream, sent, sensor=windows)
    again = push(served["inspector"], stream, sent, sensor=windows)
    assert scores(again) == scores(first)
    assert {one["repeated"] for one in again["results"]} == {True}
    assert served["inspector"].get(f"/anomaly/streams/{stream}").json()["rows"] == 20


def test_a_time_that_was_scored_keeps_its_first_score(served: Served, windows: str) -> None:
    stream, sent = new_id(), timed(rows(10))
    first = push(served["inspector"], stream, sent, sensor=windows)
    other = push(served["inspector"], stream, [{"at": sent[4]["at"], "values": [9, 9, 9]}])
    assert scores(other) == scores(first)[4:5]


def test_two_rows_of_one_time_in_a_request_are_one(served: Served, windows: str) -> None:
    stream, sent = new_id(), timed(rows(3))
    answer = push(served["inspector"], stream, [*sent, sent[1]], sensor=windows)
    assert [one["repeated"] for one in answer["results"]] == [False, False, False, True]


def test_a_row_between_two_that_were_scored_is_late(served: Served, windows: str) -> None:
    stream, sent = new_id(), timed(rows(10))
    push(served["inspector"], stream, [*sent[:4], *sent[5:]], sensor=windows)
    answer = push(served["inspector"], stream, [sent[4]])
    assert (answer["results"][0]["status"], answer["results"][0]["score"]) == ("late", None)


def test_a_late_row_changes_no_score_after_it(served: Served, windows: str) -> None:
    sent, found = timed(rows(12)), []
    for late in ([], [{"at": at(-5), "values": [9, 9, 9]}]):
        stream = new_id()
        push(served["inspector"], stream, sent[:8], sensor=windows)
        found.append(scores(push(served["inspector"], stream, [*late, *sent[8:]]))[len(late) :])
    assert found[0] == found[1]


def test_the_first_rows_fill_the_window(served: Served, windows: str) -> None:
    answer = push(served["inspector"], new_id(), timed(rows(8)), sensor=windows)
    assert [one["status"] for one in answer["results"]][:5] == ["filling"] * 4 + ["normal"]


def test_a_wrong_row_leaves_the_stream_as_it_was(served: Served, windows: str) -> None:
    stream, sent = new_id(), timed(rows(8))
    push(served["inspector"], stream, sent[:6], sensor=windows)
    body = {"rows": [sent[6], {"at": at(7), "values": [1.0]}]}
    answer = served["inspector"].post(f"/anomaly/streams/{stream}", json=body)
    assert (answer.status_code, answer.json()["validation_errors"][0]["field"]) == (400, "rows.1.values")
    assert served["inspector"].get(f"/anomaly/streams/{stream}").json()["rows"] == 6


@pytest.mark.parametrize("time", ["", "yesterday", 1, None, "2026-03-01T00:00:00"])
def test_a_time_without_its_zone_is_refused(served: Served, windows: str, time: object) -> None:
    body = {"rows": [{"at": time, "values": [1, 1, 1]}], "sensor": windows}
    answer = served["inspector"].post(f"/anomaly/streams/{new_id()}", json=body)
    assert (answer.status_code, answer.json()["validation_errors"][0]["field"]) == (400, "rows.0.at")


def test_a_machine_that_fails_is_an_anomaly_of_its_stream(served: Served, windows: str) -> None:
    stream = new_id()
    push(served["inspector"], stream, timed(rows(20)), sensor=windows)
    answer = push(served["inspector"], stream, timed(rows(10) + 3.0, 20))
    assert answer["results"][-1]["status"] == "anomaly"
    shown = served["inspector"].get(f"/anomaly/streams/{stream}").json()
    assert (shown["last_status"], shown["anomalies"]) == ("anomaly", answer["anomalies"])


@pytest.mark.slow
def test_a_stream_is_read_without_the_object_of_its_model(tmp_path: Path) -> None:
    settings = ServerSettings(data_dir=tmp_path)
    with serve_with_users(tmp_path) as served:
        supervisor = served["supervisor"]
        model = upload(supervisor, window_model()).json()
        push(supervisor, "press", timed(rows(20)))
        push(supervisor, "press", timed(rows(5) + 3.0, 20))
        shown = supervisor.get("/anomaly/streams/press").json()
        # The server loads the active models when it starts.
        assert upload(supervisor, vector_model(), activate="true").status_code == 201
        served.context.objects.delete(model["sha256"])
    with serve(settings) as served:
        token = served.sign_in("supervisor")["access_token"]
        with served.client(Authorization=f"Bearer {token}") as supervisor:
            assert supervisor.get("/anomaly/streams/press").json() == shown
    assert [episode["open"] for episode in shown["episodes"]] == [True]


def test_a_state_that_was_kept_without_its_hold_off_is_read(served: Served, windows: str) -> None:
    stream = new_id()
    push(served["inspector"], stream, timed(rows(20)), sensor=windows)
    push(served["inspector"], stream, timed(rows(5) + 3.0, 20))
    shown = served["inspector"].get(f"/anomaly/streams/{stream}").json()
    with served.context.database.local_transaction() as session:
        record = session.get_one(SensorStreamRecord, stream)
        with np.load(io.BytesIO(record.state), allow_pickle=False) as found:
            kept = {name: found[name] for name in found.files if name != "hold_off"}
        before = io.BytesIO()
        np.savez(before, allow_pickle=False, **kept)
        record.state = before.getvalue()
    assert served["inspector"].get(f"/anomaly/streams/{stream}").json() == shown


def test_a_stream_of_single_rows_has_no_episodes(served: Served) -> None:
    stream, sensor = new_id(), f"pump-{new_id()}"
    assert upload(served["supervisor"], vector_model(), sensor=sensor).status_code == 201
    assert push(served["inspector"], stream, timed(rows(5) + 3.0), sensor=sensor)["anomalies"] == 5
    assert served["inspector"].get(f"/anomaly/streams/{stream}").json()["episodes"] == []


def test_a_streamed_model_is_not_deleted(served: Served, windows: str) -> None:
    push(served["inspector"], new_id(), timed(rows(3)), sensor=windows)
    second = upload(served["supervisor"], window_model(), sensor=windows, activate="true").json()
    models = served["inspector"].get("/anomaly/models", params={"sensor": windows}).json()["items"]
    first = next(one["id"] for one in models if one["id"] != second["id"])
    assert served["supervisor"].delete(f"/anomaly/models/{first}").status_code == 409


def test_a_deleted_stream_begins_anew(served: Served, windows: str) -> None:
    stream, sent = new_id(), timed(rows(8))
    first = push(served["inspector"], stream, sent, sensor=windows)
    assert served["supervisor"].delete(f"/anomaly/streams/{stream}").status_code == 204
    again = push(served["inspector"], stream, sent, sensor=windows)
    assert scores(again) == scores(first)
    assert {one["repeated"] for one in again["results"]} == {False}


def test_no_more_results_are_kept_than_said(served: Served, windows: str) -> None:
    stream = new_id()
    sent = timed(rows(REMEMBERED + 50))
    push(served["inspector"], stream, sent, sensor=windows)
    answer = push(served["inspector"], stream, [sent[0], sent[-1]])
    assert [one["status"] == "late" for one in answer["results"]] == [True, False]
    with served.context.database.read() as session:
        record = session.get_one(SensorStreamRecord, stream)
        assert len(record.state) < 30_000
