"""Files that a station fetches: what the server has damaged is never taken for good."""

from __future__ import annotations

import pytest

from models.pipelines import ModelFile
from models.targets import InspectionItem
from tests.support.sync_stores import ServerStore, Station, model_file, prepared

BUNDLE = b"bundle"


@pytest.fixture
def wanted(server: ServerStore, make_station) -> tuple[Station, ModelFile]:
    """A station with an item that names a model, of whose object the server has changed a byte."""
    station = make_station()
    _, _, item = prepared(server, station)
    model = model_file(BUNDLE)
    server.add(model)
    server.objects.put(model.sha256, b"bundlE")
    with server.database.transaction() as session:
        session.get_one(InspectionItem, item.id).pipeline_parameters = {"score": {"model": model.id}}
    return station, model


def test_a_file_with_a_changed_byte_is_not_kept(wanted):
    station, model = wanted
    station.sync()
    assert (station.blobs.exists(model.sha256), station.blobs.partial(model.sha256).exists()) == (False, False)


def test_a_file_with_a_changed_byte_is_told(wanted):
    station, _ = wanted
    report = station.sync()
    assert (report.blobs_fetched, report.problems) == (0, ("blob-digest-differs",))


def test_a_file_with_a_changed_byte_is_asked_for_again(server, wanted):
    station, model = wanted
    station.sync()
    server.objects.put(model.sha256, BUNDLE)
    assert station.sync().blobs_fetched == 1
    assert station.blobs.read(model.sha256) == BUNDLE
