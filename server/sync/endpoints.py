"""``/inspection/sync``: push, pull, blobs and the snapshot; ``/ws/sync`` says when there is something to pull."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from models.errors import PermissionDenied, TooLarge
from models.messages import choose_language
from models.states import Role
from server.core.paging import PageQuery
from server.http.dependencies import Asking, Context, Principal, require, require_device
from server.http.lanes import quick
from server.http.limits import media_type
from server.http.live_socket import LiveSocket
from server.http.paging import paging_by
from server.http.ranges import wanted_range
from server.http.refusals import RangeNotSatisfiable
from server.http.routes import feature_router
from server.http.sync_bodies import BatchBody, bounded_body, parse_blobs, parse_content_range, parse_upload
from server.http.websocket_protocol import CloseCode
from server.http.websockets import websocket_route
from server.sessions.rules import only_device
from server.sync import offers, service
from server.sync.conflicts import ConflictFilter
from server.sync.events import SYNC_CHANGES, ChangesAvailable, Pace, concerns
from server.sync.schemas import ConflictReply, OfferChoice, OfferedMasterReply
from sync.shared.blob_batches import BLOBS_TYPE
from sync.shared.protocol import (
    LIVE_SYNC_PATH,
    MAX_PAGE_CHANGES,
    ClaimAnswer,
    DriftAnswer,
    DriftQuestion,
    Inventory,
    Lacking,
    PullAnswer,
    PushAnswer,
    SnapshotLine,
    StoreClaim,
    UploadedBlobs,
    UploadState,
)
from sync.shared.schemas import DeviceName, Page, RecordId


async def admitted() -> AsyncIterator[None]:
    """Count a station's request while it is under way."""
    with service.admission.one():
        yield


ADMITTED = [Depends(admitted)]

router = feature_router(prefix="/inspection/sync", tags=["sync"])
ConflictPaging = Annotated[PageQuery, Depends(paging_by("created_at", "entity", "field"))]

Station = Annotated[Principal, Depends(require_device)]
Admin = Annotated[Principal, Depends(require(Role.ADMIN))]
Language = Annotated[str | None, Header(alias="Accept-Language")]
Digest = Annotated[str, Query(pattern="^[0-9a-f]{64}$")]
_CHUNK = "application/octet-stream"
_MOST_JSON = 4096
TOLD_EVERY_S = 2.0
"""Seconds between two messages to a station that listens."""

_BATCH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "At most 500 changes and 1 MiB of JSON; `Content-Encoding: gzip` is understood.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Batch"}}},
    }
}
_UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "JSON announces a blob; octets with `?sha256=` and `Content-Range` are a chunk of it. Of "
        "several small blobs come, one after the other, the announcement as one line of JSON and then the bytes.",
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/UploadRequest"}},
            _CHUNK: {"schema": {"type": "string", "format": "binary"}},
            BLOBS_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


async def chunk_body(request: Request, context: Context) -> bytes:
    """Return the body of an upload request: a chunk, several blobs, or the announcement of one."""
    limits = {_CHUNK: context.settings.max_chunk_bytes, BLOBS_TYPE: context.settings.max_body_bytes}
    limit = limits.get(_kind_of(request), _MOST_JSON)
    return await bounded_body(request, limit, TooLarge("upload-chunk-too-large", limit=limit))


ChunkBody = Annotated[bytes, Depends(chunk_body)]


@router.post("/apply-changes", dependencies=ADMITTED, openapi_extra=_BATCH_BODY, responses={429: {}})
def apply_changes(
    asking: Station, batch: BatchBody, context: Context, later: BackgroundTasks, language: Language = None
) -> PushAnswer:
    """Apply a station's changes, each at most once, in their order; one answer each."""
    later.add_task(service.maintain, context)
    return service.push(context, asking, batch, choose_language(language))


@router.post("/begin", dependencies=ADMITTED, responses={409: {}, 429: {}})
@quick
def begin(asking: Station, body: StoreClaim, context: Context) -> ClaimAnswer:
    """Begin a pass. 409 `store-forked`: another store is this station's own, and an administrator decides."""
    return service.begin(context, asking, body)


