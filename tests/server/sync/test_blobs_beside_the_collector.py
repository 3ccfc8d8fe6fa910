"""Blobs that are here when they are announced or sent, and whether they stay: collected meanwhile, or damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.storage import sha256_of
from server.objects.store import ObjectStore
from server.sync import blobs
from sync.shared.blob_batches import PackedBlob
from sync.shared.protocol import UploadRequest
from tests.support.object_files import object_file
from tests.support.sync_stores import ServerStore

DATA = b"heatmap"
DIGEST = sha256_of(DATA)
FILE = object_file(Path("server", "objects"), DIGEST)
REQUEST = UploadRequest(sha256=DIGEST, size=len(DATA), content_type="image/png")


def remove_before_the_record(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the collector remove the object at the last moment it may: just before the record that names it."""
    record = getattr(blobs, name)

    def late(*given: object) -> None:
        objects.delete(DIGEST)
        record(*given)

    monkeypatch.setattr(blobs, name, late)


def test_an_announced_blob_that_is_collected_meanwhile_is_asked_for(
    server: ServerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.objects.put(DIGEST, DATA)
    remove_before_the_record(server.objects, monkeypatch, "record_blob")
    assert server.uploads.begin("station", REQUEST).complete is False


def test_a_blob_of_many_that_is_collected_meanwhile_is_stored_again(
    server: ServerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.objects.put(DIGEST, DATA)
    remove_before_the_record(server.objects, monkeypatch, "record_blobs")
    server.uploads.take([PackedBlob(REQUEST, DATA)], "en")
    assert server.objects.read(DIGEST) == DATA


@pytest.fixture
def damaged(server: ServerStore, tmp_path: Path) -> Path:
    """The file of an object whose process ended before a flush, as a power cut has left it."""
    server.objects.put(DIGEST, DATA)
    path = tmp_path / FILE
    path.write_bytes(b"")
    return path


def test_an_announced_blob_that_a_power_cut_has_damaged_is_asked_for(server: ServerStore, damaged: Path) -> None:
    assert server.uploads.begin("station", REQUEST).complete is False


def test_a_blob_of_many_that_a_power_cut_has_damaged_is_stored_again(server: ServerStore, damaged: Path) -> None:
    server.uploads.take([PackedBlob(REQUEST, DATA)], "en")
    assert server.objects.read(DIGEST) == DATA
