"""A file system of which a power cut keeps what was synced: a process's calls, replayed from its trace."""

from __future__ import annotations

import ast
import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

CALLS = (
    "openat,open,creat,close,read,write,pwrite64,writev,pwritev,pwritev2,lseek,fsync,fdatasync,ftruncate,truncate,"
    "rename,renameat,renameat2,link,linkat,symlink,unlink,unlinkat,mkdir,mkdirat,rmdir,copy_file_range,sendfile,"
    "fallocate,dup,dup2,dup3"
)
"""What ``strace`` has to show of the process."""
_LINE = re.compile(r"^(?P<thread>\d+) +(?P<call>\w+)\((?P<given>.*)\) += (?P<result>-?\d+)")
_BEGUN = re.compile(r"^(?P<thread>\d+) +(?P<text>\w+\(.*) <unfinished \.\.\.>$")
_ENDED = re.compile(r"^(?P<thread>\d+) +<\.\.\. \w+ resumed>(?P<text>.*)$")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_BLOCK = 4096
_FOLLOWED = frozenset(
    {"writev", "pwritev", "pwritev2", "copy_file_range", "sendfile", "fallocate", "dup", "dup2", "dup3"}
)


@dataclass(frozen=True)
class Call:
    """One call of the system that succeeded: its name, its arguments as text, what it returned."""

    name: str
    given: tuple[str, ...]
    result: int

    def number(self, place: int) -> int:
        return int(self.given[place], 0)

    def data(self, place: int) -> bytes:
        found = _TEXT.fullmatch(self.given[place])
        assert found is not None, self
        assert found[2] is None, "the trace was cut short"
        return ast.literal_eval(f'b"{found[1]}"')

    def path(self, place: int) -> str:
        return os.fsdecode(self.data(place))


def calls_of(trace: Path) -> Iterator[Call]:
    """Yield the calls of a trace in the order in which they ended."""
    begun: dict[str, str] = {}
    with trace.open(encoding="ascii") as lines:
        for line in lines:
            text = line.rstrip("\n")
            if found := _BEGUN.match(text):
                begun[found["thread"]] = found["text"]
                continue
            if found := _ENDED.match(text):
                text = f"{found['thread']} {begun.pop(found['thread'])}{found['text']}"
            whole = _LINE.match(text)
            if whole is not None and int(whole["result"]) >= 0:
                # No argument that is followed here has a comma within: texts are in hexadecimal form.
                yield Call(whole["call"], tuple(whole["given"].split(", ")), int(whole["result"]))


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
    """A file's bytes: as the process sees them, and as they are on the disk; ``loose`` are places written since."""

    data: bytearray = field(default_factory=bytearray)
    synced: bytes = b""
    loose: list[tuple[int, int]] = field(default_factory=list)

    def write(self, offset: int, data: bytes) -> None:
        if len(self.data) < offset:
            self.data.extend(bytes(offset - len(self.data)))
        self.data[offset : offset + len(data)] = data
        self.loose.append((offset, len(data)))

    def sync(self) -> None:
        self.synced = bytes(self.data)
        self.loose.clear()

    def after_cut(self, kept: Kept, chance: random.Random) -> bytes:
        if kept is not Kept.PIECES:
            return self.synced
        found = bytearray(self.synced)
        for start, length in self.loose:
            for offset in range(start, start + length, _BLOCK):
                end = min(offset + _BLOCK, start + length, len(self.data))
                if end > offset and chance.random() < 0.5:
                    found.extend(bytes(max(0, end - len(found))))
                    found[offset:end] = self.data[offset:end]
        return bytes(found)


@dataclass(eq=False)
class Folder:
    """A folder's entries: as the process sees them, and as they are on the disk."""

    entries: dict[str, File | Folder] = field(default_factory=dict)
    synced: dict[str, File | Folder] = field(default_factory=dict)

    def sync(self) -> None:
        self.synced = dict(self.entries)


@dataclass(eq=False)
class _Handle:
    node: File | Folder
    offset: int = 0
    appends: bool = False


