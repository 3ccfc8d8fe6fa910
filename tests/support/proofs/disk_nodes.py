"""Files and folders of a disk: as a process sees them, and what a power cut keeps of them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

_BLOCK = 4096


class Kept(StrEnum):
    """What a power cut keeps beside all that was synced.

    ``NOTHING``: nothing. ``NAMES``: the names of files, not their bytes, as file systems that write bytes late do.
    ``PIECES``: names, and any blocks of what was written.
    """

    NOTHING = "nothing"
    NAMES = "names"
    PIECES = "pieces"


@dataclass(eq=False)
class File:
    """A file's bytes: as the process sees them, and as they are on the disk.

    Attributes:
        data: as the process sees them.
        synced: as they are on the disk.
        flushed: number of the flush that brought them there.
        written: how many writes there were.
        loose: number, offset and length of each write since.
    """

    data: bytearray = field(default_factory=bytearray)
    synced: bytes = b""
    flushed: int = 0
    written: int = 0
    loose: list[tuple[int, int, int]] = field(default_factory=list)

    def write(self, offset: int, data: bytes) -> None:
        if len(self.data) < offset:
            self.data.extend(bytes(offset - len(self.data)))
        self.data[offset : offset + len(data)] = data
        self.written += 1
        self.loose.append((self.written, offset, len(data)))

    def seen(self) -> tuple[bytes, int]:
        return bytes(self.data), self.written

    def sync(self, seen: tuple[bytes, int]) -> None:
        self.synced, written = seen
        self.loose = [write for write in self.loose if write[0] > written]

    def after_cut(self, kept: Kept, chance: random.Random) -> bytes:
        if kept is not Kept.PIECES:
            return self.synced
        found = bytearray(self.synced)
        for _, start, length in self.loose:
            for offset in range(start, start + length, _BLOCK):
                end = min(offset + _BLOCK, start + length, len(self.data))
                if end > offset and chance.random() < 0.5:
                    found.extend(bytes(max(0, end - len(found))))
                    found[offset:end] = self.data[offset:end]
        return bytes(found)


@dataclass(eq=False)
class Folder:
    """A folder's entries: as the process sees them, and as they are on the disk; see ``File``."""

    entries: dict[str, File | Folder] = field(default_factory=dict)
    synced: dict[str, File | Folder] = field(default_factory=dict)
    flushed: int = 0

    def seen(self) -> dict[str, File | Folder]:
        return dict(self.entries)

    def sync(self, seen: dict[str, File | Folder]) -> None:
        self.synced = seen


def loaded(folder: Path) -> Folder:
    """Read a folder; all that is in it counts as synced."""
    found = Folder()
    for path in folder.iterdir():
        if path.is_dir():
            found.entries[path.name] = loaded(path)
        else:
            data = path.read_bytes()
            found.entries[path.name] = File(bytearray(data), data)
    found.sync(found.seen())
    return found


def written_to(folder: Folder, target: Path, kept: Kept, chance: random.Random) -> None:
    """Write to ``target`` what the disk has of a folder after a cut."""
    target.mkdir()
    for name, node in (folder.synced if kept is Kept.NOTHING else folder.entries).items():
        if isinstance(node, Folder):
            written_to(node, target / name, kept, chance)
        elif not name.endswith("-shm"):  # memory that SQLite's processes share; a start makes it anew
            (target / name).write_bytes(node.after_cut(kept, chance))
