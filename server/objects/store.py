"""The object store: immutable bytes in a local folder or behind an S3 API, known by their SHA-256 digest.

Only what ``put_made`` keeps has a drawn name in its place: images between the steps of a pipeline, without a record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from models.errors import InvalidInput, NotFound, Unavailable
from models.storage import folder_reason, no_room
from server.objects.backend import Backend, ListedObject
from server.objects.keys import Place, drawn_name, key_of
from server.objects.local import LocalFolder
from server.objects.trouble import translated
from server.objects.writing import MadeObject, ObjectWriter

__all__ = ["ListedObject", "ObjectStore"]

_CHUNK = 256 * 1024


class ObjectStore:
    """Keeps bytes under the digest the caller has computed; safe to use from several threads.

    Args:
        url: ``file:///folder`` or any URL obstore knows (``s3://bucket/prefix``); its credentials come from the
            environment, never from the URL.

    Raises:
        InvalidInput: ``objects-url-invalid`` for a URL that nothing is known of.
        Unavailable: ``disk-full`` or ``objects-folder-unusable`` when a folder cannot be made.
    """

    def __init__(self, url: str) -> None:
        self._place = Place.of_url(url)
        try:
            self._backend = _backend(url)
        except (OSError, ValueError) as error:
            raise _unusable(url, error) from error

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
        return ObjectWriter(self.put, self.take_file, self._backend.arriving, most_bytes)

    def put(self, sha256: str, data: bytes) -> None:
        """Keep ``data``; it lasts through a power cut when this returns.

        Args:
            sha256: digest of the bytes.
            data: the bytes.

        Raises:
            Unavailable: ``disk-full`` or ``objects-unreachable``.
        """
        self.put_many({sha256: data})

    def put_made(self, pieces: Sequence[bytes | memoryview]) -> MadeObject:
        """Keep an object that can be made again under a name that is drawn.

        It need not last through a power cut, which saves the flushes to the disk. Its digest would take a third of the
        processor time of a filter, and nothing needs it: such an object has no record, and goes with the orphans.

        Args:
            pieces: of its bytes; a local store copies none.

        Raises:
            Unavailable: ``disk-full`` or ``objects-unreachable``.
        """
        name = drawn_name()
        with translated(missing="objects-unreachable"):
            self._backend.put_made(pieces, key_of(name))
        return MadeObject(name, sum(len(piece) for piece in pieces))

    def put_many(self, contents: Mapping[str, bytes]) -> None:
        """Keep several objects, by their digests; see ``put``. Together they cost a local store a few flushes."""
        if not contents:
            return
        keyed = {key_of(sha256): data for sha256, data in contents.items()}
        with translated(missing="objects-unreachable"):
            self._backend.put_many(keyed)

    def put_file(self, sha256: str, path: Path) -> None:
        """Keep the bytes of a file, streamed; see ``put``."""
        with translated(missing="objects-unreachable"):
            self._backend.put_file(key_of(sha256), path)

    def take_file(self, sha256: str, path: Path) -> None:
        """Keep the bytes of a file of ``writer``, which a local store moves into its place; see ``put``."""
        with translated(missing="objects-unreachable"):
            self._backend.take_file(key_of(sha256), path)

    def keep(self, sha256: str) -> bool:
        """Return whether the object is there; from then on it lasts through a power cut, whoever stored it.

        One whose bytes are not those of its digest is set aside and does not count.

        Raises:
            Unavailable: ``disk-full`` or ``objects-unreachable``.
        """
        with translated(missing="objects-unreachable"):
            return self._backend.keep(key_of(sha256), sha256)

    def set_aside(self, sha256: str) -> bool:
        """Keep a damaged object beside, so that it can be stored anew, and return whether it was damaged.

        Raises:
            NotFound: ``object-unknown``.
            Unavailable: ``disk-full`` or ``objects-unreachable``.
        """
        with translated():
            return self._backend.set_aside(key_of(sha256), sha256)

    def read(self, sha256: str) -> bytes:
        """Return all bytes.

        Raises:
            NotFound: ``object-unknown``.
        """
        with translated():
            return self._backend.read(key_of(sha256))

    def read_range(self, sha256: str, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start`` on, both within the object.

        Raises:
            NotFound: ``object-unknown``.
        """
        with translated():
            return self._backend.read_range(key_of(sha256), start, length)

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
            return self._backend.size(key_of(sha256))

    def presigned(self, sha256: str, valid_for: timedelta, headers: Mapping[str, str] | None = None) -> str | None:
        """Return an address from which a client fetches the object itself, for a time; None where there is none.

        Args:
            sha256: digest of the object.
            valid_for: how long.
            headers: of the answer, ``content-type`` and ``content-disposition``; left out where the key that signs
                comes from elsewhere than the environment.

        Raises:
            Unavailable: ``objects-unreachable``.
        """
        with translated():
            return self._backend.presigned(key_of(sha256), valid_for, headers or {})

    def listed(self) -> Iterator[ListedObject]:
        """Yield every object, in pieces of bounded size.

        Raises:
            Unavailable: ``objects-unreachable``.
        """
        with translated():
            yield from self._backend.listed()

    def remove_unless_stored_since(self, sha256: str, limit: datetime) -> bool:
        """Remove an object that was stored before ``limit`` and not again since; return whether it was removed.

        A local folder decides by the very file that it removes. Behind an S3 API an object may be stored in the moment
        between question and removal: what is removed there can be brought back, and is when somebody asks for it.

        Raises:
            NotFound: ``object-unknown``.
            Unavailable: ``objects-unreachable``.
        """
        with translated():
            return self._backend.remove_older(key_of(sha256), limit)

    def removed(self) -> Iterator[ListedObject]:
        """Yield what ``remove_unless_stored_since`` removed and can be brought back, with the time of its removal.

        Raises:
            Unavailable: ``objects-unreachable``.
        """
        with translated():
            yield from self._backend.removed()

    def bring_back(self, sha256: str) -> bool:
        """Bring a removed object back, and return whether it could be.

        Raises:
            Unavailable: ``disk-full`` or ``objects-unreachable``.
        """
        with translated(missing="objects-unreachable"):
            return self._backend.bring_back(key_of(sha256))

    def forget_removed(self, sha256: str) -> None:
        """Let a removed object go for good.

        Raises:
            Unavailable: ``objects-unreachable``.
        """
        with translated(missing="objects-unreachable"):
            self._backend.forget_removed(key_of(sha256))

    def remove_unfinished(self, limit: datetime) -> None:
        """Remove what a process that ended in the middle left in a local folder, untouched since ``limit``.

        Raises:
            Unavailable: ``objects-unreachable``.
        """
        with translated():
            self._backend.remove_unfinished(limit)

    def delete(self, sha256: str) -> None:
        """Remove the object; nothing happens when it is not there."""
        try:
            with translated():
                self._backend.delete(key_of(sha256))
        except NotFound:
            return

    def check(self) -> None:
        """Raise ``Unavailable`` when the store does not answer."""
        with translated(missing="objects-unreachable"):
            self._backend.check()


def _unusable(url: str, error: OSError | ValueError) -> InvalidInput | Unavailable:
    """Return the user-facing error for an ``error`` that kept the place of a URL from being opened."""
    place = urlsplit(url)
    if place.scheme != "file" or not isinstance(error, OSError):
        return InvalidInput("objects-url-invalid", scheme=place.scheme or "-")
    if no_room(error):
        return Unavailable("disk-full")
    return Unavailable("objects-folder-unusable", folder=url2pathname(place.path), reason=folder_reason(error))


def _backend(url: str) -> Backend:
    """Return the place that a URL names.

    Raises:
        OSError: when a folder cannot be made.
        ValueError: for a URL that nothing is known of.
    """
    if urlsplit(url).scheme == "file":
        return LocalFolder(Path(url2pathname(urlsplit(url).path)))
    from server.objects.bucket import Bucket

    return Bucket(url)
