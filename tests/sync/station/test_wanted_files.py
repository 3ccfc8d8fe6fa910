"""Which files a station fetches."""

from __future__ import annotations

from models.pipelines import Pipeline
from models.targets import InspectionItem
from tests.support.sync_stores import model_file, prepared


def test_only_a_model_that_an_item_uses_is_fetched(server, make_station):
    station = make_station()
    _, _, item = prepared(server, station)
    used, unused = model_file(b"bundle"), model_file(b"other")
    server.add(used, unused)
    for data, model in ((b"bundle", used), (b"other", unused)):
        server.objects.put(model.sha256, data)
    station.sync()
    assert not station.blobs.exists(used.sha256)
    with server.database.transaction() as session:
        session.get(InspectionItem, item.id).pipeline_parameters = {"score": {"model": used.id}}
    assert station.sync().blobs_fetched == 1
    assert station.blobs.read(used.sha256) == b"bundle"
    assert not station.blobs.exists(unused.sha256)


def test_files_that_a_pipeline_or_any_parameter_names_are_fetched(server, make_station):
    station = make_station()
    _, _, item = prepared(server, station)
    named, reference = model_file(b"named by the pipeline"), model_file(b"named as a reference")
    step = {"id": "a", "component": "anomaly", "parameters": {"model": named.id}, "inputs": {"image": "input"}}
    pipeline = Pipeline(name="P", definition={"name": "P", "steps": [step]})
    server.add(named, reference, pipeline)
    for data, model in ((b"named by the pipeline", named), (b"named as a reference", reference)):
        server.objects.put(model.sha256, data)
    with server.database.transaction() as session:
        used = session.get_one(InspectionItem, item.id)
        used.pipeline_id, used.pipeline_parameters = pipeline.id, {"align": {"reference": reference.id}}
    assert station.sync().blobs_fetched == 2
    assert station.blobs.exists(named.sha256)
    assert station.blobs.exists(reference.sha256)
