"""The object store: immutable bytes known by their SHA-256 digest, in a local folder or behind an S3 API."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url
from obstore.store import ObjectStore as Store

from models.errors import InvalidInput, NotFound, Unavailable
from models.storage import is_digest, no_room, sync_path

_CHUNK = 256 * 1024


class ObjectStore:
    """Keeps bytes under the digest the caller has computed; safe to use from several threads.

    Args:
        url: ``file:///folder`` or any URL obstore knows (``s3://bucket/prefix``); its credentials come from the
            environment, never from the URL.
    """

    def __init__(self, url: str) -> None:
        self._folder: Path | None = None
        try:
            if urlsplit(url).scheme == "file":
                self._folder = Path(url2pathname(urlsplit(url).path))
                self._store: Store = LocalStore(self._folder, mkdir=True)
            else:
                self._store = from_url(url)
        except (BaseError, OSError, ValueError) as error:
            raise InvalidInput("objects-url-invalid", scheme=urlsplit(url).scheme or "-") from error

    def put(self, sha256: str, data: bytes) -> None:
        """Keep ``data``; it lasts through a power cut when this returns.

        Raises:
            Unavailable: ``disk-full`` or ``objects-unreachable``.
        """
        with _trouble():
            obstore.put(self._store, _key(sha256), data)
            self._settle(sha256)

    def put_file(self, sha256: str, path: Path) -> None:
        """Keep the bytes of a file, streamed; see ``put``."""
        with _trouble():
            obstore.put(self._store, _key(sha256), path)
            self._settle(sha256)

    def read(self, sha256: str) -> bytes:
        """Return all bytes.

        Raises:
            NotFound: ``object-unknown``.
        """
        with _trouble():
            return bytes(obstore.get(self._store, _key(sha256)).bytes())

    def read_range(self, sha256: str, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start`` on, both within the object.

        Raises:
            NotFound: ``object-unknown``.
        """
        with _trouble():
            return bytes(obstore.get_range(self._store, _key(sha256), start=start, length=length))

    def stream(self, sha256: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Return an iterator over the bytes from ``start`` up to, without, ``end``, in pieces of bounded size.

        Raises:
            NotFound: ``object-unknown``, at the call, not at the first piece.
        """
        total = self.size(sha256)
        stop = total if end is None else min(end, total)

        def pieces() -> Iterator[bytes]:
            for position in range(start, stop, _CHUNK):
                yield self.read_range(sha256, position, min(_CHUNK, stop - position))

        return pieces()

    def exists(self, sha256: str) -> bool:
        """Return whether the object is there."""
        try:
            self.size(sha256)
        except NotFound:
            return False
        return True

    def size(self, sha256: str) -> int:
        """Return the number of bytes.

        Raises:
            NotFound: ``object-unknown``.
        """
        with _trouble():
            return int(obstore.head(self._store, _key(sha256))["size"])

    def delete(self, sha256: str) -> None:
        """Remove the object; nothing happens when it is not there."""
        try:
            with _trouble():
                obstore.delete(self._store, _key(sha256))
        except NotFound:
            return

    def check(self) -> None:
        """Raise ``Unavailable`` when the store does not answer."""
        with _trouble():
            if self._folder is not None and not os.access(self._folder, os.W_OK | os.X_OK):
                raise OSError(errno.EACCES, "no right to write")
            next(iter(obstore.list(self._store, prefix="health", chunk_size=1)), None)

    def _settle(self, sha256: str) -> None:
        """Flush the local file and its folders to the disk, which obstore does not do."""
        if self._folder is None:
            return
        path = self._folder / _key(sha256)
        for place in (path, path.parent, path.parent.parent, self._folder):
            sync_path(place)


def _key(sha256: str) -> str:
    if not is_digest(sha256):
        raise InvalidInput("digest-malformed")
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


@contextmanager
def _trouble() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound("object-unknown") from error
    except OSError as error:
        raise Unavailable("disk-full" if no_room(error) else "objects-unreachable") from error
    except BaseError as error:
        full = "no space left" in str(error).lower()
        raise Unavailable("disk-full" if full else "objects-unreachable") from error
