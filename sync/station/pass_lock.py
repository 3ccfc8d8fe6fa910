"""Never two passes at a time on one store, whichever processes ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import Conflict, Unavailable
from models.file_lock import locked_file
from models.storage import reason_of


@contextmanager
def only_pass(path: Path) -> Iterator[None]:
    """Hold the lock file ``path`` for the block; the file itself stays and means nothing.

    Raises:
        Conflict: ``sync-already-running`` when another process has it.
        Unavailable: ``blob-not-written`` when the file cannot be made.
    """
    try:
        file = locked_file(path)
    except OSError as error:
        reason = reason_of(error)
        raise Unavailable("blob-not-written", folder=str(path.parent), reason=reason) from error
    if file is None:
        raise Conflict("sync-already-running")
    with file:
        yield
