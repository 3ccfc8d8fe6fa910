"""Objects that no record names are removed after their grace, on each engine; what is named or young stays."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import inspect

import models.records  # noqa: F401 - every record
from models.base import Base
from models.clock import utc_now
from models.sync import Blob, StoredFile
from server.context import ServerContext
from server.objects.collecting import Collected, Grace, collect
from server.objects.naming import NAMED_BY
from server.objects.records import record_blob

GRACE = Grace()
AFTER = timedelta(hours=25)
LATER = timedelta(days=31)


def kept(context: ServerContext, data: bytes) -> str:
    sha256 = hashlib.sha256(data).hexdigest()
    context.objects.put(sha256, data)
    return sha256


def record(context: ServerContext, sha256: str) -> None:
    with context.database.local_transaction() as session:
        record_blob(session, sha256, 1, "image/png")


def name(context: ServerContext, sha256: str) -> None:
    with context.database.local_transaction() as session:
        session.add(StoredFile(sha256=sha256, filename="x.png", content_type="image/png", size_bytes=1))


def collected(context: ServerContext, later: timedelta) -> Collected:
    return collect(context.database, context.objects, GRACE, utc_now() + later)


def test_what_no_record_names_is_removed_after_its_grace(context: ServerContext) -> None:
    sha256 = kept(context, b"unnamed")
    assert collected(context, timedelta(hours=23)) == Collected()
    assert context.objects.exists(sha256)
    assert collected(context, AFTER) == Collected(1, 7)
    assert not context.objects.exists(sha256)


def test_what_a_record_names_stays(context: ServerContext) -> None:
    sha256 = kept(context, b"named")
    name(context, sha256)
    assert collected(context, LATER) == Collected()
    assert context.objects.exists(sha256)


def test_an_upload_of_a_station_stays_until_its_record_can_have_come(context: ServerContext) -> None:
    sha256 = kept(context, b"uploaded")
    record(context, sha256)
    assert collected(context, AFTER) == Collected()
    assert collected(context, LATER) == Collected(1, 8)
    with context.database.read() as session:
        assert session.get(Blob, sha256) is None


def test_what_was_removed_can_be_stored_again(context: ServerContext) -> None:
    sha256 = kept(context, b"again")
    collected(context, AFTER)
    assert kept(context, b"again") == sha256
    record(context, sha256)
    name(context, sha256)
    assert collected(context, LATER) == Collected()
    assert context.objects.read(sha256) == b"again"


def test_what_was_stored_again_is_young(context: ServerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bytes arrive while the collection is about to remove them."""
    sha256 = kept(context, b"race")
    remove = context.objects.remove_unless_stored_since

    def stored_meanwhile(digest: str, limit: Any) -> bool:
        kept(context, b"race")
        return remove(digest, limit - AFTER)

    monkeypatch.setattr(context.objects, "remove_unless_stored_since", stored_meanwhile)
    assert collected(context, AFTER) == Collected()
    assert context.objects.exists(sha256)


# Digests that name no object of the store, or one that another column names too.
NO_NAMES = {"blobs.sha256"}


def test_every_column_with_a_digest_is_among_those_that_name_objects() -> None:
    found = {
        f"{mapper.local_table.name}.{column.name}"
        for mapper in Base.registry.mappers
        for column in mapper.local_table.columns
        if column.name == "sha256"
    }
    listed = {f"{inspect(column.class_).local_table.name}.{column.key}" for column in NAMED_BY}
    assert found - NO_NAMES == listed
