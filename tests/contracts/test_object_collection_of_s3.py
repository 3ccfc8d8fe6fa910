"""S3 removes an object whatever was stored a moment before: nothing that a record names is lost by that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import obstore
import pytest

from models.clock import utc_now
from models.ids import new_id
from models.storage import sha256_of
from models.sync import StoredFile
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from server.objects.collecting import Grace, collect
from server.objects.records import record_blob
from tests.support.private_s3 import S3Server

pytestmark = pytest.mark.slow
DATA = b"stored again while it is removed"
SHA256 = sha256_of(DATA)
AFTER = timedelta(hours=25)


@pytest.fixture
def context(s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerContext]:
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    bucket = f"t{new_id()}"
    s3.make_bucket(bucket)
    opened = open_context(ServerSettings(data_dir=tmp_path, objects_url=f"s3://{bucket}/objects"))
    yield opened
    opened.close()


def recorded(context: ServerContext) -> None:
    """Record the object and name it, as what stored it does."""
    with context.database.local_transaction() as session:
        record_blob(session, SHA256, len(DATA), "image/png")
        session.add(StoredFile(sha256=SHA256, filename="x.png", content_type="image/png", size_bytes=len(DATA)))


@pytest.fixture
def overtaken(context: ServerContext, monkeypatch: pytest.MonkeyPatch) -> ServerContext:
    """A server that stored an object again, and named it, between the question of the collection and its removal."""
    context.objects.put(SHA256, DATA)
    delete = obstore.delete

    def stored_before(store: object, path: str) -> None:
        if not path.startswith("removed/"):
            context.objects.put(SHA256, DATA)
        delete(store, path)

    with monkeypatch.context() as patched:
        patched.setattr("server.objects.bucket.obstore.delete", stored_before)
        assert collect(context.database, context.objects, Grace(), utc_now() + AFTER).objects == 1
    recorded(context)
    assert SHA256 not in {one.sha256 for one in context.objects.listed()}  # S3 has removed the new one
    return context


def test_an_object_stored_while_it_is_removed_is_there_for_who_asks(overtaken: ServerContext) -> None:
    assert overtaken.objects.size(SHA256) == len(DATA)
    assert overtaken.objects.read(SHA256) == DATA
    assert list(overtaken.objects.removed()) == []


def test_an_object_stored_while_it_is_removed_comes_back_with_the_next_collection(overtaken: ServerContext) -> None:
    assert collect(overtaken.database, overtaken.objects).objects == 0
    assert SHA256 in {one.sha256 for one in overtaken.objects.listed()}


@pytest.mark.parametrize(("later", "left"), [(timedelta(hours=23), 1), (AFTER, 0)])
def test_what_was_removed_goes_for_good_after_another_grace(
    context: ServerContext, later: timedelta, left: int
) -> None:
    context.objects.put(SHA256, DATA)
    assert collect(context.database, context.objects, Grace(), utc_now() + AFTER).objects == 1
    collect(context.database, context.objects, Grace(), utc_now() + later)
    assert len(list(context.objects.removed())) == left
