"""The server's data folder."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from models.errors import Unavailable
from models.storage import folder_reason, no_room


def prepare_data_dir(folder: Path) -> None:
    """Make the data folder, readable for this user alone.

    Raises:
        Unavailable: ``disk-full`` or ``server-data-dir`` when the system refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise data_dir_unusable(folder, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Unavailable("server-data-dir", folder=str(folder), reason=os.strerror(errno.EACCES))


def require_no_obstacle(folder: Path) -> None:
    """Check that no file stands in the way of the data folder; nothing is made, nor tried whether it could be.

    Raises:
        Unavailable: ``server-data-dir`` for a file in its place, or in that of a folder above it.
    """
    try:
        if not stat.S_ISDIR(folder.stat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    except FileNotFoundError:
        return
    except OSError as error:
        raise data_dir_unusable(folder, error) from error


def data_dir_unusable(folder: Path, error: OSError) -> Unavailable:
    """Return the user-facing error for an ``error`` that kept the data folder, or a file in it, from being used."""
    if no_room(error):
        return Unavailable("disk-full")
    return Unavailable("server-data-dir", folder=str(folder), reason=folder_reason(error))
