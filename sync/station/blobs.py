"""Blobs of a station: files named by their SHA-256 digest, whole or not there at all."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.orm import Session

from models.errors import InvalidInput, NotFound, Unavailable
from models.sync import Blob
from sync.shared.protocol import is_digest

_PIECE = 1024 * 1024
_TEMPORARY = "tmp-"
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class BlobStore:
    """A folder of blobs, two levels deep; safe to use from several threads and processes.

    Args:
        directory: made when it is not there.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def put(self, data: bytes) -> str:
        """Keep ``data`` and return its digest; it lasts through a power cut when this returns.

        Raises:
            Unavailable: ``disk-full`` or ``blob-not-written``; nothing is left behind.
        """
        return self._keep([data], hashlib.sha256(data).hexdigest())

    def put_file(self, path: Path) -> str:
        """Keep a copy of a file and return its digest; see ``put``.

        Raises:
            NotFound: ``blob-source-missing``.
        """
        digest = hashlib.sha256()
        try:
            with path.open("rb") as file:
                while piece := file.read(_PIECE):
                    digest.update(piece)
            with path.open("rb") as file:
                return self._keep(iter(lambda: file.read(_PIECE), b""), digest.hexdigest())
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
        """Say whether the blob is here."""
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
        """Say whether the blob is here and its bytes have its digest."""
        digest = hashlib.sha256()
        try:
            with self.open(sha256) as file:
                while piece := file.read(_PIECE):
                    digest.update(piece)
        except NotFound:
            return False
        return digest.hexdigest() == sha256

    def delete(self, sha256: str) -> None:
        """Remove a blob; nothing happens when it is not here. Ask ``may_delete`` first."""
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
        """Return where a download of a blob gathers; it outlasts a cut link and is no blob yet."""
        return self.directory / "incoming" / f"{self.path(sha256).name}.part"

    def adopt(self, sha256: str) -> bool:
        """Make the gathered download a blob if its digest is right, else throw it away and return False."""
        gathered = self.partial(sha256)
        digest = hashlib.sha256()
        with gathered.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
        if digest.hexdigest() != sha256:
            gathered.unlink()
            return False
        with gathered.open("rb+") as file:
            os.fsync(file.fileno())
        target = self.path(sha256)
        with _written(target):
            self._make_folder(target.parent)
            gathered.replace(target)
            _settle(target.parent)
        return True

    def _keep(self, pieces: Iterable[bytes], sha256: str) -> str:
        target = self.path(sha256)
        if target.is_file():
            return sha256
        temporary = target.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
        checked = hashlib.sha256()
        with _written(target):
            try:
                self._make_folder(target.parent)
                with temporary.open("xb") as file:
                    for piece in pieces:
                        checked.update(piece)
                        file.write(piece)
                    file.flush()
                    os.fsync(file.fileno())
                if checked.hexdigest() != sha256:
                    raise Unavailable("blob-source-changed")
                temporary.replace(target)
                _settle(target.parent)
            finally:
                temporary.unlink(missing_ok=True)
        return sha256

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            _settle(folder.parent)


def remember_blob(session: Session, sha256: str, size_bytes: int, content_type: str) -> Blob:
    """Note within the caller's transaction that a blob is here, so that the sync engine uploads it."""
    blob = session.get(Blob, sha256)
    if blob is None:
        blob = Blob(sha256=sha256, size_bytes=size_bytes, content_type=content_type, present=True)
        session.add(blob)
    blob.present = True
    return blob


def may_delete(session: Session, sha256: str) -> bool:
    """Say whether a blob may be deleted here: only once the server has acknowledged that it holds it."""
    blob = session.get(Blob, sha256)
    return blob is not None and blob.uploaded_at is not None


@contextmanager
def _written(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise Unavailable("disk-full") from error
        reason = error.strerror or str(error)
        raise Unavailable("blob-not-written", folder=str(target.parent), reason=reason) from error


def _settle(folder: Path) -> None:
    """Flush a folder's entries to the disk; Windows has no such call and needs none for NTFS's journal."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
