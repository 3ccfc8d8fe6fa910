"""Blobs on a station: whole or not there, never half, and kept until the server has them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import textwrap

import pytest

from models.errors import InvalidInput, NotFound, Unavailable
from sync.station.blobs import BlobStore, remember_blob


@pytest.fixture
def blobs(tmp_path):
    return BlobStore(tmp_path / "blobs")


def test_bytes_come_back_under_their_digest(blobs, tmp_path):
    data = bytes(range(256)) * 10
    sha256 = blobs.put(data)
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert blobs.read(sha256) == data
    assert blobs.size(sha256) == len(data)
    file = tmp_path / "file"
    file.write_bytes(data)
    assert blobs.put_file(file) == sha256
    assert list(blobs.digests()) == [sha256]


def test_an_altered_blob_does_not_verify(blobs):
    sha256 = blobs.put(b"right")
    assert blobs.verify(sha256)
    blobs.path(sha256).write_bytes(b"wrong")
    assert not blobs.verify(sha256)
    assert not blobs.verify(hashlib.sha256(b"absent").hexdigest())


def test_a_blob_that_is_not_there_is_reported(blobs):
    with pytest.raises(NotFound) as refusal:
        blobs.read("0" * 64)
    assert refusal.value.code == "blob-missing"


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "ABC", "0" * 63 + "/"])
def test_a_name_that_is_no_digest_never_becomes_a_path(blobs, name):
    with pytest.raises(InvalidInput):
        blobs.path(name)


def test_only_what_a_crash_left_half_written_is_removed(blobs):
    sha256 = blobs.put(b"whole")
    (blobs.path(sha256).parent / "tmp-0011").write_bytes(b"ha")
    assert blobs.remove_temporary() == 1
    assert list(blobs.directory.glob("??/*")) == [blobs.path(sha256)]


def test_a_download_is_a_blob_only_with_the_right_digest(blobs):
    sha256 = hashlib.sha256(b"model").hexdigest()
    part = blobs.partial(sha256)
    part.parent.mkdir(parents=True)
    part.write_bytes(b"modem")
    assert not blobs.adopt(sha256)
    assert not part.exists()
    part.write_bytes(b"model")
    assert blobs.adopt(sha256)
    assert blobs.read(sha256) == b"model"


def test_a_blob_has_one_row_however_often_it_is_remembered(make_station):
    station = make_station()
    with station.database.transaction() as session:
        blob = remember_blob(session, "0" * 64, 3, "image/png")
        assert remember_blob(session, "0" * 64, 3, "image/png") is blob


FULL_DISK = """
    import resource, signal, sys
    from pathlib import Path
    from models.errors import Unavailable
    from sync.station.blobs import BlobStore

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
    try:
        BlobStore(Path(sys.argv[1])).put(b"x" * 20_000)
    except Unavailable as error:
        print(error.code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes to try this with")
def test_a_full_disk_leaves_nothing_behind(blobs):
    kept = blobs.put(b"before")
    script = textwrap.dedent(FULL_DISK)
    command = [sys.executable, "-c", script, str(blobs.directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "disk-full"
    assert [path for path in blobs.directory.rglob("*") if path.is_file()] == [blobs.path(kept)]


def test_a_folder_that_cannot_be_made_is_reported(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable) as refusal:
        BlobStore(tmp_path / "file" / "blobs").put(b"x")
    assert refusal.value.code == "blob-not-written"
