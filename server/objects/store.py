"""The object store: immutable bytes known by their SHA-256 digest, in a local folder or behind an S3 API."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store, from_url
from obstore.store import ObjectStore as Store

from models.errors import InvalidInput, NotFound
from models.storage import move_durably, sha256_of, sync_path
from server.objects.folder import (
    ARRIVING,
    keep_lasting,
    remove_file_older,
    remove_unfinished,
    write_made,
    write_objects,
)
from server.objects.keys import Place, digest_of_key, key_of
from server.objects.trouble import translated
from server.objects.writing import IN_MEMORY_BYTES, ObjectWriter, StoredObject

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

_CHUNK = 256 * 1024
_PART, _PARTS_AT_ONCE = 8 * 1024 * 1024, 4
"""Bytes of one part of a large object, and how many are on their way at once: together what it takes of memory."""
_PUTS_AT_ONCE = 8
"""Small objects that are on their way to a bucket at once."""


_PAGE = 1_000
_RETRIES: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object that the store holds.

    Attributes:
        sha256: digest of its bytes.
        size: in bytes.
        modified_at: when it was stored last.
    """

    sha256: str
    size: int
    modified_at: datetime


class ObjectStore:
    """Keeps bytes under the digest the caller has computed; safe to use from several threads.

    Args:
        url: ``file:///folder`` or any URL obstore knows (``s3://bucket/prefix``); its credentials come from the
            environment, never from the URL.
    """

    def __init__(self, url: str) -> None:
        self._folder: Path | None = None
        self._place = Place.of_url(url)
        try:
            if urlsplit(url).scheme == "file":
                self._folder = Path(url2pathname(urlsplit(url).path))
                self._store: Store = LocalStore(self._folder, mkdir=True)
            else:
                self._store = from_url(url, client_options=_client_options(), retry_config=_RETRIES)
        except (BaseError, OSError, ValueError) as error:
            raise InvalidInput("objects-url-invalid", scheme=urlsplit(url).scheme or "-") from error

    @property
    def bucket(self) -> str:
        """Name of the bucket that all objects are in."""
        return self._place.bucket

    def object_key(self, sha256: str) -> str:
        """Return the key of an object within the bucket, for a message that names it.

        Raises:
            InvalidInput: ``digest-malformed``.
        """
        return self._place.object_key(sha256)

    def require_allowed(self, bucket: str, object_key: str) -> str:
        """Return the digest of the object that a message names.

        Raises:
            PermissionDenied: ``object-not-allowed`` for another bucket and for anything that is no key of this store.
        """
        return self._place.require_allowed(bucket, object_key)

    def writer(self, most_bytes: int | None = None) -> ObjectWriter:
        """Return what takes an object of unknown digest in pieces, on an event loop: ``async with store.writer()``."""
        folder = self._folder / ARRIVING if self._folder is not None else None
        return ObjectWriter(self.put, self.take_file, folder, most_bytes)

    def put(self, sha256: str, data: bytes, *, lasting: bool = True) -> None:
        """Keep ``data``.

        Args:
            sha256: digest of the bytes.
            data: the bytes.
            lasting: whether it lasts through a power cut when this returns; what can be made again need not, which
                saves four flushes to the disk.

        Raises:
            Unavailable: ``disk-full`` or ``objects-unreachable``.
        """
        if lasting:
            self.put_many({sha256: data})
            return
        with translated(missing="objects-unreachable"):
            if self._folder is not None:
                write_made(self._folder, [data], lambda: key_of(sha256))
            else:
                obstore.put(self._store, key_of(sha256), data)

    def put_made(self, pieces: Sequence[bytes | memoryview]) -> StoredObject:
        """Keep an object that can be made again, and return its digest; it need not last through a power cut.

        Args:
            pieces: of its bytes; a local store hashes them while it writes them, and copies none.

        Raises:
            Unavailable: ``disk-full`` or ``objects-unreachable``.
        """
        size = sum(len(piece) for piece in pieces)
        if self._folder is None or size <= IN_MEMORY_BYTES:
            data = b"".join(pieces)
            sha256 = sha256_of(data)
            self.put(sha256, data, lasting=False)
            return StoredObject(sha256, size)
        with translated(missing="objects-unreachable"), ThreadPoolExecutor(1) as thread:
            hashing = thread.submit(_sha256_of_all, pieces)
            write_made(self._folder, pieces, lambda: key_of(hashing.result()))
            return StoredObject(hashing.result(), size)

    def put_many(self, contents: Mapping[str, bytes]) -> None:
        """Keep several objects, by their digests; see ``put``. Together they cost a local store a few flushes."""
        if not contents:
            return
        keyed = {key_of(sha256): data for sha256, data in contents.items()}
        with translated(missing="objects-unreachable"):
            if self._folder is not None:
                write_objects(self._folder, keyed)
                return
            with ThreadPoolExecutor(min(_PUTS_AT_ONCE, len(keyed))) as threads:
                for done in [threads.submit(obstore.put, self._store, key, data) for key, data in keyed.items()]:
                    done.result()

    def put_file(self, sha256: str, path: Path) -> None:
        """Keep the bytes of a file, streamed; see ``put``."""
        with translated(missing="objects-unreachable"):
            if self._folder is not None:
                write_objects(self._folder, {key_of(sha256): path})
            else:
                obstore.put(self._store, key_of(sha256), path, chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE)

    def take_file(self, sha256: str, path: Path) -> None:
        """Keep the bytes of a file of ``writer``, which a local store moves into its place; see ``put``."""
        if self._folder is None:
            self.put_file(sha256, path)
            return
        with translated():
            target = self._folder / key_of(sha256)
            target.parent.mkdir(parents=True, exist_ok=True)
            move_durably(path, target)
            self._settle(sha256)

    def keep(self, sha256: str) -> bool:
        """Return whether the object is there; from then on it lasts through a power cut, whoever stored it.

        Raises:
            Unavailable: ``disk-full`` or ``objects-unreachable``.
        """
        if self._folder is None:
            return self.exists(sha256)
        with translated(missing="objects-unreachable"):
            return keep_lasting(self._folder, key_of(sha256), sha256)

    def read(self, sha256: str) -> bytes:
        """Return all bytes.

        Raises:
            NotFound: ``object-unknown``.
        """
        with translated():
            if self._folder is not None:
                return (self._folder / key_of(sha256)).read_bytes()
            return bytes(obstore.get(self._store, key_of(sha256)).bytes())

    def read_range(self, sha256: str, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start`` on, both within the object.

        Raises:
            NotFound: ``object-unknown``.
        """
        with translated():
            return bytes(obstore.get_range(self._store, key_of(sha256), start=start, length=length))

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
        with translated():
            if self._folder is not None:
                return (self._folder / key_of(sha256)).stat().st_size
            return int(obstore.head(self._store, key_of(sha256))["size"])

    def presigned(self, sha256: str, valid_for: timedelta) -> str | None:
        """Return an address from which a client fetches the object itself, for a time; None where there is none.

        Raises:
            Unavailable: ``objects-unreachable``.
        """
        if not isinstance(self._store, S3Store):
            return None
        with translated():
            return str(obstore.sign(self._store, "GET", key_of(sha256), valid_for))

    def listed(self) -> Iterator[ListedObject]:
        """Yield every object, in pieces of bounded size.

        Raises:
            Unavailable: ``objects-unreachable``.
        """
        with translated():
            for page in obstore.list(self._store, chunk_size=_PAGE):
                for found in page:
                    sha256 = digest_of_key(str(found["path"]))
                    if sha256 is not None:
                        yield ListedObject(sha256, int(found["size"]), found["last_modified"])

    def remove_unless_stored_since(self, sha256: str, limit: datetime) -> bool:
        """Remove an object that was stored before ``limit`` and not again since; return whether it was removed.

        A local folder decides by the very file that it removes. Behind an S3 API an object that is stored in the moment
        between question and removal is lost.

        Raises:
            NotFound: ``object-unknown``.
            Unavailable: ``objects-unreachable``.
        """
        with translated():
            if self._folder is not None:
                return remove_file_older(self._folder, key_of(sha256), limit)
            if obstore.head(self._store, key_of(sha256))["last_modified"] >= limit:
                return False
            obstore.delete(self._store, key_of(sha256))
            return True

    def remove_unfinished(self, limit: datetime) -> None:
        """Remove what a process that ended in the middle left in a local folder, untouched since ``limit``.

        Raises:
            Unavailable: ``objects-unreachable``.
        """
        if self._folder is not None:
            with translated():
                remove_unfinished(self._folder, limit)

    def delete(self, sha256: str) -> None:
        """Remove the object; nothing happens when it is not there."""
        try:
            with translated():
                obstore.delete(self._store, key_of(sha256))
        except NotFound:
            return

    def check(self) -> None:
        """Raise ``Unavailable`` when the store does not answer."""
        with translated(missing="objects-unreachable"):
            if self._folder is not None and not os.access(self._folder, os.W_OK | os.X_OK):
                raise OSError(errno.EACCES, "no right to write")
            next(iter(obstore.list(self._store, prefix="health", chunk_size=1)), None)

    def _settle(self, sha256: str) -> None:
        """Flush the local file and its folders to the disk, which obstore does not do."""
        if self._folder is None:
            return
        path = self._folder / key_of(sha256)
        for place in (path, path.parent, path.parent.parent, self._folder):
            sync_path(place)


def _sha256_of_all(pieces: Sequence[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _client_options() -> ClientConfig:
    # A server that is away is reported in seconds; plain HTTP needs the environment's word, as obstore has it.
    plain = os.environ.get("AWS_ALLOW_HTTP", "").lower() in {"1", "true"}
    return {"connect_timeout": "5s", "timeout": "60s", "allow_http": plain}