@router.get("/changes", dependencies=ADMITTED, responses={410: {}, 429: {}})
def changes(
    asking: Asking,
    context: Context,
    since: Annotated[str | None, Query(max_length=200, description="`next_cursor` or an RFC 3339 time.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE_CHANGES)] = 500,
    known: Annotated[
        str | None, Query(max_length=200, description="`cursor` of the newest acknowledgement; 410 when it is lost.")
    ] = None,
) -> PullAnswer:
    """Return what happened after ``since``, oldest first. 410 `full-resync-required`: take the snapshot."""
    return service.pull_changes(context, asking, since, limit, known)


@router.get(
    "/conflicts",
    summary="Edits that lost to newer ones",
    dependencies=[Depends(require(Role.SUPERVISOR, Role.ADMIN))],
)
def list_conflicts(
    context: Context,
    paging: ConflictPaging,
    entity: Annotated[str | None, Query(max_length=64, description="Only this kind of record.")] = None,
    entity_id: Annotated[RecordId | None, Query(description="Only this record.")] = None,
    device_id: Annotated[
        DeviceName | None, Query(max_length=64, description="Only values that this station lost.")
    ] = None,
) -> Page[ConflictReply]:
    """Newest first; the search looks at the field's name. Each has the value that held and the one that lost."""
    return service.list_conflicts(context, ConflictFilter(entity, entity_id, device_id), paging)


@router.post("/compare", dependencies=ADMITTED, responses={429: {}})
def compare(asking: Station, body: Inventory, context: Context) -> Lacking:
    """Return what of a station's own records and blobs the server does not have, so that it is sent again."""
    return service.compare(context, asking, body)


@router.post("/drift", dependencies=ADMITTED, responses={429: {}})
def drift(asking: Station, body: DriftQuestion, context: Context) -> DriftAnswer:
    """Return the days on which the server holds something else than the station says it does."""
    return service.drift(context, asking, body)


@router.get("/offers", dependencies=[Depends(require(Role.ADMIN))])
def list_offers(context: Context) -> list[OfferedMasterReply]:
    """Return the masters that a restore has lost and stations still hold. Administrators only."""
    return offers.list_offers(context)


@router.post("/offers/take", responses={404: {}})
def take_offers(asking: Admin, body: OfferChoice, context: Context) -> list[OfferedMasterReply]:
    """Let stations send the offered masters that are named, or all. Administrators only."""
    return offers.take_offers(context, asking, body)


@router.post("/upload", dependencies=ADMITTED, openapi_extra=_UPLOAD_BODY, responses={409: {}, 422: {}, 429: {}})
def upload(
    request: Request,
    asking: Asking,
    body: ChunkBody,
    context: Context,
    sha256: Annotated[Digest | None, Query(description="Of the blob this chunk belongs to.")] = None,
    content_range: Annotated[str | None, Header(description="`bytes first-last/total`")] = None,
    language: Language = None,
) -> UploadState | UploadedBlobs:
    """Announce a blob, send a chunk of it, or send several. A wrong offset is 409 with the right one in ``offset``."""
    kind = _kind_of(request)
    if kind == BLOBS_TYPE:
        return service.take_blobs(context, asking, parse_blobs(body), choose_language(language))
    if kind == _CHUNK:
        return service.append_chunk(context, asking, sha256 or "", parse_content_range(content_range), body)
    return service.begin_upload(context, asking, parse_upload(body))


@router.get(
    "/download",
    dependencies=ADMITTED,
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The snapshot as gzip-compressed NDJSON, or a blob.",
            "content": {
                "application/x-ndjson": {"schema": TypeAdapter(SnapshotLine).json_schema()},
                _CHUNK: {"schema": {"type": "string", "format": "binary"}},
            },
        },
        206: {"description": "A part of a blob, as asked by `Range`."},
        404: {},
        429: {},
    },
)
def download(
    asking: Asking,
    context: Context,
    blob: Annotated[Digest | None, Query(description="SHA-256 of a blob; without it the snapshot comes.")] = None,
    cursor: Annotated[str | None, Query(max_length=400, description="`resume` of a snapshot that was cut.")] = None,
    byte_range: Annotated[str | None, Header(alias="Range")] = None,
) -> StreamingResponse:
    """Return the snapshot for a first start or a full resync, or a blob with range requests."""
    if blob is not None:
        return _blob(context, asking, blob, byte_range)
    lines = service.snapshot(context, asking, cursor)
    headers = {"Content-Encoding": "gzip", "Cache-Control": "no-store"}
    return StreamingResponse(lines, media_type="application/x-ndjson", headers=headers)


def _blob(context: Context, asking: Principal, sha256: str, byte_range: str | None) -> StreamingResponse:
    size = service.blob_size(context, asking, sha256)
    try:
        start, end = wanted_range(byte_range, size) or (0, size)
    except RangeNotSatisfiable:
        # A station cut off behind the last byte holds all there is, or bytes of something else: it starts over.
        start, end = 0, size
    headers = {
        "ETag": f'"{sha256}"',
        "Accept-Ranges": "bytes",
        "Content-Length": str(end - start),
        "X-Content-Type-Options": "nosniff",
    }
    partial = (start, end) != (0, size)
    if partial:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    stream = context.objects.stream(sha256, start, end)
    return StreamingResponse(stream, status_code=206 if partial else 200, media_type=_CHUNK, headers=headers)


def _kind_of(request: Request) -> str:
    return media_type(request.headers.get("content-type", ""))


async def _changes(socket: LiveSocket) -> None:
    """Tell a station at once, and whenever others have committed what it may read, that it has something to pull."""
    device_id = only_device(socket.principal)
    if device_id is None:
        raise PermissionDenied("device-needed")
    pace, clock = Pace(TOLD_EVERY_S), asyncio.get_running_loop().time
    async with socket.context.hub.listen(SYNC_CHANGES) as listener:
        await socket.accept()
        socket.expect_nothing(listener.end)
        listener.when_behind(lambda: socket.drop(CloseCode.TOO_SLOW, "too slow"))
        # What was committed before it listened is not told again.
        pace.news(clock())
        while True:
            try:
                async with asyncio.timeout_at(pace.due):
                    event = await anext(listener, None)
            except TimeoutError:
                pace.told(clock())
                await socket.send(ChangesAvailable())
                continue
            if event is None:
                return
            if listener.missed or concerns(event.value, device_id):
                listener.missed = False
                pace.news(clock())


live_route = websocket_route(LIVE_SYNC_PATH, _changes)
