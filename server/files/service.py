"""Files: checked, kept in the object store by digest, known by id; one unit of work a call."""

from __future__ import annotations

from typing import BinaryIO

from sqlalchemy import exists, select

from models.errors import Conflict, NotFound, PermissionDenied
from models.executions import ExecutionOutput, ExecutionRun
from models.ids import new_id
from models.insertion import insert_if_absent
from models.sessions import ImageRecord, InspectionSession
from models.states import may_act_for
from models.sync import StoredFile
from server.audit import audited, made, removed
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.revisions import WHATEVER, Expected
from server.files.images import check_image
from server.files.rows import file_values
from server.files.schemas import FileReply
from server.objects.records import record_blob
from server.sessions.rules import only_device

IMAGE_TYPES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/bmp": ".bmp",
    "image/tiff": ".tif",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/netpbm": ".pgm",
}


def store_file(
    context: ServerContext, who: Principal, filename: str | None, file: BinaryIO, file_id: str | None = None
) -> tuple[FileReply, bool]:
    """Check an image, keep it, and return what is known of it and whether it is new.

    Args:
        context: the server's parts.
        who: who uploads.
        filename: as the client sent it.
        file: the bytes.
        file_id: the client's own id; the same upload twice has one effect.

    Raises:
        TooLarge: ``upload-too-large``.
        Conflict: ``id-taken`` when the id belongs to a file with other bytes.
        UnreadableImage: when it is no complete image of one page within the limits of pixels.
    """
    data = file.read(context.settings.max_upload_bytes + 1)
    image = check_image(data, filename, context.settings)
    sha256 = image.sha256
    # The bytes are there before any row names them.
    context.objects.put(sha256, data)
    with context.database.local_transaction(who.user_id) as session:
        existing = session.get(StoredFile, file_id) if file_id is not None else None
        if existing is not None:
            if existing.sha256 != sha256:
                raise Conflict("id-taken", id=existing.id)
            return _reply(existing), False
        record_blob(session, sha256, image.size, image.content_type)
        record = StoredFile(id=file_id or new_id(), **file_values(image, who.user_id))
        insert_if_absent(session, record)
        kept = session.get_one(StoredFile, record.id)
        if kept.sha256 != sha256:
            raise Conflict("id-taken", id=kept.id)
        audited(session, who, "file.uploaded", "file", kept.id, changes=made(_content(kept)))
        return _reply(kept), True


def get_file(context: ServerContext, who: Principal, file_id: str) -> FileReply:
    """Return what is known of an uploaded file, or of an image of a session by the image's id.

    A station's own token reads the images of its sessions alone: what people uploaded or had executed is not its own.

    Raises:
        NotFound: ``file-unknown``; also for what ``who`` may not read.
    """
    with context.database.read() as session:
        stored = session.get(StoredFile, file_id)
        if stored is not None and only_device(who) is None:
            return _reply(stored)
        image = session.get(ImageRecord, file_id)
        owner = session.get(InspectionSession, image.session_id) if image is not None else None
        if image is None or owner is None or only_device(who) not in {None, owner.device_id}:
            raise NotFound("file-unknown")
        return _image_reply(image)


def delete_file(context: ServerContext, who: Principal, file_id: str, expected: Expected = WHATEVER) -> None:
    """Remove an uploaded file; its bytes are collected with the object store's orphans.

    Raises:
        NotFound: ``file-unknown``.
        PermissionDenied: ``file-of-another``.
        PreconditionFailed: ``revision-mismatch``.
        Conflict: ``file-in-use`` for an input or output of an execution, and for an image of a session.
    """
    with context.database.local_transaction(who.user_id) as session:
        record = session.get(StoredFile, file_id, with_for_update=True)
        if record is None:
            if session.get(ImageRecord, file_id) is not None:
                raise Conflict("file-in-use")
            raise NotFound("file-unknown")
        if who.role is None or not may_act_for(record.user_id, role=who.role, user_id=who.user_id):
            raise PermissionDenied("file-of-another")
        expected.require_revision(record.sha256)
        named = select(
            exists().where(ExecutionRun.file_id == file_id) | exists().where(ExecutionOutput.file_id == file_id)
        )
        if session.scalar(named):
            raise Conflict("file-in-use")
        session.delete(record)
        session.flush()
        audited(session, who, "file.deleted", "file", file_id, changes=removed(_content(record)))


def _content(record: StoredFile) -> dict[str, object]:
    names = ("sha256", "filename", "content_type", "size_bytes")
    return {name: getattr(record, name) for name in names}


def _image_reply(image: ImageRecord) -> FileReply:
    # A station declared the type; a browser gets it only for images.
    suffix = IMAGE_TYPES.get(image.content_type)
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
