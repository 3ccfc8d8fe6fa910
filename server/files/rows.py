"""What is kept of files whose bytes are in the object store."""

from __future__ import annotations

from typing import Any, Protocol


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


def file_values(found: DescribedFile, user_id: str | None) -> dict[str, Any]:
    """Return the columns of a ``StoredFile`` that belongs to ``user_id``; all others have their defaults."""
    return {
        "sha256": found.sha256,
        "filename": found.filename,
        "content_type": found.content_type,
        "size_bytes": found.size,
        "width": found.width,
        "height": found.height,
        "user_id": user_id,
    }
