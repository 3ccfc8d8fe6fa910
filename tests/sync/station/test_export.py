"""What a station has not sent, written to a folder."""

from __future__ import annotations

import json

import pytest

from models.errors import Conflict
from models.storage import sha256_of
from sync.station.export import CHANGES, FILES, export_unsent
from tests.support.sync_stores import prepared

pytestmark = pytest.mark.slow


@pytest.fixture
def unsent(server, make_station):
    """A station with a part that its server has and one that it has not."""
    station = make_station()
    user, target, _ = prepared(server, station)
    station.inspect_part(target.id, user.id, image=b"sent")
    station.sync()
    station.inspect_part(target.id, user.id, image=b"not sent")
    return station


def test_every_change_that_waits_is_written(unsent, tmp_path):
    done = export_unsent(unsent.database, unsent.blobs, tmp_path / "out")
    lines = [json.loads(line) for line in (tmp_path / "out" / CHANGES).read_text("utf-8").splitlines()]
    assert [line["change_id"] for line in lines] == [entry.change_id for entry in unsent.outbox()]
    assert done.changes == 3


def test_the_files_that_wait_are_written(unsent, tmp_path):
    export_unsent(unsent.database, unsent.blobs, tmp_path / "out")
    found = {path.name: path.read_bytes() for path in (tmp_path / "out" / FILES).iterdir()}
    assert found == {sha256_of(b"not sent"): b"not sent"}


def test_an_export_removes_nothing(unsent, tmp_path):
    before = [entry.change_id for entry in unsent.outbox()]
    export_unsent(unsent.database, unsent.blobs, tmp_path / "out")
    assert [entry.change_id for entry in unsent.outbox()] == before


def test_a_file_that_is_gone_is_counted(unsent, tmp_path):
    unsent.blobs.delete(sha256_of(b"not sent"))
    assert export_unsent(unsent.database, unsent.blobs, tmp_path / "out").missing == 1


def test_an_export_replaces_nothing(unsent, tmp_path):
    (tmp_path / "kept").write_text("kept")
    with pytest.raises(Conflict):
        export_unsent(unsent.database, unsent.blobs, tmp_path)
