"""Putting bytes where a record can name them: the blob first, safe on the disk, then the row, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from inspection.imaging.frames import Pixels
from models.sync import Blob
from sync.station.blobs import remember_blob

if TYPE_CHECKING:
    from app.station.workspace import Workspace

HEATMAP_THRESHOLD_VALUE = 128
"""Grey value of the threshold in a stored heatmap."""


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


def heatmap_pixels(heatmap: NDArray[np.float32], threshold: float) -> Pixels:
    """Return a heatmap as grey ``(H, W)`` uint8: 128 is the threshold, 255 twice of it and more.

    Args:
        heatmap: float32 ``(H, W)`` in the unit of the score.
        threshold: what the score was compared with; greater than 0.
    """
    scaled = np.rint(heatmap * (HEATMAP_THRESHOLD_VALUE / threshold))
    return np.asarray(np.clip(scaled, 0, 255), dtype=np.uint8)


def heatmap_of(pixels: Pixels, threshold: float) -> NDArray[np.float32]:
    """Return a stored heatmap, grey ``(H, W)`` uint8, as float32 in the unit of the score.

    The inverse of ``heatmap_pixels`` up to its steps of 1/128 of the threshold; what was beyond twice the threshold is
    at just below twice of it.
    """
    return pixels.astype(np.float32) * np.float32(threshold / HEATMAP_THRESHOLD_VALUE)


def _keep(workspace: Workspace, sha256: str, data: bytes) -> None:
    if not workspace.blobs.exists(sha256):
        workspace.blobs.put(data)


def _remove_unnamed(workspace: Workspace, digests: list[str]) -> None:
    with workspace.database.read() as session:
        named = set(session.scalars(select(Blob.sha256).where(Blob.sha256.in_(digests))))
    for sha256 in set(digests) - named:
        workspace.blobs.delete(sha256)
