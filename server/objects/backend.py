"""What an object store needs of the place that its objects are in; keys are those of ``server.objects.keys``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol


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


class Backend(Protocol):
    """A local folder or a bucket; safe to use from several threads.

    Every call may raise ``OSError``: ``FileNotFoundError`` for an object that is not there.
    """

    arriving: Path | None
    """Folder for objects that are on their way; None takes the system's folder of temporary files."""

    def put_made(self, pieces: Sequence[bytes | memoryview], key: str) -> None:
        """Keep an object that can be made again."""
        ...

    def put_many(self, contents: Mapping[str, bytes]) -> None:
        """Keep objects by key, so that they last through a power cut."""
        ...

    def put_file(self, key: str, path: Path) -> None:
        """Keep the bytes of a file, streamed."""
        ...

    def take_file(self, key: str, path: Path) -> None:
        """Keep the bytes of a file of ``arriving``, which may be moved."""
        ...

    def keep(self, key: str, sha256: str) -> bool:
        """Return whether an object is there with the right bytes, and let it last through a power cut.

        One that is damaged is set aside.
        """
        ...

    def set_aside(self, key: str, sha256: str) -> bool:
        """Keep a damaged object under another name, and return whether it was: one with the right bytes stays."""
        ...

    def read(self, key: str) -> bytes:
        """Return all bytes."""
        ...

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start`` on."""
        ...

    def size(self, key: str) -> int:
        """Return the number of bytes."""
        ...

    def presigned(self, key: str, valid_for: timedelta, headers: Mapping[str, str]) -> str | None:
        """Return an address from which a client fetches the object itself; None where there is none.

        Headers of the answer, by their names in small letters, are left out where the address cannot have them.
        """
        ...

    def listed(self) -> Iterator[ListedObject]:
        """Yield every object, in memory for a small part of them."""
        ...

    def remove_older(self, key: str, limit: datetime) -> bool:
        """Remove an object that was stored before ``limit``, and return whether it was."""
        ...

    def removed(self) -> Iterator[ListedObject]:
        """Yield the removed objects that can be brought back, with the time of their removal."""
        ...

    def bring_back(self, key: str) -> bool:
        """Bring a removed object back, and return whether it could be."""
        ...

    def forget_removed(self, key: str) -> None:
        """Let a removed object go for good."""
        ...

    def remove_unfinished(self, limit: datetime) -> None:
        """Remove what was on its way and has been left since ``limit``."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object."""
        ...

    def check(self) -> None:
        """Raise ``OSError`` when nothing can be stored or listed."""
        ...
