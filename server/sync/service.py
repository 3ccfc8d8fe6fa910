"""The sync feature's units of work: push, pull, uploads, the snapshot and maintenance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from models.errors import InvalidInput, NotFound, PermissionDenied
from models.storage import is_digest
from server.audit import audited
from server.auth.identity.principal import Principal
from server.change_log.cursor import position_of
from server.context import ServerContext
from server.core.paging import PageQuery, PageStatements, fetch_page
from server.objects.damage import require_whole
from server.objects.records import recorded_sizes
from server.sync.admission import Admission
from server.sync.apply import apply_batch
from server.sync.blobs import ChunkRange, Uploads, may_read_blob
from server.sync.comparing import lacking
from server.sync.conflicts import ConflictFilter, listing
from server.sync.drift import differing_days
from server.sync.maintenance import Maintenance, clear_away
from server.sync.offers import has_offers, keep_offers
from server.sync.pull import pull
from server.sync.rules import device_of, require_reader, upload_owner
from server.sync.schemas import ConflictReply
from server.sync.snapshot import compressed, snapshot_lines
from server.sync.stores import begin_pass
from sync.shared.blob_batches import PackedBlob
from sync.shared.protocol import (
    Batch,
    ClaimAnswer,
    DriftAnswer,
    DriftQuestion,
    Inventory,
    Lacking,
    PullAnswer,
    PushAnswer,
    StoreClaim,
    UploadedBlobs,
    UploadRequest,
    UploadState,
)
from sync.shared.schemas import Page

_CONTENT_TYPE = "application/octet-stream"
_maintenance = Maintenance()
admission = Admission()
"""Of this process."""


def begin(context: ServerContext, who: Principal, claim: StoreClaim) -> ClaimAnswer:
    """Let a store begin a pass under its station's id.

    Raises:
        PermissionDenied: ``device-needed``.
        Conflict: ``store-forked``.
    """
    return begin_pass(context.database, device_of(who), claim, who.address)


def list_conflicts(context: ServerContext, wanted: ConflictFilter, paging: PageQuery) -> Page[ConflictReply]:
    """Return a page of the conflicts of masters, newest first."""
    statements = PageStatements.of(listing(wanted, paging.search), ConflictReply, paging)
    with context.database.read() as session:
        return fetch_page(session, statements, paging)


def push(context: ServerContext, who: Principal, batch: Batch, language: str) -> PushAnswer:
    """Apply a station's changes in their order, each at most once, and return one result each.

    Args:
        context: the server's parts.
        who: the station.
        batch: its changes.
        language: of the texts in the results.

    Raises:
        PermissionDenied: ``device-needed``; ``sync-other-device``, audited, when the batch names another station.
    """
    device_id = device_of(who)
    if batch.device_id != device_id:
        with context.database.local_transaction() as session:
            station = replace(Principal.of_device(device_id), address=who.address)
            audited(session, station, "sync.refused", "device", batch.device_id[:64], reason="sync-other-device")
        raise PermissionDenied("sync-other-device")
    return apply_batch(
        context.database, context.clock, device_id, batch.changes, language=language, address=who.address
    )


def pull_changes(
    context: ServerContext, who: Principal, since: str | None, limit: int, known: str | None = None
) -> PullAnswer:
    """Return the changes after ``since`` that ``who`` may see, oldest first.

    Args:
        context: the server's parts.
        who: the reader.
        since: cursor or time.
        limit: most changes.
        known: a cursor that the reader was given with an acknowledgement; it must still hold here.

    Raises:
        PermissionDenied: ``role-not-allowed``.
        InvalidInput: ``sync-cursor-invalid``.
        Gone: ``full-resync-required``.
    """
    require_reader(who)
    with context.database.read() as session:
        if known is not None:
            position_of(session, known)
        return pull(session, since=since, limit=limit, device_id=who.device_id)


def compare(context: ServerContext, who: Principal, held: Inventory) -> Lacking:
    """Return what a station holds and the server has not, or has in an older state.

    Raises:
        PermissionDenied: ``device-needed``.
    """
    device_id = device_of(who)
    with context.database.read() as session:
        found = lacking(session, context.objects, held)
    if has_offers(held, found):
        with context.database.local_transaction() as session:
            keep_offers(session, device_id, held, found, who.address)
    return found


def drift(context: ServerContext, who: Principal, question: DriftQuestion) -> DriftAnswer:
    """Return where a station holds something else than the server.

    Raises:
        PermissionDenied: ``device-needed``.
        InvalidInput: for a day that the calendar does not have.
    """
    device_id = device_of(who)
    with context.database.read() as session:
        return differing_days(session, device_id, question)


def begin_upload(context: ServerContext, who: Principal, request: UploadRequest) -> UploadState:
    """Announce a blob and return how much of it the server holds.

    Raises:
        PermissionDenied: ``role-not-allowed``.
        TooLarge: ``blob-too-large``.
    """
    return _uploads(context).begin(upload_owner(who), request)


def append_chunk(context: ServerContext, who: Principal, sha256: str, chunk: ChunkRange, data: bytes) -> UploadState:
    """Take one chunk of an announced blob; see ``Uploads.append``.

    Raises:
        PermissionDenied: ``role-not-allowed``.
        UserFacingError: what ``Uploads.append`` raises.
    """
    owner = upload_owner(who)
    return _uploads(context).append(owner, sha256, chunk, data, _CONTENT_TYPE)


def take_blobs(context: ServerContext, who: Principal, blobs: list[PackedBlob], language: str) -> UploadedBlobs:
    """Take several blobs at once; see ``Uploads.take``.

    Raises:
        PermissionDenied: ``role-not-allowed``.
        Unavailable: ``disk-full`` or ``objects-unreachable``.
    """
    require_reader(who)
    return UploadedBlobs(results=_uploads(context).take(blobs, language))


def snapshot(context: ServerContext, who: Principal, resume: str | None) -> Iterator[bytes]:
    """Return an iterator over the snapshot that ``who`` may read, as gzip-compressed NDJSON.

    Raises:
        PermissionDenied: ``role-not-allowed``.
        InvalidInput: ``sync-cursor-invalid``, at the call.
    """
    require_reader(who)
    return compressed(snapshot_lines(context.database, who.device_id, resume))


def blob_size(context: ServerContext, who: Principal, sha256: str) -> int:
    """Return the size of a blob that ``who`` may read, in bytes.

    Raises:
        PermissionDenied: ``role-not-allowed``.
        InvalidInput: ``upload-range-invalid`` when ``sha256`` is not a digest.
        NotFound: ``blob-unknown``, also for a blob that the station may not read: a digest reveals nothing;
            ``object-unknown`` or ``object-damaged`` when the object store has lost it.
    """
    require_reader(who)
    if not is_digest(sha256):
        raise InvalidInput("upload-range-invalid")
    with context.database.read() as session:
        if who.device_id is not None and not may_read_blob(session, sha256, who.device_id):
            raise NotFound("blob-unknown")
        size = recorded_sizes(session, [sha256]).get(sha256)
    return require_whole(context.objects, sha256, size)


def maintain(context: ServerContext) -> None:
    """Remove log entries and unfinished uploads past their time, at most once a day for each database."""
    if _maintenance.is_due(context.database.url):
        clear_away(context.database, _uploads(context))


def _uploads(context: ServerContext) -> Uploads:
    return Uploads(context.database, context.objects, context.settings.data_dir / "staging")
