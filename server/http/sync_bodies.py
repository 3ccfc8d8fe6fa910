"""Request bodies of the sync endpoints, read within limits before anything is made of them."""

from __future__ import annotations

import json
import re
import zlib
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from models.errors import InvalidInput, TooLarge
from models.messages import LocalText
from models.rejections import RejectedValueError, first_problem, json_place, not_json, of_field
from server.http.dependencies import Context
from server.http.json_guard import require_bounded
from server.http.refusals import UnsupportedMedia
from server.sync.blobs import ChunkRange
from sync.shared.blob_batches import PackedBlob, unpack_blobs
from sync.shared.problems import batch_too_large
from sync.shared.protocol import MAX_BATCH_BYTES, MAX_BATCH_CHANGES, Batch, UploadRequest
from sync.shared.schemas import storable_object

_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")


async def bounded_body(request: Request, limit: int, error: TooLarge) -> bytes:
    """Return the body.

    Raises:
        TooLarge: ``error``, as soon as more than ``limit`` bytes have come.
    """
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise error
        parts.append(part)
    return b"".join(parts)


async def batch_body(request: Request, context: Context) -> Batch:
    """Return the batch in a body of JSON, gzip-compressed or not.

    Raises:
        TooLarge: ``sync-batch-too-large`` with the members ``max_changes`` and ``max_bytes``.
        InvalidInput: ``sync-batch-invalid``.
    """
    data = await bounded_body(request, MAX_BATCH_BYTES, batch_too_large())
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"gzip", "identity"}:
        raise UnsupportedMedia(
            "content-encoding-unsupported", headers={"Accept-Encoding": "gzip, identity"}, given=encoding[:100]
        )
    return await run_in_threadpool(_batch, data, context.settings.max_json_depth, packed=encoding == "gzip")


BatchBody = Annotated[Batch, Depends(batch_body)]


def _batch(data: bytes, max_depth: int, *, packed: bool) -> Batch:
    text = expand(data) if packed else data
    require_bounded(text, max_depth)
    return parse_batch(text)


def expand(data: bytes) -> bytes:
    """Return the expanded gzip data; never makes more than the limit of it.

    Raises:
        TooLarge: ``sync-batch-too-large``.
        InvalidInput: ``sync-batch-invalid`` for damaged data.
    """
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        expanded = unpacker.decompress(data, MAX_BATCH_BYTES + 1)
    except zlib.error as error:
        raise InvalidInput("sync-batch-invalid", reason=LocalText.of("value-gzip-damaged", {})) from error
    if len(expanded) > MAX_BATCH_BYTES:
        raise batch_too_large()
    if not unpacker.eof:
        raise InvalidInput("sync-batch-invalid", reason=LocalText.of("value-gzip-cut", {}))
    return expanded


_UPLOAD_DEPTH = 4


def parse_batch(data: bytes) -> Batch:
    """Return the batch; its changes are not looked at yet.

    Raises:
        TooLarge: ``sync-batch-too-large``.
        InvalidInput: ``sync-batch-invalid``.
    """
    try:
        given = json.loads(data)
        changes = given.get("changes") if isinstance(given, dict) else None
        if isinstance(changes, list) and len(changes) > MAX_BATCH_CHANGES:
            # Before each of them is validated: a wrong one makes an error of its own.
            raise batch_too_large()
        batch = Batch.model_validate(given)
    except ValidationError as error:
        raise InvalidInput("sync-batch-invalid", reason=first_problem(error).text) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput("sync-batch-invalid", reason=not_json(error), members=json_place(error)) from error
    try:
        storable_object({"device_id": batch.device_id, "batch_id": batch.batch_id})
    except ValueError as error:
        raise InvalidInput(
            "sync-batch-invalid", reason=of_field("device_id, batch_id", "value-with-nul").reason
        ) from error
    return batch


def parse_content_range(header: str | None) -> ChunkRange:
    """Return the range of ``Content-Range: bytes first-last/total``.

    Raises:
        InvalidInput: ``upload-range-invalid``.
    """
    match = _RANGE.fullmatch(header or "")
    if match is None:
        raise InvalidInput("upload-range-invalid")
    first, last, total = (int(part) for part in match.groups())
    if last < first or last >= total:
        raise InvalidInput("upload-range-invalid")
    return ChunkRange(first, last, total)


def parse_upload(data: bytes) -> UploadRequest:
    """Return the announcement of a blob.

    Raises:
        InvalidInput: ``upload-invalid``, or as ``require_bounded``.
    """
    require_bounded(data, _UPLOAD_DEPTH)
    try:
        return UploadRequest.model_validate(json.loads(data))
    except ValidationError as error:
        raise InvalidInput("upload-invalid", reason=first_problem(error).text) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput("upload-invalid", reason=not_json(error), members=json_place(error)) from error


def parse_blobs(data: bytes) -> list[PackedBlob]:
    """Return the blobs of a body of several.

    Raises:
        InvalidInput: ``upload-invalid``.
    """
    try:
        return unpack_blobs(data)
    except RejectedValueError as error:
        raise InvalidInput("upload-invalid", reason=error.reason) from error
