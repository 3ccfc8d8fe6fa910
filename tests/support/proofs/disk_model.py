"""A file system of which a power cut keeps what was synced: a process's calls, replayed from its trace."""

from __future__ import annotations

import itertools
import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.proofs.disk_nodes import File, Folder, Kept, loaded, written_to
from tests.support.proofs.disk_trace import Call

SYNCS = frozenset({"fsync", "fdatasync"})
_FOLLOWED = frozenset(
    {"writev", "pwritev", "pwritev2", "copy_file_range", "sendfile", "fallocate", "dup", "dup2", "dup3"}
)


@dataclass(frozen=True)
class _Flush:
    """What a flush that goes on brings to the disk: what was there when it began, not what is written meanwhile."""

    number: int
    node: File | Folder
    seen: Any


@dataclass(eq=False)
class _Handle:
    path: str
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
        self.top = loaded(root)
        self._handles: dict[int, _Handle] = {}
        self._flushes: dict[str, _Flush] = {}
        self._numbers = itertools.count(1)

    def apply(self, call: Call) -> None:
        """Take in one call, as it begins and as it ends; those outside the folder change nothing here."""
        if not call.ended:
            self._begun(call)
            return
        if call.name in _FOLLOWED:
            assert self._handles.get(call.number(0)) is None, f"{call.name} on a file here is not modelled"
            return
        done = getattr(self, f"_{call.name}", None)
        assert done is not None, f"{call.name} is not modelled"
        done(call)

    def _begun(self, call: Call) -> None:
        # A number is free from then on, and another thread's file may have it before this call has ended.
        if call.name == "close":
            self._handles.pop(call.number(0), None)
        if call.name in SYNCS:
            handle = self._handles.get(call.number(0))
            if handle is None:
                self._flushes.pop(call.thread, None)
            else:
                self._flushes[call.thread] = _Flush(next(self._numbers), handle.node, handle.node.seen())

    def after_cut(self, target: Path, kept: Kept, seed: int) -> None:
        """Write to ``target`` what the disk has when the power fails now."""
        chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        written_to(self.top, target, kept, chance)

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

    def _at(self, call: Call, folder: int, name: int) -> str:
        """The path of an argument that may be relative to an open folder."""
        path = call.path(name)
        if Path(path).is_absolute() or call.given[folder] == "AT_FDCWD":
            return path
        handle = self._handles.get(call.number(folder))
        return path if handle is None else os.path.join(handle.path, path)  # noqa: PTH118 - as the system does

    def _openat(self, call: Call) -> None:
        self._opened(self._at(call, 0, 1), call.given[2], call.result)

    def _open(self, call: Call) -> None:
        self._opened(call.path(0), call.given[1], call.result)

    def _opened(self, path: str, flags: str, handle: int | None) -> None:
        assert handle is not None
        assert handle not in self._handles, f"{path} is opened under the number of a file that is open"
        place = self._place(path)
        if place is None:
            return
        folder, name = place
        node: File | Folder | None = folder.entries.get(name) if name else folder
        assert "O_TMPFILE" not in flags, "a file without a name is not modelled"
        if node is None:
            assert "O_CREAT" in flags, f"{path} is opened and was never made"
            node = folder.entries[name] = File()
        elif "O_TRUNC" in flags and isinstance(node, File):
            node.data.clear()
        self._handles[handle] = _Handle(path, node, appends="O_APPEND" in flags)

    def _close(self, call: Call) -> None:
        """Nothing: see ``_begun``."""

    def _read(self, call: Call) -> None:
        handle = self._handles.get(call.number(0))
        if handle is not None:
            handle.offset += call.result or 0

    def _lseek(self, call: Call) -> None:
        handle = self._handles.get(call.number(0))
        if handle is not None:
            handle.offset = call.result or 0

    def _write(self, call: Call) -> None:
        handle = self._handles.get(call.number(0))
        if handle is None or not isinstance(handle.node, File):
            return
        if handle.appends:
            handle.offset = len(handle.node.data)
        handle.node.write(handle.offset, call.data(1)[: call.result])
        handle.offset += call.result or 0

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
        flush = self._flushes.pop(call.thread, None)
        # One that began later may have ended before, and has brought more.
        if flush is not None and flush.number > flush.node.flushed:
            flush.node.flushed = flush.number
            flush.node.sync(flush.seen)

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
        self._renamed(self._at(call, 0, 1), self._at(call, 2, 3))

    _renameat2 = _renameat

    def _linked(self, old: str, new: str) -> None:
        node, place = self._node(old), self._place(new)
        if node is not None and place is not None:
            place[0].entries[place[1]] = node

    def _link(self, call: Call) -> None:
        self._linked(call.path(0), call.path(1))

    def _linkat(self, call: Call) -> None:
        self._linked(self._at(call, 0, 1), self._at(call, 2, 3))

    def _removed(self, path: str) -> None:
        place = self._place(path)
        if place is not None:
            del place[0].entries[place[1]]

    def _unlink(self, call: Call) -> None:
        self._removed(call.path(0))

    _rmdir = _unlink

    def _unlinkat(self, call: Call) -> None:
        self._removed(self._at(call, 0, 1))

    def _made(self, path: str) -> None:
        place = self._place(path)
        if place is not None:
            place[0].entries[place[1]] = Folder()

    def _mkdir(self, call: Call) -> None:
        self._made(call.path(0))

    def _mkdirat(self, call: Call) -> None:
        self._made(self._at(call, 0, 1))
