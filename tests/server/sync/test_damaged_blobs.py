"""A blob whose object is damaged: never served in another size, replaced when it is sent again."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import NotFound
from models.storage import sha256_of
from models.sync import Blob
from server.objects.damage import require_whole, whole_stream
from server.objects.records import record_blob, recorded_sizes
from sync.shared.protocol import UploadRequest
from tests.support.log_lines import log_lines
from tests.support.object_files import object_file
from tests.support.serving import Served
from tests.support.sync_stores import ServerStore

DATA = b"pixels of a part"
DIGEST = sha256_of(DATA)
REQUEST = UploadRequest(sha256=DIGEST, size=len(DATA), content_type="image/png")


@pytest.fixture
def stored(server: ServerStore, tmp_path: Path) -> Path:
    """The file of a blob that the server has taken."""
    server.objects.put(DIGEST, DATA)
    with server.database.local_transaction() as session:
        record_blob(session, DIGEST, len(DATA), "image/png")
    return object_file(tmp_path / "server" / "objects", DIGEST)


@pytest.mark.parametrize("damage", [b"PIXELS of a part", b"pix", b""])
def test_a_damaged_blob_that_is_announced_again_is_asked_for(server: ServerStore, stored: Path, damage: bytes) -> None:
    stored.write_bytes(damage)
    assert server.uploads.begin("station", REQUEST).complete is False


def test_what_was_damaged_is_kept_beside_when_it_is_announced_again(server: ServerStore, stored: Path) -> None:
    stored.write_bytes(b"PIXELS of a part")
    server.uploads.begin("station", REQUEST)
    (kept,) = (stored.parents[1] / "damaged").iterdir()
    assert kept.read_bytes() == b"PIXELS of a part"


def test_a_whole_blob_is_not_set_aside(server: ServerStore, stored: Path) -> None:
    assert (server.objects.set_aside(DIGEST), server.objects.read(DIGEST)) == (False, DATA)


def test_a_blob_of_another_size_is_told_in_the_log(
    server: ServerStore, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = log_lines(monkeypatch, "server.objects.damage")
    stored.write_bytes(b"pix")
    with pytest.raises(NotFound) as refused:
        require_whole(server.objects, DIGEST, len(DATA))
    assert refused.value.code == "object-damaged"
    assert [(line["log_level"], line["sha256"], line["size"]) for line in lines] == [("error", DIGEST, 3)]


def test_a_changed_byte_is_found_where_all_bytes_are_read(server: ServerStore, stored: Path) -> None:
    assert b"".join(whole_stream(server.objects, DIGEST)) == DATA
    stored.write_bytes(b"PIXELS of a part")
    with pytest.raises(NotFound) as refused:
        b"".join(whole_stream(server.objects, DIGEST))
    assert refused.value.code == "object-damaged"


def test_a_row_from_before_the_bytes_gets_their_size(server: ServerStore) -> None:
    with server.database.local_transaction() as session:
        session.add(Blob(sha256=DIGEST, size_bytes=0, content_type=""))
    with server.database.local_transaction() as session:
        record_blob(session, DIGEST, len(DATA), "image/png")
    with server.database.read() as session:
        assert recorded_sizes(session, [DIGEST]) == {DIGEST: len(DATA)}


@pytest.mark.slow
@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-3"}])
def test_a_blob_cut_short_is_not_served(served: Served, headers: dict[str, str]) -> None:
    served.context.objects.put(DIGEST, b"pix")
    with served.context.database.local_transaction() as session:
        record_blob(session, DIGEST, len(DATA), "image/png")
    answer = served["admin"].get("/inspection/sync/download", params={"blob": DIGEST}, headers=headers)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "object-damaged")
