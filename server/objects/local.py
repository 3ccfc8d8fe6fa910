"""Objects in a local folder: what is written lasts, and nothing but the standard library is loaded for it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from models.storage import move_durably, sync_path
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
from server.objects.keys import digest_of_key


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
        write_made(self._folder, pieces, key)

    def put_many(self, contents: Mapping[str, bytes]) -> None:
        """Keep objects by key, in a few flushes together."""
        write_objects(self._folder, contents)

    def put_file(self, key: str, path: Path) -> None:
        """Keep the bytes of a file."""
        write_objects(self._folder, {key: path})

    def take_file(self, key: str, path: Path) -> None:
        """Move a file into its place."""
        target = self._folder / key
        target.parent.mkdir(parents=True, exist_ok=True)
        move_durably(path, target)
        for place in (target, target.parent, target.parent.parent, self._folder):
            sync_path(place)

    def keep(self, key: str, sha256: str) -> bool:
        """Return whether an object is there, flushed; one that is damaged is set aside."""
        return keep_lasting(self._folder, key, sha256)

    def set_aside(self, key: str, sha256: str) -> bool:
        """Move an object to the folder of damaged ones unless its bytes are right."""
        return set_file_aside(self._folder, key, sha256)

    def read(self, key: str) -> bytes:
        """Return all bytes."""
        return (self._folder / key).read_bytes()

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start`` on."""
        with (self._folder / key).open("rb", buffering=0) as file:
            file.seek(start)
            return file.read(length)

    def size(self, key: str) -> int:
        """Return the number of bytes."""
        return (self._folder / key).stat().st_size

    def presigned(self, key: str, valid_for: timedelta, headers: Mapping[str, str]) -> str | None:
        """Return None: nobody fetches from a folder."""
        del key, valid_for, headers
        return None

    def listed(self) -> Iterator[ListedObject]:
        """Yield every object, folder by folder."""
        for first in _names(self._folder):
            for second in _names(self._folder / first):
                yield from self._of(f"{first}/{second}")

    def remove_older(self, key: str, limit: datetime) -> bool:
        """Remove an object that was stored before ``limit``, by the very file that is removed."""
        return remove_file_older(self._folder, key, limit)

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
        """Remove an object."""
        (self._folder / key).unlink()

    def check(self) -> None:
        """Ask whether the folder may be written and read."""
        if not os.access(self._folder, os.R_OK | os.W_OK | os.X_OK):
            raise OSError(errno.EACCES, "no right to read and write")

    def _of(self, place: str) -> Iterator[ListedObject]:
        for name in _names(self._folder / place):
            sha256 = digest_of_key(f"{place}/{name}")
            if sha256 is None:
                continue
            try:
                found = (self._folder / place / name).stat()
            except FileNotFoundError:
                continue  # It has been removed meanwhile.
            yield ListedObject(sha256, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


def _names(folder: Path) -> list[str]:
    """Return the names in a folder; none when it is gone, or no folder."""
    try:
        return sorted(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
