"""Files on disk: presence, durable and atomic writes, refusals for want of room, SHA-256 digests.

A durable write is always four steps: write under a temporary name, fsync the file, rename it, fsync its folder.
A crash or a full disk at any moment leaves the old content or the new one, never a part of either.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from models.errors import Unavailable

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PIECE_BYTES = 1024 * 1024
LONGEST_FILE_NAME = 255
"""Most bytes of a file's name on the common file systems."""
_LONGEST_TEMPORARY_STEM = 120


# ``pathlib`` raises for these where the system refuses an answer: a folder that may not be entered, a name that is too
# long. Whoever opens the path afterwards reports the system's reason.


def is_folder(path: Path) -> bool:
    """Return whether ``path`` is a folder; False where the system gives no answer."""
    return os.path.isdir(path)  # noqa: PTH112 - see above


def is_file(path: Path) -> bool:
    """Return whether ``path`` is a regular file; False where the system gives no answer."""
    return os.path.isfile(path)  # noqa: PTH113 - see above


def is_there(path: Path) -> bool:
    """Return whether anything usable is at ``path``; False where the system gives no answer."""
    return os.path.exists(path)  # noqa: PTH110 - see above


def is_link(path: Path) -> bool:
    """Return whether ``path`` is a link, also one that leads nowhere; False where the system gives no answer."""
    return os.path.islink(path)  # noqa: PTH114 - see above


@contextlib.contextmanager
def replacing(path: Path, *, temporary: Path | None = None, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces ``path`` durably when the block ends without an error.

    Args:
        path: the file to make or replace; its folder must exist.
        temporary: name to write under, in the same folder; a hidden one with a random part by default.
        mode: permissions of the file, before the umask.

    Raises:
        OSError: when the system refuses. After this and any other error of the block ``path`` keeps its old content and
            the temporary file is removed.
    """
    with _durable(temporary or _temporary_beside(path), mode) as (written, file):
        yield file
        sync_file(file)
        file.close()  # Windows renames no open file
        written.replace(path)
        sync_path(path.parent)


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` so that the path holds either its old content or all of the new.

    Raises:
        Unavailable: ``file-disk-full`` when there is no room, ``file-not-written`` when the system refuses otherwise;
            the old content stays and nothing is left behind.
    """
    try:
        with replacing(path) as file:
            file.write(data)
    except OSError as error:
        raise not_written(path, error) from error


def create_once(path: Path, data: bytes, *, mode: int = 0o666) -> bool:
    """Write ``data`` durably to ``path`` unless something is there already; of several writers at once one wins.

    Returns:
        Whether this call made the file.

    Raises:
        OSError: when the system refuses.
    """
    with _durable(_temporary_beside(path), mode) as (written, file):
        file.write(data)
        sync_file(file)
        file.close()
        try:
            path.hardlink_to(written)
        except FileExistsError:
            return False
        sync_path(path.parent)
    return True


def move_durably(source: Path, target: Path) -> None:
    """Rename a complete file to ``target``, whose folder must exist; its bytes are on the disk before the new name is.

    Raises:
        OSError: when the system refuses.
    """
    with source.open("rb+") as file:
        sync_file(file)
    source.replace(target)
    sync_path(target.parent)


def sync_file(file: BinaryIO) -> None:
    """Flush an open file to the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_path(path: Path) -> None:
    """Flush a closed file, or the entries of a folder, to the disk.

    Windows has no such call: there a file is flushed while it is open, and NTFS's journal keeps the entries of folders.
    """
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make ``folder``, with those above it, unless it is there.

    Raises:
        Unavailable: ``file-disk-full``, or ``file-not-written`` when the system refuses or a file has that name.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_written(folder, error) from error


def require_writable(path: Path) -> None:
    """Check, before long work, that ``make_folder`` and ``write_atomically`` will be able to make ``path``.

    Folders made for the check are removed again: failed work leaves nothing behind.

    Raises:
        Unavailable: as ``make_folder``, and when no file can be made beside ``path``.
    """
    folders = (path.parent, *path.parent.parents)
    missing = [folder for folder in folders if not os.path.lexists(folder)]
    try:
        make_folder(path.parent)
        probe = _temporary_beside(path)
        try:
            os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            probe.unlink()
        except OSError as error:
            raise not_written(path, error) from error
    finally:
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()


def no_room(error: OSError) -> bool:
    """Return whether the system refused for want of room: disk full, quota used up, file size limited."""
    return error.errno in _NO_ROOM


def reason_of(error: OSError) -> str:
    """Return the system's own words for an error."""
    return error.strerror or str(error)


def folder_reason(error: OSError) -> str:
    """Return the system's own words for an error that kept a folder from being made or used."""
    # Of a file in the folder's place the system says, when it is to make the folder, only that it exists.
    return os.strerror(errno.ENOTDIR) if isinstance(error, FileExistsError) else reason_of(error)


def not_written(path: Path, error: OSError) -> Unavailable:
    """Return the user-facing error for an ``error`` that kept ``path`` from being written.

    ``file-disk-full`` when there is no room, else ``file-not-written``.
    """
    if no_room(error):
        return Unavailable("file-disk-full", file=path.name, folder=str(path.parent))
    return Unavailable("file-not-written", file=path.name, folder=str(path.parent), reason=reason_of(error))


def sha256_of(data: bytes | memoryview) -> str:
    """Return the SHA-256 digest of ``data``, 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_of_pieces(pieces: Iterable[bytes]) -> str:
    """Return the SHA-256 digest of the pieces joined; see ``sha256_of``."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 digest of a file's bytes, read in pieces; see ``sha256_of``.

    Raises:
        OSError: when the file cannot be read.
    """
    with path.open("rb") as file:
        return sha256_of_pieces(pieces_of(file))


def pieces_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield what is left of an open file in pieces of at most 1 MiB."""
    while piece := file.read(_PIECE_BYTES):
        yield piece


def is_digest(text: str) -> bool:
    """Return whether ``text`` is a SHA-256 digest as ``sha256_of`` returns it."""
    return _DIGEST.fullmatch(text) is not None


def cut_to_bytes(name: str, room: int) -> str:
    """Return the beginning of a file's name that has at most ``room`` bytes; no character is cut in two."""
    return os.fsencode(name)[:room].decode(errors="ignore") if len(os.fsencode(name)) > room else name


def _temporary_beside(path: Path) -> Path:
    # Also beside a name that is as long as the system allows.
    stem = cut_to_bytes(path.name, _LONGEST_TEMPORARY_STEM)
    return path.parent / f".{stem}.{secrets.token_hex(6)}.part"


@contextlib.contextmanager
def _durable(temporary: Path, mode: int) -> Iterator[tuple[Path, BinaryIO]]:
    """Open a new file; whatever is still there under its name when the block ends is removed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(temporary, flags, mode), "wb")
    try:
        with file:
            yield temporary, file
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
