"""Putting bytes where a record can name them: the blob first, safe on the disk, then the row, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.sync import Blob
from sync.station.blobs import remember_blob

if TYPE_CHECKING:
    from app.station.workspace import Workspace


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """Bytes that lie in the blob store.

    Attributes:
        keep: puts them there again when they are not any more.
    """

    sha256: str
    size_bytes: int
    content_type: str
    keep: Callable[[], object] = lambda: None


@contextmanager
def stored(workspace: Workspace, contents: list[tuple[bytes, str]]) -> Iterator[list[StoredBlob]]:
    """Keep ``contents`` (bytes, content type) in the blob store for a transaction within the block to name.

    When anything fails, in here or in the block, the files that no record names are removed again: a full disk leaves
    nothing half-written.

    Raises:
        Unavailable: ``disk-full`` and the like, before anything is committed.
    """
    kept: list[StoredBlob] = []
    finished = False
    try:
        for data, content_type in contents:
            sha256 = workspace.blobs.put(data)
            kept.append(StoredBlob(sha256, len(data), content_type, partial(_keep, workspace, sha256, data)))
        yield kept
        finished = True
    finally:
        if not finished:
            _remove_unnamed(workspace, [blob.sha256 for blob in kept])


def name_blob(session: Session, blob: StoredBlob) -> None:
    """Add the row of a blob that lies in the store, so that the sync engine sends it.

    Retention may have deleted an older image of the same bytes since they were put there; it cannot while the
    transaction lasts.
    """
    blob.keep()
    remember_blob(session, blob.sha256, blob.size_bytes, blob.content_type)


def _keep(workspace: Workspace, sha256: str, data: bytes) -> None:
    if not workspace.blobs.exists(sha256):
        workspace.blobs.put(data)


def _remove_unnamed(workspace: Workspace, digests: list[str]) -> None:
    with workspace.database.read() as session:
        named = set(session.scalars(select(Blob.sha256).where(Blob.sha256.in_(digests))))
    for sha256 in set(digests) - named:
        workspace.blobs.delete(sha256)
