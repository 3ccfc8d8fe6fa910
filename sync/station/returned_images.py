"""Files of images whose records came back from the server: after a restore the records are new here, the files are not.

A restore of the store leaves the files of its later life in their folder. Their records come with the snapshot, and the
files are noted with them, so that what the server had not received yet goes there after all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from models.clock import utc_now
from models.database import Database
from models.errors import NotFound
from models.sessions import ImageRecord
from models.sync import Blob
from sync.shared.protocol import MAX_COMPARED, Inventory
from sync.station.blobs import BlobStore
from sync.station.client import ServerClient


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
            sizes = {one.sha256: self._size(one.sha256) for one in page}
            absent = [sha256 for sha256, size in sizes.items() if size is None]
            elsewhere = self._on_server(absent)
            with self.database.transaction() as session:
                for one in page:
                    if session.get(Blob, one.sha256) is None:
                        session.add(
                            Blob(
                                sha256=one.sha256,
                                size_bytes=sizes[one.sha256] or one.size_bytes,
                                content_type=one.content_type,
                                present=one.sha256 not in absent,
                                uploaded_at=utc_now() if one.sha256 in elsewhere else None,
                            )
                        )
                        session.flush()

    def _pages(self) -> Iterator[Sequence[ImageRecord]]:
        known = select(Blob.sha256).where(Blob.sha256 == ImageRecord.sha256).exists()
        query = select(ImageRecord).where(ImageRecord.device_id == self.device_id, ~known)
        after = ""
        while True:
            with self.database.read() as session:
                page = session.scalars(
                    query.where(ImageRecord.id > after).order_by(ImageRecord.id).limit(MAX_COMPARED)
                ).all()
                session.expunge_all()
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
