"""Files of images whose records came back from the server: after a restore the records are new here, the files are not.

A restore of the store leaves the files of its later life in their folder. Their records come with the snapshot, and the
files are noted with them, so that what the server had not received yet goes there after all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select

from models.clock import utc_now
from models.database import Database
from models.errors import NotFound
from models.sessions import ImageRecord
from models.sync import Blob
from sync.shared.protocol import MAX_COMPARED, Inventory
from sync.station.blobs import BlobStore
from sync.station.client import ServerClient


class _Named(NamedTuple):
    """A file as a record names it."""

    id: str
    sha256: str
    size_bytes: int
    content_type: str


@dataclass(frozen=True, slots=True)
class ReturnedImages:
    """Notes files that records of this station name and that the store does not know of.

    Attributes:
        database: the station's.
        blobs: its blob store.
        client: the server.
        device_id: this station.
        check: called between pages; may raise to stop.
    """

    database: Database
    blobs: BlobStore
    client: ServerClient
    device_id: str
    check: Callable[[], None]

    def note_all(self) -> None:
        """Note every such file: one that lies here is sent unless the server has it, any other is kept as not here.

        Raises:
            UserFacingError: when the server does not answer; the rest is noted by the next pass that needs it.
        """
        for page in self._pages():
            self.check()
            files = {one.sha256: one for one in page}
            sizes = {sha256: self._size(sha256) for sha256 in files}
            absent = [sha256 for sha256, size in sizes.items() if size is None]
            elsewhere = self._on_server(absent)
            with self.database.transaction() as session:
                # A part may have been finished meanwhile whose image is one of these.
                known = set(session.scalars(select(Blob.sha256).where(Blob.sha256.in_(files))))
                session.add_all(
                    Blob(
                        sha256=sha256,
                        size_bytes=sizes[sha256] or one.size_bytes,
                        content_type=one.content_type,
                        present=sizes[sha256] is not None,
                        uploaded_at=utc_now() if sha256 in elsewhere else None,
                    )
                    for sha256, one in files.items()
                    if sha256 not in known
                )

    def _pages(self) -> Iterator[list[_Named]]:
        known = select(Blob.sha256).where(Blob.sha256 == ImageRecord.sha256).exists()
        query = select(ImageRecord.id, ImageRecord.sha256, ImageRecord.size_bytes, ImageRecord.content_type).where(
            ImageRecord.device_id == self.device_id, ~known
        )
        after = ""
        while True:
            next_ones = query.where(ImageRecord.id > after).order_by(ImageRecord.id).limit(MAX_COMPARED)
            with self.database.read() as session:
                page = [_Named(*row) for row in session.execute(next_ones)]
            if not page:
                return
            yield page
            after = page[-1].id

    def _size(self, sha256: str) -> int | None:
        try:
            return self.blobs.size(sha256)
        except NotFound:
            return None

    def _on_server(self, digests: list[str]) -> frozenset[str]:
        if not digests:
            return frozenset()
        return frozenset(digests).difference(self.client.compare(Inventory(blobs=digests)).blobs)
