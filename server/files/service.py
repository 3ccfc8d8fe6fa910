"""Files: checked, kept in the object store by digest, known by id; one unit of work a call."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath
from typing import BinaryIO

from inspection.imaging.formats import SUFFIXES, PictureFormat
from models.errors import Conflict, NotFound, TooLarge
from models.ids import new_id
from models.insertion import insert_if_absent
from models.sessions import ImageRecord, InspectionSession
from models.storage import LONGEST_FILE_NAME, cut_to_bytes, sha256_of
from models.sync import StoredFile
from server.audit import audited
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.files.schemas import FileReply
from server.objects.records import record_blob
from server.sessions.rules import only_device

_FORBIDDEN = str.maketrans(dict.fromkeys('<>:"|?*', "_"))
_RESERVED = {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(1, 10))}
_LONGEST_GIVEN = 4_096
_LONGEST_SHOWN = 100
IMAGE_TYPES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/bmp": ".bmp",
    "image/tiff": ".tif",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/netpbm": ".pgm",
}


def safe_name(given: str | None, image_format: PictureFormat) -> str:
    """Return a client's file name for display and download; it never names a path here.

    It has no control, invisible or direction-changing characters, no character or name that a common file system
    refuses, at most 255 bytes, and it ends with a suffix of what the file is.

    Args:
        given: as the client sent it.
        image_format: what the file is.
    """
    name = PurePosixPath((given or "")[-_LONGEST_GIVEN:].replace("\\", "/")).name
    # Letters first made whole, as file systems keep them apart or not; then all that is no mark on paper is left out.
    name = "".join(letter for letter in unicodedata.normalize("NFC", name) if not _is_invisible(letter))
    name = name.translate(_FORBIDDEN).rstrip(" .\u3000")
    suffixes = SUFFIXES[image_format]
    stem, dot, end = name.rpartition(".")
    suffix = f"{dot}{end}"
    if not dot or suffix.lower() not in suffixes:
        stem, suffix = name, suffixes[0]
    stem = stem.strip(" .\u3000") or "file"
    if stem.partition(".")[0].lower() in _RESERVED:
        stem = f"_{stem}"
    return cut_to_bytes(stem, LONGEST_FILE_NAME - len(suffix)).rstrip(" .\u3000") + suffix


def _is_invisible(letter: str) -> bool:
    """Return whether a character is a control, a format (direction, joiner), a line end, half a pair or unassigned."""
    return unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}


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
    largest = context.settings.max_upload_bytes
    # Loaded with the first image, NumPy with it.
    from inspection.imaging.decoding import require_one_page
    from inspection.imaging.files import ImageLimits, require_image

    limits = ImageLimits(largest, context.settings.max_image_pixels)
    data = file.read(largest + 1)
    if len(data) > largest:
        raise TooLarge("upload-too-large", limit=largest, members={"limit_bytes": largest})
    shown = PurePosixPath((filename or "file").replace("\\", "/")).name[:_LONGEST_SHOWN]
    shown = "".join(letter for letter in shown if not _is_invisible(letter))
    header = require_image(data, name=shown, limits=limits, unpacked=True)
    require_one_page(header, name=shown)
    name = safe_name(filename, header.format)
    sha256 = sha256_of(data)
    content_type = f"image/{header.format}"
    # The bytes are there before any row names them.
    context.objects.put(sha256, data)
    with context.database.local_transaction(who.user_id) as session:
        existing = session.get(StoredFile, file_id) if file_id is not None else None
        if existing is not None:
            if existing.sha256 != sha256:
                raise Conflict("id-taken", id=existing.id)
            return _reply(existing), False
        record_blob(session, sha256, len(data), content_type)
        record = StoredFile(
            id=file_id or new_id(),
            sha256=sha256,
            filename=name,
            content_type=content_type,
            size_bytes=len(data),
            width=header.width,
            height=header.height,
            user_id=who.user_id,
        )
        insert_if_absent(session, record)
        kept = session.get_one(StoredFile, record.id)
        if kept.sha256 != sha256:
            raise Conflict("id-taken", id=kept.id)
        audited(session, who, "file.uploaded", "file", kept.id, sha256=sha256)
        return _reply(kept), True


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
