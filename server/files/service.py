"""Files: checked, kept in the object store by digest, known by id; one unit of work a call."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import BinaryIO

from inspection.imaging.files import ImageLimits, require_image
from models.errors import NotFound, TooLarge
from models.sessions import ImageRecord, InspectionSession
from models.storage import sha256_of
from models.sync import StoredFile
from server.audit import audited
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.files.schemas import FileReply
from server.objects.records import record_blob
from server.sessions.rules import only_device

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_LONGEST_NAME = 200
_IMAGE_TYPES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/bmp": ".bmp",
    "image/tiff": ".tif",
    "image/webp": ".webp",
}


def safe_name(given: str | None) -> str:
    """Return the last part of a client's file name, for display and download; it never names a path here."""
    name = PurePosixPath((given or "").replace("\\", "/")).name
    name = _CONTROL.sub("", name).strip().lstrip(".")
    return name[-_LONGEST_NAME:] or "file"


def store_file(context: ServerContext, who: Principal, filename: str | None, file: BinaryIO) -> FileReply:
    """Check an image and keep it.

    Raises:
        TooLarge: ``upload-too-large``.
        UnreadableImage: when it is no complete image within the limits of pixels.
    """
    limits = ImageLimits(context.settings.max_upload_bytes, context.settings.max_image_pixels)
    data = file.read(limits.max_bytes + 1)
    if len(data) > limits.max_bytes:
        raise TooLarge("upload-too-large", limit=limits.max_bytes, members={"limit_bytes": limits.max_bytes})
    name = safe_name(filename)
    header = require_image(data, name=name, limits=limits)
    sha256 = sha256_of(data)
    content_type = f"image/{header.format}"
    # The bytes are there before any row names them.
    context.objects.put(sha256, data)
    with context.database.local_transaction(who.user_id) as session:
        record_blob(session, sha256, len(data), content_type)
        record = StoredFile(
            sha256=sha256,
            filename=name,
            content_type=content_type,
            size_bytes=len(data),
            width=header.width,
            height=header.height,
            user_id=who.user_id,
        )
        session.add(record)
        session.flush()
        audited(session, who, "file.uploaded", "file", record.id, sha256=sha256)
        return _reply(record)


def get_file(context: ServerContext, who: Principal, file_id: str) -> FileReply:
    """Return what is known of an uploaded file, or of an image of a session by the image's id.

    Raises:
        NotFound: ``file-unknown``; also for an image that ``who`` may not read.
    """
    with context.database.read() as session:
        stored = session.get(StoredFile, file_id)
        if stored is not None:
            return _reply(stored)
        image = session.get(ImageRecord, file_id)
        owner = session.get(InspectionSession, image.session_id) if image is not None else None
        if image is None or owner is None or only_device(who) not in {None, owner.device_id}:
            raise NotFound("file-unknown")
        return _image_reply(image)


def _image_reply(image: ImageRecord) -> FileReply:
    # The type is what a station said; only images are handed to a browser as what they say they are.
    suffix = _IMAGE_TYPES.get(image.content_type)
    return FileReply(
        id=image.id,
        filename=f"{image.image_kind.value}-{image.id}{suffix or '.bin'}",
        sha256=image.sha256,
        size=image.size_bytes,
        content_type=image.content_type if suffix else "application/octet-stream",
        width=image.width,
        height=image.height,
        created_at=image.created_at,
    )


def _reply(record: StoredFile) -> FileReply:
    return FileReply(
        id=record.id,
        filename=record.filename,
        sha256=record.sha256,
        size=record.size_bytes,
        content_type=record.content_type,
        width=record.width,
        height=record.height,
        created_at=record.created_at,
    )
