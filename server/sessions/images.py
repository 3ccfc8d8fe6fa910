"""Images of a session that were uploaded as files before; only ever added."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from models.clock import utc_now
from models.errors import DoesNotFit, NotFound
from models.sessions import ImageRecord, InspectionSession
from models.sync import StoredFile
from models.targets import InspectionItem
from server.audit import SERVER_DEVICE, audited, made
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.idempotency import existing_record
from server.sessions.repository import session_by_id
from server.sessions.rules import Action, require_may, require_open
from server.sessions.schemas import ImageAttach, ImageReply
from server.sessions.service import owner_of


def attach_image(context: ServerContext, who: Principal, session_id: str, body: ImageAttach) -> tuple[ImageReply, bool]:
    """Make an uploaded file an image of a session and return it, and whether it is new.

    Raises:
        PermissionDenied: as ``require_may``.
        NotFound: ``inspection-session-unknown`` or ``file-unknown``.
        DoesNotFit: ``image-of-another-target`` when the item does not belong to the session's target.
        Conflict: ``session-over`` or ``id-taken``.
    """
    with context.database.transaction(who.user_id) as session:
        record = session_by_id(session, session_id)
        require_may(who, Action.ATTACH, owner_of(record))
        content = _content(session, record, body)
        existing = existing_record(session, ImageRecord, body.id, content)
        if existing is not None:
            return ImageReply.model_validate(existing), False
        require_open(record.status)
        values = {"captured_at": utc_now(), "device_id": who.device_id or SERVER_DEVICE, **content}
        image = ImageRecord(**values) if body.id is None else ImageRecord(id=body.id, **values)
        session.add(image)
        session.flush()
        attached = made({"image_id": image.id, "item_id": image.item_id, "sha256": image.sha256})
        audited(session, who, "session.image-attached", "inspection_session", record.id, changes=attached)
        session.flush()
        return ImageReply.model_validate(image), True


def _content(session: Session, record: InspectionSession, body: ImageAttach) -> dict[str, Any]:
    """Return the columns that the request decides."""
    stored = session.get(StoredFile, body.file_id)
    if stored is None:
        raise NotFound("file-unknown")
    item = session.get(InspectionItem, body.item_id) if body.item_id else None
    if body.item_id is not None and (item is None or item.target_id != record.target_id):
        raise DoesNotFit("image-of-another-target")
    content: dict[str, Any] = {
        "session_id": record.id,
        "item_id": body.item_id,
        "image_kind": body.image_kind,
        "source": body.source,
        "sha256": stored.sha256,
        "size_bytes": stored.size_bytes,
        "content_type": stored.content_type,
        "width": stored.width or 0,
        "height": stored.height or 0,
    }
    return content if body.captured_at is None else {**content, "captured_at": body.captured_at}
