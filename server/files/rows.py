"""Rows of files whose bytes are in the object store."""

from __future__ import annotations

from typing import Protocol

from models.ids import new_id
from models.sync import StoredFile


class DescribedFile(Protocol):
    """What is known of a file: an uploaded image, or the output of a run."""

    @property
    def sha256(self) -> str:
        """Digest of its bytes."""

    @property
    def size(self) -> int:
        """Number of its bytes."""

    @property
    def filename(self) -> str:
        """What it is shown and saved as."""

    @property
    def content_type(self) -> str:
        """Kind of file, by its bytes."""

    @property
    def width(self) -> int | None:
        """Pixels as stored; None for what is no image."""

    @property
    def height(self) -> int | None:
        """Pixels as stored; None for what is no image."""


def stored_file(found: DescribedFile, user_id: str | None, file_id: str | None = None) -> StoredFile:
    """Return the row of a file that belongs to ``user_id``, under ``file_id`` where the client has chosen one."""
    return StoredFile(
        id=file_id or new_id(),
        sha256=found.sha256,
        filename=found.filename,
        content_type=found.content_type,
        size_bytes=found.size,
        width=found.width,
        height=found.height,
        user_id=user_id,
    )
