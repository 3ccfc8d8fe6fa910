"""``/inspection/sync``: push, pull, blobs and the snapshot."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter, ValidationError

from models.audit import append_audit
from models.errors import InvalidInput, NotFound, PermissionDenied, TooLarge
from models.messages import choose_language
from models.rejections import first_problem
from models.states import Role
from models.storage import is_digest
from server.http.dependencies import Asking, Context, Principal, require_device
from server.http.ranges import RangeNotSatisfiable, wanted_range
from server.http.sync_bodies import BatchBody, bounded_body
from server.sync.apply import SERVER_DEVICE, apply_batch
from server.sync.blobs import ContentRange, Uploads, may_read_blob
from server.sync.maintenance import Upkeep, clear_away
from server.sync.pull import pull
from server.sync.snapshot import compressed, snapshot_lines
from sync.shared.protocol import (
    MAX_PAGE_CHANGES,
    Batch,
    PullAnswer,
    PushAnswer,
    SnapshotLine,
    UploadRequest,
    UploadState,
)

router = APIRouter(prefix="/inspection/sync", tags=["sync"])

Station = Annotated[Principal, Depends(require_device)]
Language = Annotated[str | None, Header(alias="Accept-Language")]
_READERS = frozenset({Role.SUPERVISOR, Role.ADMIN, Role.INTEGRATOR})
_CHUNK = "application/octet-stream"
_MOST_JSON = 4096
_upkeep = Upkeep()

_BATCH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "At most 500 changes and 1 MiB of JSON; `Content-Encoding: gzip` is understood.",
        "content": {"application/json": {"schema": Batch.model_json_schema()}},
    }
}
_UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "JSON announces a blob; octets with `?sha256=` and `Content-Range` are a chunk of it.",
        "content": {
            "application/json": {"schema": UploadRequest.model_json_schema()},
            _CHUNK: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


def uploads(context: Context) -> Uploads:
    """Return the unfinished uploads of this server."""
    return Uploads(context.database, context.objects, context.settings.data_dir / "staging")


Staging = Annotated[Uploads, Depends(uploads)]


async def chunk_body(request: Request, context: Context) -> bytes:
    """Return the body of an upload request: a chunk, or the announcement."""
    limit = context.settings.max_chunk_bytes if _is_chunk(request) else _MOST_JSON
    return await bounded_body(request, limit, TooLarge("upload-chunk-too-large", limit=limit))


ChunkBody = Annotated[bytes, Depends(chunk_body)]


@router.post("/apply-changes", openapi_extra=_BATCH_BODY)
def apply_changes(
    asking: Station,
    batch: BatchBody,
    context: Context,
    staging: Staging,
    later: BackgroundTasks,
    language: Language = None,
) -> PushAnswer:
    """Apply a station's changes, each at most once, in their order; one answer each."""
    device_id = _device_of(asking)
    if batch.device_id != device_id:
        with context.database.local_transaction() as session:
            append_audit(
                session,
                device_id=SERVER_DEVICE,
                actor=f"device:{device_id}"[:64],
                action="sync.refused",
                subject="device",
                subject_id=batch.device_id[:64],
                detail={"reason": "sync-other-device"},
            )
        raise PermissionDenied("sync-other-device")
    if _upkeep.is_due(context.database.url):
        later.add_task(clear_away, context.database, staging)
    return apply_batch(context.database, context.clock, device_id, batch.changes, language=choose_language(language))


@router.get("/changes", responses={410: {}})
def changes(
    asking: Asking,
    context: Context,
    since: Annotated[str | None, Query(max_length=200, description="`next_cursor` or an RFC 3339 time.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE_CHANGES)] = 500,
) -> PullAnswer:
    """Return what happened after ``since``, oldest first. 410 `full-resync-required`: take the snapshot."""
    _require_reader(asking)
    with context.database.read() as session:
        return pull(session, since=since, limit=limit, device_id=asking.device_id)


@router.post("/upload", openapi_extra=_UPLOAD_BODY, responses={409: {}, 422: {}})
def upload(
    request: Request,
    asking: Asking,
    body: ChunkBody,
    staging: Staging,
    sha256: Annotated[str | None, Query(description="Of the blob this chunk belongs to.")] = None,
    content_range: Annotated[str | None, Header(description="`bytes first-last/total`")] = None,
) -> UploadState:
    """Announce a blob, or send a chunk of it. A wrong offset is 409 with the right one in ``offset``."""
    owner = _may_upload(asking)
    if _is_chunk(request):
        return staging.append(owner, sha256 or "", ContentRange.parse(content_range), body, _CHUNK)
    try:
        announced = UploadRequest.model_validate_json(body)
    except ValidationError as error:
        raise InvalidInput("upload-invalid", reason=first_problem(error).text) from error
    return staging.begin(owner, announced)


@router.get(
    "/download",
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
    },
)
def download(
    asking: Asking,
    context: Context,
    blob: Annotated[str | None, Query(description="SHA-256 of a blob; without it the snapshot comes.")] = None,
    cursor: Annotated[str | None, Query(max_length=400, description="`resume` of a snapshot that was cut.")] = None,
    byte_range: Annotated[str | None, Header(alias="Range")] = None,
) -> StreamingResponse:
    """Return the snapshot for a first start or a full resync, or a blob with range requests."""
    _require_reader(asking)
    if blob is not None:
        return _blob(context, asking, blob, byte_range)
    lines = snapshot_lines(context.database, asking.device_id, cursor)
    headers = {"Content-Encoding": "gzip", "Cache-Control": "no-store"}
    return StreamingResponse(compressed(lines), media_type="application/x-ndjson", headers=headers)


def _blob(context: Context, asking: Principal, sha256: str, byte_range: str | None) -> StreamingResponse:
    if not is_digest(sha256):
        raise InvalidInput("upload-range-invalid")
    if asking.device_id is not None:
        with context.database.read() as session:
            if not may_read_blob(session, sha256, asking.device_id):
                # The same answer as for one that is not there: a digest tells nothing.
                raise NotFound("blob-unknown")
    size = context.objects.size(sha256)
    try:
        start, end = wanted_range(byte_range, size) or (0, size)
    except RangeNotSatisfiable:
        # A station cut off behind the last byte holds all there is, or bytes of something else: it begins anew.
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


def _is_chunk(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == _CHUNK


def _device_of(asking: Principal) -> str:
    if asking.device_id is None:
        raise PermissionDenied("device-needed")
    return asking.device_id


def _may_upload(asking: Principal) -> str:
    if asking.device_id is not None:
        return asking.device_id
    _require_reader(asking)
    return asking.username


def _require_reader(asking: Principal) -> None:
    """Let stations pass, and people and machines whose role covers all stations."""
    if asking.device_id is None and asking.role not in _READERS:
        raise PermissionDenied("role-not-allowed", roles=", ".join(sorted(role.value for role in _READERS)))
