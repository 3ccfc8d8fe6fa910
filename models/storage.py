"""Whether a file is there, and writing one so that a crash or a full disk never leaves half of it."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from models.errors import Unavailable

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


# ``pathlib`` answers these with an error where the system refuses an answer: a folder that may not be entered, a name
# that is too long. Whoever then opens the path tells the person what the system says of it.


def is_folder(path: Path) -> bool:
    """Say whether ``path`` is a folder; what the system gives no answer about is none."""
    return os.path.isdir(path)  # noqa: PTH112 - see above


def is_file(path: Path) -> bool:
    """Say whether ``path`` is a regular file; what the system gives no answer about is none."""
    return os.path.isfile(path)  # noqa: PTH113 - see above


def is_there(path: Path) -> bool:
    """Say whether anything is at ``path``; where the system gives no answer, nothing that could be used."""
    return os.path.exists(path)  # noqa: PTH110 - see above


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` so that the path holds either its old content or all of the new.

    Raises:
        Unavailable: ``file-disk-full`` when there is no room, ``file-not-written`` when the system refuses otherwise;
            the old content stays and nothing is left behind.
    """
    temporary: Path | None = None
    try:
        candidate = path.parent / f".{path.name}.{secrets.token_hex(6)}.part"
        handle = os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        temporary = candidate
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        raise not_written(path, error) from error


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

    Folders are made for the check alone and go again: work that comes to nothing leaves nothing behind.

    Raises:
        Unavailable: as ``make_folder``, and when no file can be made beside ``path``.
    """
    folders = (path.parent, *path.parent.parents)
    missing = [folder for folder in folders if not os.path.lexists(folder)]
    try:
        make_folder(path.parent)
        probe = path.parent / f".{path.name}.{secrets.token_hex(6)}.part"
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
    """Say whether the system refused for want of room: a full disk, a used-up quota, a limit on the size of files."""
    return error.errno in _NO_ROOM


def not_written(path: Path, error: OSError) -> Unavailable:
    """Return what to tell a person of the ``error`` that kept ``path`` from being written.

    ``file-disk-full`` when there is no room, else ``file-not-written``.
    """
    if no_room(error):
        return Unavailable("file-disk-full", file=path.name, folder=str(path.parent))
    reason = error.strerror or str(error)
    return Unavailable("file-not-written", file=path.name, folder=str(path.parent), reason=reason)


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut; Windows has no such call and needs none."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
