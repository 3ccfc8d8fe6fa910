"""Objects behind an S3 API, by obstore; only a server that uses one loads this module, which takes 5 MB.

S3 removes an object whatever was stored there a moment before. So what is removed for its age is kept beside for a
while, and brought back when somebody asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store, from_url

from models.errors import Unavailable
from models.storage import sha256_of_pieces
from server.objects.backend import ListedObject
from server.objects.keys import digest_of_key
from server.objects.signing import with_answer_headers

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

_PART, _PARTS_AT_ONCE = 8 * 1024 * 1024, 4
"""Bytes of one part of a large object, and how many are on their way at once: together what it takes of memory."""
_PIECE = 1024 * 1024
"""Bytes of an object that are hashed at a time."""
_PUTS_AT_ONCE = 8
"""Small objects that are on their way at once."""
_PAGE = 1_000
_SECRET = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a variable
_REMOVED = "removed/"
"""Before the keys of removed objects."""
_DAMAGED = "damaged/"
"""Before the keys of damaged objects."""
_T = TypeVar("_T")
_RETRIES: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}


class Bucket:
    """The objects of a bucket under a prefix; see ``Backend``.

    Args:
        url: any URL obstore knows (``s3://bucket/prefix``); its credentials come from the environment.

    Raises:
        ValueError: for a URL that obstore does not know.
    """

    arriving: Path | None = None

    def __init__(self, url: str) -> None:
        try:
            self._store = from_url(url, client_options=_client_options(), retry_config=_RETRIES)
        except BaseError as error:
            raise ValueError(str(error)) from error

    def put_made(self, pieces: Sequence[bytes | memoryview], key: str) -> None:
        """Keep an object that can be made again."""
        with _asked():
            obstore.put(self._store, key, b"".join(pieces))

    def put_many(self, contents: Mapping[str, bytes]) -> None:
        """Keep objects by key."""
        with _asked(), ThreadPoolExecutor(min(_PUTS_AT_ONCE, len(contents))) as threads:
            for done in [threads.submit(obstore.put, self._store, key, data) for key, data in contents.items()]:
                done.result()

    def put_file(self, key: str, path: Path) -> None:
        """Keep the bytes of a file, in parts."""
        with _asked():
            obstore.put(self._store, key, path, chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE)

    def take_file(self, key: str, path: Path) -> None:
        """Keep the bytes of a file."""
        self.put_file(key, path)

    def keep(self, key: str, sha256: str) -> bool:
        """Return whether an object is there with the right bytes: what is stored lasts."""
        try:
            if self._found(key, lambda: self._digest(key)) == sha256:
                return True
            self.set_aside(key, sha256)
        except FileNotFoundError:
            return False
        return False

    def set_aside(self, key: str, sha256: str) -> bool:
        """Keep a damaged object beside: the copy is what is looked at, as another may be stored meanwhile."""
        with _asked():
            obstore.copy(self._store, key, _DAMAGED + key)
            damaged = self._digest(_DAMAGED + key) != sha256
            obstore.delete(self._store, key if damaged else _DAMAGED + key)
        return damaged

    def read(self, key: str) -> bytes:
        """Return all bytes."""
        return self._found(key, lambda: bytes(obstore.get(self._store, key).bytes()))

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start`` on."""
        return self._found(key, lambda: bytes(obstore.get_range(self._store, key, start=start, length=length)))

    def size(self, key: str) -> int:
        """Return the number of bytes."""
        return self._found(key, lambda: int(obstore.head(self._store, key)["size"]))

    def presigned(self, key: str, valid_for: timedelta, headers: Mapping[str, str]) -> str | None:
        """Return an address that S3 has signed; None for another kind of store.

        It has the headers when the environment has the secret key; a key of another source is known to obstore alone.
        """
        if not isinstance(self._store, S3Store):
            return None
        self.size(key)  # S3 signs what is not there too
        with _asked():
            signed = str(obstore.sign(self._store, "GET", key, valid_for))
        return with_answer_headers(signed, os.environ.get(_SECRET, ""), headers) or signed

    def listed(self) -> Iterator[ListedObject]:
        """Yield every object, page by page."""
        yield from self._listed("")

    def remove_older(self, key: str, limit: datetime) -> bool:
        """Keep an object that was stored before ``limit`` beside, and remove it."""
        with _asked():
            if obstore.head(self._store, key)["last_modified"] >= limit:
                return False
            obstore.copy(self._store, key, _REMOVED + key)
            obstore.delete(self._store, key)
            return True

    def removed(self) -> Iterator[ListedObject]:
        """Yield what is kept beside, page by page."""
        yield from self._listed(_REMOVED)

    def bring_back(self, key: str) -> bool:
        """Put what is kept beside in its place again."""
        try:
            with _asked():
                obstore.copy(self._store, _REMOVED + key, key)
        except FileNotFoundError:
            return False
        self.forget_removed(key)
        return True

    def forget_removed(self, key: str) -> None:
        """Let go what is kept beside."""
        self.delete(_REMOVED + key)

    def remove_unfinished(self, limit: datetime) -> None:
        """Do nothing: S3 drops what was not ended."""
        del limit

    def delete(self, key: str) -> None:
        """Remove an object."""
        with _asked():
            obstore.delete(self._store, key)

    def _digest(self, key: str) -> str:
        return sha256_of_pieces(map(bytes, obstore.get(self._store, key).stream(min_chunk_size=_PIECE)))

    def _found(self, key: str, ask: Callable[[], _T]) -> _T:
        """Return what is answered about an object; a removed one that somebody asks for is brought back."""
        try:
            with _asked():
                return ask()
        except FileNotFoundError:
            if not self.bring_back(key):
                raise
        with _asked():
            return ask()

    def _listed(self, before: str) -> Iterator[ListedObject]:
        with _asked():
            for page in obstore.list(self._store, prefix=before or None, chunk_size=_PAGE):
                for found in page:
                    path = str(found["path"])
                    sha256 = digest_of_key(path.removeprefix(before)) if path.startswith(before) else None
                    if sha256 is not None:
                        yield ListedObject(sha256, int(found["size"]), found["last_modified"])

    def check(self) -> None:
        """Ask the bucket for its first object."""
        with _asked():
            next(iter(obstore.list(self._store, prefix="health", chunk_size=1)), None)


@contextmanager
def _asked() -> Iterator[None]:
    """Translate what obstore raises, but for what is no ``BaseError``.

    Raises:
        FileNotFoundError: for what is not there.
        Unavailable: ``disk-full`` or ``objects-unreachable``.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except BaseError as error:
        full = "no space left" in str(error).lower()
        raise Unavailable("disk-full" if full else "objects-unreachable") from error


def _client_options() -> ClientConfig:
    # A server that is away is reported in seconds; plain HTTP needs the environment's word, as obstore has it.
    plain = os.environ.get("AWS_ALLOW_HTTP", "").lower() in {"1", "true"}
    return {"connect_timeout": "5s", "timeout": "60s", "allow_http": plain}
