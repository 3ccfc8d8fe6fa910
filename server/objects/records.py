"""The database's record of the blobs that the object store holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import cast

from sqlalchemy import Table, bindparam, or_, select, update
from sqlalchemy.orm import Session

from models.base import UtcDateTime
from models.clock import utc_now
from models.insertion import insert_rows_if_absent
from models.prepared import Prepared
from models.sync import Blob


def record_blob(session: Session, sha256: str, size: int, content_type: str) -> None:
    """Record that the object store holds a blob; the same blob recorded twice at once has one effect.

    Args:
        session: the transaction.
        sha256: digest of the bytes, which the store holds already.
        size: in bytes.
        content_type: what the client declared, or what the bytes are; kept from the first record.
    """
    record_blobs(session, [(sha256, size, content_type)])


def record_blobs(session: Session, blobs: Sequence[tuple[str, int, str]]) -> None:
    """Record that the object store holds several blobs, each digest, size and content type; see ``record_blob``."""
    now = utc_now()
    # In the order of their digests, so that transactions that name the same blobs wait for each other and never both.
    held = {"present": True, "uploaded_at": now, "created_at": now}
    rows = [
        {"sha256": sha256, "size_bytes": size, "content_type": content_type, "received_bytes": size, **held}
        for sha256, size, content_type in sorted(blobs)
    ]
    if not rows:
        return
    if insert_rows_if_absent(session, Blob, rows) == len(rows):
        return
    # A row from before: the bytes are here now, and their grace begins again.
    found = [{"of": row["sha256"], "now_held": row["size_bytes"], "now": now, "before": now - _RECENT} for row in rows]
    _HELD.run(session.connection(), found)


def recorded_sizes(session: Session, digests: Sequence[str]) -> dict[str, int]:
    """Return the size in bytes of each blob that the object store was given, by its digest."""
    query = select(Blob.sha256, Blob.size_bytes).where(Blob.sha256.in_(digests), Blob.present)
    return {row.sha256: row.size_bytes for row in session.execute(query)}


_RECENT = timedelta(minutes=1)
"""The same bytes again within it write nothing."""
_BLOBS = cast("Table", Blob.__table__)
_HELD = Prepared(
    update(_BLOBS)
    .where(
        _BLOBS.c.sha256 == bindparam("of"),
        or_(
            _BLOBS.c.present.is_(False),
            _BLOBS.c.uploaded_at.is_(None),
            _BLOBS.c.uploaded_at < bindparam("before", type_=UtcDateTime()),
        ),
    )
    .values(
        present=True,
        size_bytes=bindparam("now_held"),
        received_bytes=bindparam("now_held"),
        uploaded_at=bindparam("now", type_=UtcDateTime()),
    )
)
