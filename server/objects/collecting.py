"""Removes objects that no record names: uploads that were given up, intermediate images, files that were deleted.

An object is stored before the record that names it. So nothing young is removed, and storing the same bytes again makes
an object young. Each removal looks again at everything while the row of its blob is locked. Where the store itself
cannot look again, what was removed is kept for another grace, and comes back when a record names it after all.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from models.clock import utc_now
from models.database import Database
from models.errors import NotFound, Unavailable
from models.insertion import insert_if_absent
from models.sync import Blob
from server.objects.naming import named_among
from server.objects.store import ListedObject, ObjectStore

_PAGE = 500
_SETTLED_S, _DAY_S = 600.0, 86_400.0
_log = structlog.get_logger("imageflow.server")


@dataclass(frozen=True, slots=True)
class Grace:
    """How long an object stays that no record names.

    Attributes:
        unrecorded: one that is no blob of the database: an upload in flight, or an image between two steps.
        recorded: one that was uploaded whole: the record of a station may come long after its image.
    """

    unrecorded: timedelta = timedelta(hours=24)
    recorded: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Collected:
    """What was removed.

    Attributes:
        objects: how many.
        size: bytes of all.
    """

    objects: int = 0
    size: int = 0


def collect(
    database: Database, objects: ObjectStore, grace: Grace | None = None, now: datetime | None = None
) -> Collected:
    """Remove the objects that no record names and that are past their grace, and return how many those were.

    Raises:
        Unavailable: when the database or the store is not reachable; what was removed by then stays removed.
    """
    grace, now = grace or Grace(), now or utc_now()
    objects.remove_unfinished(now - grace.unrecorded)
    _let_go(database, objects, grace, now)
    removed = size = 0
    old = (one for one in objects.listed() if one.modified_at < now - grace.unrecorded)
    while page := list(itertools.islice(old, _PAGE)):
        for one in _candidates(database, page, grace, now):
            if _remove(database, objects, one.sha256, grace, now):
                removed += 1
                size += one.size
    return Collected(removed, size)


async def collect_daily(database: Database, objects: ObjectStore, grace: Grace) -> None:
    """Collect some minutes after the start, then once a day, until cancelled; what fails is tried again the next day.

    A server that is started again each day collects too.
    """
    pause_s = _SETTLED_S
    while True:
        await asyncio.sleep(pause_s)
        pause_s = _DAY_S
        try:
            done = await asyncio.to_thread(collect, database, objects, grace)
        except Unavailable as error:
            _log.warning("objects not collected", error_code=error.code)
        else:
            _log.info("objects collected", objects=done.objects, size=done.size)


def _let_go(database: Database, objects: ObjectStore, grace: Grace, now: datetime) -> None:
    """Bring back what was removed in the moment in which it was stored again, and let the rest go after its grace."""
    removed = objects.removed()
    while page := list(itertools.islice(removed, _PAGE)):
        gone = {one.sha256 for one in _candidates(database, page, grace, now)}
        for one in page:
            if one.sha256 not in gone:
                objects.bring_back(one.sha256)
            elif one.modified_at < now - grace.unrecorded:
                objects.forget_removed(one.sha256)


def _candidates(database: Database, page: list[ListedObject], grace: Grace, now: datetime) -> list[ListedObject]:
    digests = [one.sha256 for one in page]
    with database.read() as session:
        named = named_among(session, digests)
        blobs = {sha256: blob for sha256 in digests if (blob := session.get(Blob, sha256)) is not None}
    limit = now - grace.recorded
    return [one for one in page if one.sha256 not in named and not _is_recorded(blobs.get(one.sha256), limit)]


def _is_recorded(blob: Blob | None, limit: datetime) -> bool:
    """Return whether a blob was uploaded at ``limit`` or later."""
    return blob is not None and blob.present and (blob.uploaded_at or blob.created_at) >= limit


def _remove(database: Database, objects: ObjectStore, sha256: str, grace: Grace, now: datetime) -> bool:
    with database.local_transaction() as session:
        # Locks the row of the blob, or its place: what is recorded at this moment comes before or after all of this.
        insert_if_absent(session, Blob(sha256=sha256, size_bytes=0, content_type=""))
        blob = session.get_one(Blob, sha256, with_for_update=True)
        if named_among(session, [sha256]) or _is_recorded(blob, now - grace.recorded):
            return False
        try:
            removed = objects.remove_unless_stored_since(sha256, now - grace.unrecorded)
        except NotFound:
            removed = False
        if removed or not blob.present:
            session.delete(blob)
    return removed
