"""Objects in a local folder: what is written lasts, and nothing but the standard library is loaded for it.

An object with the key ``ab/cd/DIGEST`` lies at ``ab/DIGEST``: 256 folders are all there soon, whereas one of 65,536 is
made anew, and flushed with those above it, for nearly every object of a store with fewer than some hundred thousand.
Stores of earlier versions have objects at their whole keys; those are found there, and written there no more.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from models.storage import is_digest, move_durably, sync_path
from server.objects.backend import ListedObject
from server.objects.folder import (
    ARRIVING,
    keep_lasting,
    remove_file_older,
    remove_unfinished,
    set_file_aside,
    write_made,
    write_objects,
)
from server.objects.keys import key_of

_T = TypeVar("_T")


class LocalFolder:
    """The objects of a folder, made when it is not there; see ``Backend``.

    Args:
        folder: absolute.

    Raises:
        OSError: when it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.arriving: Path | None = folder / ARRIVING

    def put_made(self, pieces: Sequence[bytes | memoryview], key: str) -> None:
        """Keep an object that can be made again; it is not flushed."""
        write_made(self._folder, pieces, _place(key))

    def put_many(self, contents: Mapping[str, bytes]) -> None:
        """Keep objects by key, in a few flushes together."""
        write_objects(self._folder, {_place(key): data for key, data in contents.items()})

    def put_file(self, key: str, path: Path) -> None:
        """Keep the bytes of a file."""
        write_objects(self._folder, {_place(key): path})

    def take_file(self, key: str, path: Path) -> None:
        """Move a file into its place."""
        target = self._folder / _place(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        move_durably(path, target)
        for place in (target, target.parent, self._folder):
            sync_path(place)

    def keep(self, key: str, sha256: str) -> bool:
        """Return whether an object is there, flushed; one that is damaged is set aside."""
        return any(keep_lasting(self._folder, place, sha256) for place in _places(key))

    def set_aside(self, key: str, sha256: str) -> bool:
        """Move an object to the folder of damaged ones unless its bytes are right."""
        return self._found(key, lambda place: set_file_aside(self._folder, place, sha256))

    def read(self, key: str) -> bytes:
        """Return all bytes."""
        return self._found(key, lambda place: (self._folder / place).read_bytes())

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start`` on."""

        def read(place: str) -> bytes:
            with (self._folder / place).open("rb", buffering=0) as file:
                file.seek(start)
                return file.read(length)

        return self._found(key, read)

    def size(self, key: str) -> int:
        """Return the number of bytes."""
        return self._found(key, lambda place: (self._folder / place).stat().st_size)

    def presigned(self, key: str, valid_for: timedelta, headers: Mapping[str, str]) -> str | None:
        """Return None: nobody fetches from a folder."""
        del key, valid_for, headers
        return None

    def listed(self) -> Iterator[ListedObject]:
        """Yield every object, folder by folder; one that lies at both of its places comes twice."""
        for first in _names(self._folder):
            names = _names(self._folder / first)
            yield from self._those_at(first, names)
            for second in names:
                if not is_digest(second):
                    yield from self._those_at(f"{first}/{second}", _names(self._folder / first / second))

    def remove_older(self, key: str, limit: datetime) -> bool:
        """Remove an object that was stored before ``limit``, by the very file that is removed."""
        return self._found(key, lambda place: remove_file_older(self._folder, place, limit))

    def removed(self) -> Iterator[ListedObject]:
        """Yield nothing: a file is looked at while it is removed."""
        yield from ()

    def bring_back(self, key: str) -> bool:
        """Return False: what is removed is gone."""
        del key
        return False

    def forget_removed(self, key: str) -> None:
        """Do nothing."""
        del key

    def remove_unfinished(self, limit: datetime) -> None:
        """Remove what a process that ended in the middle left."""
        remove_unfinished(self._folder, limit)

    def delete(self, key: str) -> None:
        """Remove an object, from both of its places."""
        self._found(key, lambda place: (self._folder / place).unlink())
        (self._folder / key).unlink(missing_ok=True)

    def check(self) -> None:
        """Ask whether the folder may be written and read."""
        if not os.access(self._folder, os.R_OK | os.W_OK | os.X_OK):
            raise OSError(errno.EACCES, "no right to read and write")

    def _found(self, key: str, work: Callable[[str], _T]) -> _T:
        """Return what ``work`` returns for the place of an object, or for the one that earlier versions gave it.

        Raises:
            OSError: ``FileNotFoundError`` for an object that is at neither.
        """
        place, earlier = _places(key)
        try:
            return work(place)
        except FileNotFoundError:
            return work(earlier)

    def _those_at(self, folder: str, names: Iterable[str]) -> Iterator[ListedObject]:
        for name in names:
            if not (is_digest(name) and f"{folder}/{name}" in _places(key_of(name))):
                continue
            try:
                found = (self._folder / folder / name).stat()
            except FileNotFoundError:
                continue  # It has been removed meanwhile.
            yield ListedObject(name, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


def _places(key: str) -> tuple[str, str]:
    """Return where an object lies in the folder, and where earlier versions put it."""
    return _place(key), key


def _place(key: str) -> str:
    first, _, name = key.split("/")
    return f"{first}/{name}"


def _names(folder: Path) -> list[str]:
    """Return the names in a folder; none when it is gone, or no folder."""
    try:
        return sorted(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
