"""Several small blobs in one body: for each a line of JSON as ``UploadRequest``, then exactly its bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pydantic import ValidationError

from models.rejections import RejectedValueError, first_problem
from sync.shared.protocol import MAX_BLOBS, UploadRequest

BLOBS_TYPE = "application/vnd.imageflow.blobs"
MAX_BLOBS_BYTES = 1024 * 1024
"""Most bytes of blobs in one body, so that a link that is often cut brings some over between two cuts."""
_LONGEST_LINE = 1024


class PackedBlob(NamedTuple):
    """A blob as it is announced, and its bytes."""

    request: UploadRequest
    data: bytes


def pack_blobs(blobs: Iterable[PackedBlob]) -> bytes:
    """Return the body of blobs."""
    return b"".join(b"%b\n%b" % (request.model_dump_json().encode(), data) for request, data in blobs)


def unpack_blobs(body: bytes) -> list[PackedBlob]:
    """Return the blobs of a body; whether their bytes have the digests that they are announced by is not checked.

    Raises:
        RejectedValueError: when the body is cut, has no blob or too many, or an announcement is none.
    """
    blobs: list[PackedBlob] = []
    place = 0
    while place < len(body):
        end = body.find(b"\n", place, place + _LONGEST_LINE)
        if end < 0 or len(blobs) == MAX_BLOBS:
            raise RejectedValueError("value-blobs-form", most=MAX_BLOBS)
        try:
            request = UploadRequest.model_validate_json(body[place:end])
        except ValidationError as error:
            raise RejectedValueError(
                "value-of-blob", number=len(blobs) + 1, reason=first_problem(error).text
            ) from error
        place = end + 1 + request.size
        if place > len(body):
            raise RejectedValueError("value-blobs-form", most=MAX_BLOBS)
        blobs.append(PackedBlob(request, body[end + 1 : place]))
    if not blobs:
        raise RejectedValueError("value-blobs-form", most=MAX_BLOBS)
    return blobs
