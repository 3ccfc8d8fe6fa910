"""Writing files so that a crash or a full disk never leaves half of one."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from models.errors import Unavailable

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


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
        if error.errno in _NO_ROOM:
            raise Unavailable("file-disk-full", file=path.name, folder=str(path.parent)) from error
        raise Unavailable(
            "file-not-written", file=path.name, folder=str(path.parent), reason=error.strerror or str(error)
        ) from error


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut; Windows has no such call and needs none."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
