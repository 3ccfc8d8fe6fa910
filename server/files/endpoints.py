"""``/files``: upload, content with ranges, metadata."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from models.states import Role
from server.files import previews, service
from server.files.schemas import FileReply
from server.files.service import IMAGE_TYPES
from server.http.dependencies import Asking, Context, Principal, require
from server.http.lanes import Lane, run_on
from server.http.ranges import same_tag, wanted_range
from server.http.revisions import Answered, IfMatch, Read
from server.http.routes import feature_router
from server.objects.damage import require_whole
from sync.shared.schemas import GivenId, NamedId

router = feature_router(prefix="/files", tags=["files"])
Uploading = Annotated[Principal, Depends(require(Role.INSPECTOR, Role.SUPERVISOR, Role.ADMIN, Role.INTEGRATOR))]
_SIGNED_FOR = timedelta(minutes=5)
# Octets first: what a station declared to be something else than an image.
_BINARY = {"type": "string", "format": "binary"}
_CONTENT = {kind: {"schema": _BINARY} for kind in ("application/octet-stream", *IMAGE_TYPES, "application/json")}
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The bytes.", "content": _CONTENT},
    206: {"description": "The bytes of the range.", "content": _CONTENT},
    304: {"description": "The client has these bytes already."},
    416: {},
}


@router.post("", summary="Upload an image", status_code=201, responses={200: {"model": FileReply}, 409: {}})
def upload(
    asking: Uploading,
    context: Context,
    answer: Answered,
    file: Annotated[UploadFile, File(description="The image.")],
    id: Annotated[GivenId, Form(description="The client's own id; the same upload again answers 200.")] = "",  # noqa: A002 - the name of the member
) -> FileReply:
    """JPEG, PNG, BMP, TIFF, WebP, GIF, PBM, PGM or PPM; checked for size, pixels and completeness before it is kept."""
    reply, new = service.store_file(context, asking, file.filename, file.file, id or None)
    answer.created(f"/files/{reply.id}", new=new)
    answer.tag(reply.sha256)
    return reply


@router.get("/{file_id}", summary="The content of a file", response_class=Response, responses=_BYTES)
def content(file_id: NamedId, asking: Asking, request: Request, context: Context) -> Response:
    """An uploaded file, or an image of a session by its id. Answers range requests; the ETag is the SHA-256 digest."""
    return _content(request, context, service.get_file(context, asking, file_id), "inline")


@router.get(
    "/{file_id}/download",
    summary="The file as an attachment",
    response_class=Response,
    responses={**_BYTES, 307: {"description": "Where the object store has the bytes, for some minutes."}},
)
def download(file_id: NamedId, asking: Asking, request: Request, context: Context) -> Response:
    """The same as the content, with a name to save it under; a redirect to the object store where that is set."""
    known = service.get_file(context, asking, file_id)
    if context.settings.presigned_downloads:
        require_whole(context.objects, known.sha256, known.size)
        headers = {"content-type": known.content_type, "content-disposition": _disposition(known, "attachment")}
        signed = context.objects.presigned(known.sha256, _SIGNED_FOR, headers)
        if signed is not None:
            return RedirectResponse(signed, headers={"Cache-Control": "no-store"})
    return _content(request, context, known, "attachment")


@router.get("/{file_id}/metadata", summary="What the upload answered")
def metadata(file_id: NamedId, asking: Asking, context: Context, answer: Read) -> FileReply:
    """Id, digest, size, content type, width and height."""
    known = service.get_file(context, asking, file_id)
    answer.tag(known.sha256)
    return known


@router.get(
    "/{file_id}/preview",
    summary="A small picture of an image",
    response_class=Response,
    responses={
        200: {"description": "The preview.", "content": {previews.JPEG: {"schema": _BINARY}}},
        304: {"description": "The client has this preview already."},
        422: {},
    },
)
async def preview(
    file_id: NamedId,
    asking: Asking,
    request: Request,
    context: Context,
    size: Annotated[
        int, Query(ge=previews.SMALLEST, le=previews.LARGEST, description="Most pixels of its longer side.")
    ] = 256,
) -> Response:
    """A JPEG, not enlarged; 422 for a file that is no image."""
    known = await run_on(Lane.READS, service.get_file, context, asking, file_id)
    tag = f'"{known.sha256}-{size}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=86400, immutable"}
    if same_tag(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    data = await run_on(Lane.HEAVY, previews.preview_of, context, known, size)
    return Response(data, media_type=previews.JPEG, headers=headers)


@router.delete("/{file_id}", summary="Delete a file", status_code=204, responses={409: {}})
def delete(file_id: NamedId, asking: Uploading, context: Context, expected: IfMatch) -> None:
    """By who uploaded it, supervisors and administrators; 409 while an execution or a session names it."""
    service.delete_file(context, asking, file_id, expected)


def _content(request: Request, context: Context, known: FileReply, disposition: str) -> Response:
    tag = f'"{known.sha256}"'
    headers = {
        "ETag": tag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": _disposition(known, disposition),
    }
    if same_tag(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    require_whole(context.objects, known.sha256, known.size)
    fresh = request.headers.get("if-range") in {None, tag}
    part = wanted_range(request.headers.get("range") if fresh else None, known.size)
    start, end = part or (0, known.size)
    headers["Content-Length"] = str(end - start)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{known.size}"
    return StreamingResponse(
        context.objects.stream(known.sha256, start, end),
        status_code=206 if part else 200,
        media_type=known.content_type,
        headers=headers,
    )


def _disposition(known: FileReply, disposition: str) -> str:
    return f"{disposition}; filename*=UTF-8''{quote(known.filename, safe='')}"
