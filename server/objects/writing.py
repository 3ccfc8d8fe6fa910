"""Takes an object in pieces: hashed while it comes, in the store once it is whole, in bounded memory."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from models.errors import TooLarge
from server.objects.trouble import translated

IN_MEMORY_BYTES = 1024 * 1024
"""An object up to this size touches no disk before it is stored."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of the store.

    Attributes:
        sha256: digest of its bytes.
        size: in bytes.
    """

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class MadeObject:
    """An object that can be made again.

    Attributes:
        name: stands in its key where others have their digest.
        size: in bytes.
    """

    name: str
    size: int


class ObjectWriter:
    """Takes pieces on an event loop without blocking it.

    Use it in an ``async with`` block and end with ``finish``; a block that is left before leaves nothing in the store.
    The pieces of a larger object wait in a file of ``folder``, so that a client that goes away in the middle costs the
    store nothing.

    Args:
        put: stores bytes under their digest.
        put_file: stores a file under the digest of its bytes.
        folder: for what waits; None takes the system's folder of temporary files.
        most_bytes: of the object.
    """

    def __init__(
        self,
        put: Callable[[str, bytes], None],
        put_file: Callable[[str, Path], None],
        folder: Path | None,
        most_bytes: int | None,
    ) -> None:
        self._put = put
        self._put_file = put_file
        self._folder = folder
        self._most_bytes = most_bytes
        self._digest = hashlib.sha256()
        self._buffer = bytearray()
        self._size = 0
        self._path: Path | None = None

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what waits."""
        if self._path is not None:
            await asyncio.to_thread(self._path.unlink, missing_ok=True)

    async def write(self, data: bytes) -> None:
        """Take the next piece.

        Raises:
            TooLarge: ``upload-too-large``, as soon as more than ``most_bytes`` have come.
            Unavailable: ``disk-full``.
        """
        self._size += len(data)
        if self._most_bytes is not None and self._size > self._most_bytes:
            limit = self._most_bytes
            raise TooLarge("upload-too-large", limit=limit, members={"limit_bytes": limit})
        self._buffer += data
        if len(self._buffer) > IN_MEMORY_BYTES:
            await asyncio.to_thread(self._spill)

    async def finish(self) -> StoredObject:
        """Store the object and return its digest; it lasts through a power cut when this returns.

        Raises:
            Unavailable: ``disk-full`` or ``objects-unreachable``.
        """
        return await asyncio.to_thread(self._store)

    def _store(self) -> StoredObject:
        if self._path is None:
            self._digest.update(self._buffer)
            sha256 = self._digest.hexdigest()
            self._put(sha256, bytes(self._buffer))
        else:
            self._spill()
            sha256 = self._digest.hexdigest()
            self._put_file(sha256, self._path)
        return StoredObject(sha256, self._size)

    def _spill(self) -> None:
        with translated():
            if self._path is None:
                if self._folder is not None:
                    self._folder.mkdir(exist_ok=True)
                with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".part", delete=False) as made:
                    self._path = Path(made.name)
            with self._path.open("ab") as file:
                file.write(self._buffer)
        self._digest.update(self._buffer)
        self._buffer.clear()
