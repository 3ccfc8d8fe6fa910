"""Uploaded files on the wire."""

from __future__ import annotations

from sync.shared.schemas import Id, Moment, Reply


class FileReply(Reply):
    """What the server knows of a file; ``size`` in bytes, ``width`` and ``height`` in pixels as stored."""

    id: Id
    filename: str
    sha256: str
    size: int
    content_type: str
    width: int | None
    height: int | None
    created_at: Moment
