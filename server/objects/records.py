"""The database's record of the blobs that the object store holds."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.clock import utc_now
from models.insertion import insert_if_absent
from models.sync import Blob


def record_blob(session: Session, sha256: str, size: int, content_type: str) -> None:
    """Record that the object store holds a blob; the same blob recorded twice at once has one effect.

    Args:
        session: the transaction.
        sha256: digest of the bytes, which the store holds already.
        size: in bytes.
        content_type: what the client declared, or what the bytes are; kept from the first record.
    """
    insert_if_absent(session, Blob(sha256=sha256, size_bytes=size, content_type=content_type))
    blob = session.get_one(Blob, sha256, with_for_update=True)
    if not blob.present:
        blob.present, blob.received_bytes, blob.uploaded_at = True, size, utc_now()
