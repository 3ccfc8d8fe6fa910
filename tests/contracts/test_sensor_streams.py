"""Streams of machines on each database: over restarts, and by two replicas at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from inspection.sensor import episodes_of, model_bytes, score_rows
from models.ids import new_id
from models.sensors import SensorModelRecord
from models.storage import sha256_of
from server.anomaly.schemas import SensorModelForm
from server.anomaly.service import activate_model, keep_model
from server.anomaly.stream_schemas import StreamRow, StreamRows
from server.anomaly.streams import get_stream, push_rows
from server.anomaly.uploads import ModelFile
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from tests.support.sensor_models import rows, vector_model, window_model
from tests.support.serving import SETUP

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def replica(context: ServerContext, tmp_path: Path) -> Iterator[ServerContext]:
    """Another process of the same server, as far as the database and the object store can tell."""
    settings = ServerSettings(
        data_dir=tmp_path / "replica", database_url=context.settings.database, objects_url=context.settings.objects
    )
    opened = open_context(settings)
    yield opened
    opened.close()


def keep(context: ServerContext, form: SensorModelForm, *, windows: bool = True) -> str:
    model = window_model() if windows else vector_model()
    data = model_bytes(model)
    return keep_model(context, SETUP, form, ModelFile(model, data, sha256_of(data)))[0].id


def sent(first: int, last: int) -> StreamRows:
    values = rows(60, seed=5)[first:last].tolist()
    return StreamRows(
        rows=[
            StreamRow.model_validate({"at": BEGAN + timedelta(seconds=first + place), "values": row})
            for place, row in enumerate(values)
        ]
    )


def test_a_stream_goes_on_after_a_restart(context: ServerContext) -> None:
    keep(context, SensorModelForm())
    stream = new_id()
    found = [one.score for one in push_rows(context, SETUP, stream, sent(0, 23)).results]
    again = open_context(context.settings)
    found += [one.score for one in push_rows(again, SETUP, stream, sent(23, 60)).results]
    again.close()
    assert found == pytest.approx(score_rows(window_model(), rows(60, seed=5)).scores.tolist())


def test_a_stream_alternates_between_replicas(context: ServerContext, replica: ServerContext) -> None:
    keep(context, SensorModelForm())
    stream, found = new_id(), []
    for place in range(0, 60, 5):
        process = replica if place % 2 else context
        found += [one.score for one in push_rows(process, SETUP, stream, sent(place, place + 5)).results]
    assert found == pytest.approx(score_rows(window_model(), rows(60, seed=5)).scores.tolist())


def test_an_episode_goes_over_replicas(context: ServerContext, replica: ServerContext) -> None:
    keep(context, SensorModelForm())
    stream, rows_sent = new_id(), sent(0, 60).rows
    values = rows(60, seed=5)
    values[20:30] += 3
    rows_sent = [row.model_copy(update={"values": one}) for row, one in zip(rows_sent, values.tolist(), strict=True)]
    for place in range(0, 60, 5):
        process = replica if place % 2 else context
        push_rows(process, SETUP, stream, StreamRows(rows=rows_sent[place : place + 5]))
    (episode,) = get_stream(context, stream).episodes
    (wanted,) = episodes_of(score_rows(window_model(), values), window_model().metadata.hold_off)
    assert (episode.anomalies, episode.open) == (wanted.alarms, wanted.open)
    assert episode.start == BEGAN + timedelta(seconds=wanted.start)


def test_rows_sent_to_two_replicas_at_once_are_scored_once(context: ServerContext, replica: ServerContext) -> None:
    keep(context, SensorModelForm())
    stream, answers = new_id(), []
    begin = threading.Barrier(2)

    def push(process: ServerContext) -> None:
        begin.wait()
        for place in range(0, 60, 10):
            answers.append((place, push_rows(process, SETUP, stream, sent(place, place + 10))))

    threads = [threading.Thread(target=push, args=(process,)) for process in (context, replica)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = score_rows(window_model(), rows(60, seed=5)).scores.tolist()
    assert get_stream(context, stream).rows == 60
    for place, answer in answers:
        assert [one.score for one in answer.results] == pytest.approx(expected[place : place + 10])


def test_one_model_stays_active_when_two_are_activated_at_once(context: ServerContext, replica: ServerContext) -> None:
    sensor = f"pump-{new_id()}"
    models = [keep(context, SensorModelForm(sensor=sensor), windows=False) for _ in range(3)]
    threads = [
        threading.Thread(target=activate_model, args=(process, SETUP, model))
        for process, model in zip((context, replica), models[1:], strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with context.database.read() as session:
        query = select(SensorModelRecord.id).where(SensorModelRecord.sensor == sensor, SensorModelRecord.active)
        assert len(session.scalars(query).all()) == 1
