"""Copies of a server's store, put back as an administrator does who knows nothing but files."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.sync_stores import ServerStore


class Backup:
    """A copy of a server's store and objects, put back later as an administrator would."""

    def __init__(self, server: ServerStore, folder: Path, *, objects: bool = True) -> None:
        self._server = server
        self._database = Path(str(server.database.url).removeprefix("sqlite:///"))
        self._objects = self._database.parent / "objects"
        self._kept, self._with_objects = folder, objects
        folder.mkdir()
        self._settle()
        shutil.copyfile(self._database, folder / "store")
        shutil.copytree(self._objects, folder / "objects", dirs_exist_ok=True)

    def restore(self) -> None:
        self._settle()
        shutil.copyfile(self._kept / "store", self._database)
        if self._with_objects:
            shutil.rmtree(self._objects)
            shutil.copytree(self._kept / "objects", self._objects)

    def _settle(self) -> None:
        """Bring everything into the one file that is copied."""
        self._server.database.engine.dispose()
        with closing(sqlite3.connect(self._database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
