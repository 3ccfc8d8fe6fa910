"""Objects that no record names are removed after their grace, on each engine; what is named or young stays."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from sqlalchemy import inspect

import models.records  # noqa: F401 - every record
from models.base import Base
from models.clock import utc_now
from models.sync import Blob, StoredFile
from server.context import ServerContext
from server.objects.collecting import Collected, Grace, collect, collect_daily
from server.objects.folder import ARRIVING
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


@pytest.mark.parametrize(("later", "left"), [(timedelta(hours=23), 1), (AFTER, 0)])
def test_what_a_killed_upload_left_goes_after_its_grace(context: ServerContext, later: timedelta, left: int) -> None:
    arriving = Path(url2pathname(urlsplit(context.settings.objects).path)) / ARRIVING
    arriving.mkdir(parents=True)
    (arriving / "killed.part").write_bytes(b"half")
    collected(context, later)
    assert len(list(arriving.iterdir())) == left


def test_a_server_collects_soon_after_its_start(context: ServerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.objects.collecting._SETTLED_S", 0.01)
    sha256 = kept(context, b"unnamed")

    async def until_removed() -> None:
        at_once = Grace(timedelta(0), timedelta(0))
        daily = asyncio.create_task(collect_daily(context.database, context.objects, at_once))
        async with asyncio.timeout(60):
            while await asyncio.to_thread(context.objects.exists, sha256):
                await asyncio.sleep(0.01)
        daily.cancel()

    asyncio.run(until_removed())


# Digests that name no object of the store, or one that another column names too.
NO_NAMES = {"blobs.sha256", "ai_results.model_sha256"}


def test_every_column_with_a_digest_is_among_those_that_name_objects() -> None:
    found = {
        f"{mapper.local_table.name}.{column.name}"
        for mapper in Base.registry.mappers
        for column in mapper.local_table.columns
        if column.name.endswith("sha256")
    }
    listed = {f"{inspect(column.class_).local_table.name}.{column.key}" for column in NAMED_BY}
    assert found - NO_NAMES == listed