class DiskModel:
    """A folder as it was before the process began, and what the process's calls make of it.

    Args:
        root: the folder; everything in it counts as synced.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.top = _loaded(root)
        self._handles: dict[int, _Handle] = {}

    def apply(self, call: Call) -> None:
        """Take in one call; those outside the folder change nothing here."""
        if call.name in _FOLLOWED:
            assert self._handles.get(call.number(0)) is None, f"{call.name} on a file here is not modelled"
            return
        done = getattr(self, f"_{call.name}", None)
        assert done is not None, f"{call.name} is not modelled"
        done(call)

    def after_cut(self, target: Path, kept: Kept, seed: int) -> None:
        """Write to ``target`` what the disk has when the power fails now."""
        chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        _written(self.top, target, kept, chance)

    def _place(self, path: str) -> tuple[Folder, str] | None:
        try:
            parts = Path(os.path.normpath(path)).relative_to(self.root).parts
        except ValueError:
            return None
        folder = self.top
        for part in parts[:-1]:
            inner = folder.entries[part]
            assert isinstance(inner, Folder)
            folder = inner
        return folder, parts[-1] if parts else ""

    def _node(self, path: str) -> File | Folder | None:
        place = self._place(path)
        if place is None:
            return None
        return place[0].entries[place[1]] if place[1] else place[0]

    def _openat(self, call: Call) -> None:
        self._opened(call.path(1), call.given[2], call.result)

    def _open(self, call: Call) -> None:
        self._opened(call.path(0), call.given[1], call.result)

    def _opened(self, path: str, flags: str, handle: int) -> None:
        self._handles.pop(handle, None)
        place = self._place(path)
        if place is None:
            return
        folder, name = place
        node: File | Folder | None = folder.entries.get(name) if name else folder
        if node is None:
            node = folder.entries[name] = File()
        elif "O_TRUNC" in flags and isinstance(node, File):
            node.data.clear()
            node.loose.append((0, 0))
        self._handles[handle] = _Handle(node, appends="O_APPEND" in flags)

    def _close(self, call: Call) -> None:
        self._handles.pop(call.number(0), None)

    def _read(self, call: Call) -> None:
        handle = self._handles.get(call.number(0))
        if handle is not None:
            handle.offset += call.result

    def _lseek(self, call: Call) -> None:
        handle = self._handles.get(call.number(0))
        if handle is not None:
            handle.offset = call.result

    def _write(self, call: Call) -> None:
        handle = self._handles.get(call.number(0))
        if handle is None or not isinstance(handle.node, File):
            return
        if handle.appends:
            handle.offset = len(handle.node.data)
        handle.node.write(handle.offset, call.data(1)[: call.result])
        handle.offset += call.result

    def _pwrite64(self, call: Call) -> None:
        handle = self._handles.get(call.number(0))
        if handle is not None and isinstance(handle.node, File):
            handle.node.write(call.number(3), call.data(1)[: call.result])

    def _ftruncate(self, call: Call) -> None:
        handle = self._handles.get(call.number(0))
        if handle is not None and isinstance(handle.node, File):
            size, data = call.number(1), handle.node.data
            del data[size:]
            data.extend(bytes(size - len(data)))

    def _fsync(self, call: Call) -> None:
        handle = self._handles.get(call.number(0))
        if handle is not None:
            handle.node.sync()

    _fdatasync = _fsync

    def _renamed(self, old: str, new: str) -> None:
        source, target = self._place(old), self._place(new)
        if source is None or target is None:
            assert source is target, "a file is moved into the folder or out of it"
            return
        target[0].entries[target[1]] = source[0].entries.pop(source[1])

    def _rename(self, call: Call) -> None:
        self._renamed(call.path(0), call.path(1))

    def _renameat(self, call: Call) -> None:
        self._renamed(call.path(1), call.path(3))

    _renameat2 = _renameat

    def _linked(self, old: str, new: str) -> None:
        node, place = self._node(old), self._place(new)
        if node is not None and place is not None:
            place[0].entries[place[1]] = node

    def _link(self, call: Call) -> None:
        self._linked(call.path(0), call.path(1))

    def _linkat(self, call: Call) -> None:
        self._linked(call.path(1), call.path(3))

    def _removed(self, path: str) -> None:
        place = self._place(path)
        if place is not None:
            del place[0].entries[place[1]]

    def _unlink(self, call: Call) -> None:
        self._removed(call.path(0))

    _rmdir = _unlink

    def _unlinkat(self, call: Call) -> None:
        self._removed(call.path(1))

    def _made(self, path: str) -> None:
        place = self._place(path)
        if place is not None:
            place[0].entries[place[1]] = Folder()

    def _mkdir(self, call: Call) -> None:
        self._made(call.path(0))

    def _mkdirat(self, call: Call) -> None:
        self._made(call.path(1))


def _loaded(folder: Path) -> Folder:
    found = Folder()
    for path in folder.iterdir():
        if path.is_dir():
            found.entries[path.name] = _loaded(path)
        else:
            data = path.read_bytes()
            found.entries[path.name] = File(bytearray(data), data)
    found.sync()
    return found


def _written(folder: Folder, target: Path, kept: Kept, chance: random.Random) -> None:
    target.mkdir()
    for name, node in (folder.synced if kept is Kept.NOTHING else folder.entries).items():
        if isinstance(node, Folder):
            _written(node, target / name, kept, chance)
        elif not name.endswith("-shm"):  # memory that SQLite's processes share; a start makes it anew
            (target / name).write_bytes(node.after_cut(kept, chance))
