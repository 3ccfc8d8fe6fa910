"""The station's store, opened for one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.station.workspace import Workspace


@contextmanager
def opened_store(store: Path | None, *, to_write: bool) -> Iterator[Workspace]:
    """Open the store; beside a running station without its lock, as every write here is a transaction of its own.

    Args:
        store: folder; None takes the setting.
        to_write: take the lock unless a station has it.

    Raises:
        NotFound: ``no-store``.
        UserFacingError: what ``Workspace.open`` raises.
    """
    from app.command_line import language, warn_about
    from app.station.settings import store_folder, unknown_in_file
    from app.station.store_layout import DATABASE
    from app.station.workspace import Workspace
    from models.errors import Conflict, NotFound

    folder = store_folder(store)
    if not (folder / DATABASE).is_file():
        raise NotFound("no-store", folder=str(folder))
    try:
        workspace = Workspace.open(folder, exclusive=to_write)
    except Conflict as error:
        if error.code != "store-in-use":
            raise
        workspace = Workspace.open(folder, exclusive=False)
    workspace.text_language = language()
    for found in unknown_in_file(folder):
        warn_about(found)
    try:
        yield workspace
    finally:
        workspace.close()
