"""Blobs of a station: files named by their SHA-256 digest, complete or absent."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.orm import Session

from models.errors import InvalidInput, NotFound, Unavailable
from models.storage import (
    is_digest,
    move_durably,
    no_room,
    pieces_of,
    reason_of,
    replacing,
    sha256_of,
    sha256_of_file,
    sha256_of_pieces,
    sync_path,
)
from models.sync import Blob

_TEMPORARY = "tmp-"


class BlobStore:
    """A folder of blobs, two levels deep; safe to use from several threads and processes.

    Args:
        directory: made when it is not there.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lasting: set[Path] | None = None

    def put(self, data: bytes) -> str:
        """Keep ``data`` and return its digest; it lasts through a power cut when this returns.

        Raises:
            Unavailable: ``disk-full`` or ``blob-not-written``; nothing is left behind.
        """
        return self._keep([data], sha256_of(data))

    def put_file(self, path: Path) -> str:
        """Keep a copy of a file and return its digest; see ``put``.

        Raises:
            NotFound: ``blob-source-missing``.
        """
        try:
            sha256 = sha256_of_file(path)
            with path.open("rb") as file:
                return self._keep(pieces_of(file), sha256)
        except FileNotFoundError as error:
            raise NotFound("blob-source-missing", file=path.name) from error

    def path(self, sha256: str) -> Path:
        """Return where a blob is, or would be.

        Raises:
            InvalidInput: ``blob-digest-invalid``.
        """
        if not is_digest(sha256):
            raise InvalidInput("blob-digest-invalid")
        return self.directory / sha256[:2] / sha256

    def exists(self, sha256: str) -> bool:
        """Return whether the blob is here."""
        return self.path(sha256).is_file()

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob for reading.

        Raises:
            NotFound: ``blob-missing``.
        """
        try:
            return self.path(sha256).open("rb")
        except FileNotFoundError as error:
            raise NotFound("blob-missing", sha256=sha256) from error

    def read(self, sha256: str) -> bytes:
        """Return all bytes of a blob; see ``open``."""
        with self.open(sha256) as file:
            return file.read()

    def size(self, sha256: str) -> int:
        """Return the number of bytes of a blob; see ``open``."""
        with self.open(sha256) as file:
            return os.fstat(file.fileno()).st_size

    def verify(self, sha256: str) -> bool:
        """Return whether the blob is here and its bytes have its digest."""
        try:
            with self.open(sha256) as file:
                return sha256_of_pieces(pieces_of(file)) == sha256
        except NotFound:
            return False

    def delete(self, sha256: str) -> None:
        """Remove a blob; nothing happens when it is not here."""
        self.path(sha256).unlink(missing_ok=True)

    def digests(self) -> Iterator[str]:
        """Yield the digest of every blob."""
        for path in sorted(self.directory.glob("??/*")):
            if is_digest(path.name):
                yield path.name

    def remove_temporary(self) -> int:
        """Remove what a crash left half-written and return how many; call while nothing else writes."""
        found = [*self.directory.glob(f"??/{_TEMPORARY}*")]
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    def partial(self, sha256: str) -> Path:
        """Return where a download of a blob gathers; it survives an interrupted connection and is not a blob yet."""
        return self.directory / "incoming" / f"{self.path(sha256).name}.part"

    def adopt(self, sha256: str) -> bool:
        """Make the gathered download a blob if its digest is right, else discard it and return False."""
        gathered = self.partial(sha256)
        if sha256_of_file(gathered) != sha256:
            gathered.unlink()
            return False
        target = self.path(sha256)
        with _written(target):
            self._make_folder(target.parent)
            move_durably(gathered, target)
        return True

    def _keep(self, pieces: Iterable[bytes], sha256: str) -> str:
        target = self.path(sha256)
        if target.is_file():
            with _written(target):
                # Whoever wrote it may be doing so in this moment, or may have ended before its name was on the disk.
                self._make_folder(target.parent)
                sync_path(target.parent)
            return sha256
        temporary = target.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
        with _written(target):
            self._make_folder(target.parent)
            with replacing(target, temporary=temporary) as file:
                if sha256_of_pieces(_copied(pieces, file)) != sha256:
                    raise Unavailable("blob-source-changed")
        return sha256

    def _make_folder(self, folder: Path) -> None:
        """Make a folder of blobs; its name is on the disk when this returns, whoever made it."""
        if self._lasting is None:
            self.directory.mkdir(parents=True, exist_ok=True)
            found = set(self.directory.iterdir())
            for place in (self.directory.parent, self.directory):
                sync_path(place)
            self._lasting = found
        if folder not in self._lasting or not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            sync_path(folder.parent)
            self._lasting.add(folder)


def remember_blob(session: Session, sha256: str, size_bytes: int, content_type: str) -> Blob:
    """Note within the caller's transaction that a blob is here, so that the sync engine uploads it."""
    blob = session.get(Blob, sha256)
    if blob is None:
        blob = Blob(sha256=sha256, size_bytes=size_bytes, content_type=content_type, present=True)
        session.add(blob)
    blob.present = True
    return blob


def blob_not_written(folder: Path, error: OSError) -> Unavailable:
    """Return the user-facing error for an ``error`` that kept a blob from being written into ``folder``."""
    if no_room(error):
        return Unavailable("disk-full")
    return Unavailable("blob-not-written", folder=str(folder), reason=reason_of(error))


def _copied(pieces: Iterable[bytes], file: BinaryIO) -> Iterator[bytes]:
    for piece in pieces:
        file.write(piece)
        yield piece


@contextmanager
def _written(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise blob_not_written(target.parent, error) from error
