"""Writing objects into a local folder: no name appears before its bytes are on the disk."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime
from functools import cache
from io import FileIO
from pathlib import Path
from typing import TypeVar

from models.storage import sha256_of_file, sync_file, sync_path

ARRIVING = ".arriving"
"""Folder for objects that are on their way; no key begins with a dot."""
DAMAGED = "damaged"
"""Folder for objects that were found damaged; no key begins with it."""
_AT_ONCE = 8
"""Files flushed at the same time by this process: a file system commits what it is asked for together."""
_FEW = 6
"""So many are flushed one after the other: the threads that are woken to flush them at the same time take more of the
processors than the flushes. A single writer waits a little longer for it, on a disk that takes a millisecond or less to
flush (docs/executions.md)."""
_PIECE = 256 * 1024
"""Bytes of one write: more at once makes Linux look for larger pieces of free memory, which can take 10 ms."""
_MOST_REMEMBERED = 20_000
_CANNOT_RESERVE = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
"""What ``posix_fallocate`` fails with where the file system does not know it."""
_T = TypeVar("_T")
_flushed: set[str] = set()
"""Folders that are in a folder above which was flushed since: what is new in one of them needs its own flush alone."""


def write_objects(folder: Path, contents: Mapping[str, bytes | Path]) -> None:
    """Write objects: all files are flushed, then all get their names, then their folders are flushed.

    The folders above are flushed with the first object of a folder that this process writes.

    Args:
        folder: of the store.
        contents: bytes, or a file that has them, by key.

    Raises:
        OSError: when the system refuses; what has a name by then is whole and stays.
    """
    arriving = folder / ARRIVING
    written = {key: arriving / f"{secrets.token_hex(8)}.part" for key in contents}
    try:
        _each(lambda key: _write(written[key], contents[key]), contents)
        for key, path in written.items():
            _rename(path, folder / key)
        _flush_folders(folder, {(folder / key).parent for key in contents})
    except BaseException:
        for path in written.values():
            path.unlink(missing_ok=True)
        raise


def write_made(folder: Path, pieces: Sequence[bytes | memoryview], key: str) -> None:
    """Write an object that can be made again, under a name that is new: nothing is flushed.

    Args:
        folder: of the store.
        pieces: of its bytes.
        key: of the object.

    Raises:
        OSError: when the system refuses.
    """
    path = folder / ARRIVING / f"{secrets.token_hex(8)}.part"
    try:
        with _new_file(path) as file:
            _reserve(file, sum(len(piece) for piece in pieces))
            _write_all(file, *pieces)
        _rename(path, folder / key)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def keep_lasting(folder: Path, key: str, sha256: str) -> bool:
    """Flush an object that is there, and return whether it is; a damaged one is set aside.

    Whoever stored it may be doing so in this moment, or may have ended before it was flushed.

    Args:
        folder: of the store.
        key: of the object.
        sha256: digest of its bytes.

    Raises:
        OSError: when the system refuses.
    """
    path = folder / key
    try:
        if sha256_of_file(path) != sha256:
            set_file_aside(folder, key, sha256)
            return False
        sync_path(path)
    except FileNotFoundError:
        return False
    _each(sync_path, _folders(folder, [key]))
    return True


def set_file_aside(folder: Path, key: str, sha256: str) -> bool:
    """Move a damaged object to where nobody looks for it, and return whether it was; a good one stays.

    Args:
        folder: of the store.
        key: of the object.
        sha256: digest that its bytes should have.

    Raises:
        OSError: ``FileNotFoundError`` for an object that is not there, or when the system refuses.
    """
    path, aside = folder / key, folder / DAMAGED / f"{sha256}-{secrets.token_hex(4)}"
    aside.parent.mkdir(exist_ok=True)
    # Moved first, then read: whoever stores the object meanwhile writes another file.
    path.rename(aside)
    if sha256_of_file(aside) == sha256:
        sync_path(aside)
        aside.replace(path)
        sync_path(path.parent)
        return False
    sync_path(aside.parent)
    sync_path(path.parent)
    return True


def remove_file_older(folder: Path, key: str, limit: datetime) -> bool:
    """Remove an object unless it was written at ``limit`` or later, and return whether it was removed.

    Args:
        folder: of the store.
        key: of the object.
        limit: an aware time.

    Raises:
        OSError: ``FileNotFoundError`` for an object that is not there, or when the system refuses.
    """
    target, taken = folder / key, folder / ARRIVING / f"{secrets.token_hex(8)}.part"
    taken.parent.mkdir(parents=True, exist_ok=True)
    # Taken away first: whoever writes it now writes another file, and this one's time does not change any more.
    target.rename(taken)
    if taken.stat().st_mtime >= limit.timestamp():
        taken.replace(target)
        sync_path(target.parent)
        return False
    taken.unlink()
    return True


def remove_unfinished(folder: Path, limit: datetime) -> None:
    """Remove what was on its way to the store and has not been written to since ``limit``: its process has ended.

    Args:
        folder: of the store.
        limit: an aware time.

    Raises:
        OSError: when the system refuses.
    """
    for path in (folder / ARRIVING).glob("*.part"):
        try:
            if path.stat().st_mtime < limit.timestamp():
                path.unlink()
        except FileNotFoundError:
            continue  # It has arrived meanwhile.


def _folders(folder: Path, keys: Iterable[str]) -> set[Path]:
    """Return the folders that hold new names: those of the keys, and those above, which may be new themselves."""
    found = {folder}
    for key in keys:
        parent = (folder / key).parent
        while parent not in found:
            found.add(parent)
            parent = parent.parent
    return found


def _flush_folders(folder: Path, changed: set[Path]) -> None:
    """Flush folders with new names, and those above them unless that has been done since they are there."""
    new: set[Path] = set()
    for place in changed:
        above = place
        while above != folder and str(above) not in _flushed:
            new.add(above)
            above = above.parent
    _each(sync_path, changed | {place.parent for place in new})
    if len(_flushed) > _MOST_REMEMBERED:
        _flushed.clear()
    _flushed.update(map(str, new))


def _rename(path: Path, target: Path) -> None:
    try:
        path.replace(target)
    except FileNotFoundError:
        for place in target.parents:
            if place.is_dir():
                break
            _flushed.discard(str(place))  # Somebody has removed it: made again, it is flushed again.
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)


def _new_file(path: Path) -> FileIO:
    try:
        return path.open("xb", buffering=0)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("xb", buffering=0)


def _write(path: Path, content: bytes | Path) -> None:
    with _new_file(path) as file:
        if isinstance(content, Path):
            with content.open("rb") as source:
                shutil.copyfileobj(source, file, _PIECE)
        else:
            _write_all(file, content)
        sync_file(file)


def _reserve(file: FileIO, size: int) -> None:
    """Take room on the disk for all of a large file: taken by each write, it is a third of the time of writing.

    Systems and file systems that cannot reserve take the room with each write.

    Raises:
        OSError: when there is none.
    """
    if size <= _PIECE or not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        if error.errno not in _CANNOT_RESERVE:
            raise


def _write_all(file: FileIO, *pieces: bytes | memoryview) -> None:
    """Write into an empty file; but for the first of a piece, writes begin at multiples of ``_PIECE``: whole pages."""
    room = _PIECE
    for piece in pieces:
        left = memoryview(piece)
        while left:
            written = file.write(left[:room])
            left = left[written:]
            room = room - written or _PIECE


def _each(work: Callable[[_T], None], things: Iterable[_T]) -> None:
    """Do ``work`` with each thing: with a few in turn, with more at the same time, as flushes mostly wait.

    The first error is raised; others under way at the same time end first.
    """
    first, *others = things
    if len(others) < _FEW:
        for one in (first, *others):
            work(one)
        return
    under_way = [_threads().submit(work, one) for one in others]
    try:
        work(first)
    finally:
        wait(under_way)
    for done in under_way:
        done.result()


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="ThreadPoolExecutor-flushes")
