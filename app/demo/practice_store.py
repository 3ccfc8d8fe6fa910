"""The demo's practice store: made for each run, beside the real store and never it."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.station.settings import demo_store, folder_unusable
from app.station.store_layout import DATABASE
from app.station.store_lock import StoreLock
from models.clock import rfc3339, utc_now
from models.database import Database
from models.errors import Conflict, InvalidInput
from models.storage import not_written

MARKER = "practice-store.json"
"""A folder without this file is not the demo's, and is never cleared."""
_LOCK = "demo.lock"
_ASIDE = ".demo-"


class PracticeStore:
    """The folder of one demo run and the lock that keeps a second demo out.

    Attributes:
        folder: the station's store, with the server's data and the drawn parts below it.
    """

    def __init__(self, store: Path) -> None:
        self._above = store
        self.folder = demo_store(store)
        self._lock = StoreLock(store / _LOCK)

    @property
    def server_data(self) -> Path:
        """Data folder of the demo's server."""
        return self.folder / "server"

    @property
    def parts(self) -> Path:
        """Folder of the drawn parts."""
        return self.folder / "parts"

    def open(self) -> None:
        """Take the lock and put an empty store in the place of an earlier run's.

        Raises:
            Conflict: ``demo-running``.
            InvalidInput: ``demo-foreign-folder`` when something else lies there.
            Unavailable: ``file-disk-full`` or ``file-not-written`` when the folders cannot be made.
        """
        self.reserve()
        self.renew()

    def reserve(self) -> None:
        """Take the lock; an earlier run's store stays as it is until everything else is known to be right.

        Raises:
            Conflict: ``demo-running``.
            InvalidInput: ``demo-foreign-folder`` when something else lies there.
            Unavailable: ``store-folder-unusable`` when the folder above is a file, ``file-disk-full`` or
                ``file-not-written`` when it cannot be made.
        """
        with self._closed_on_failure():
            self._make_above()
            self._take_lock()
            if self.folder.exists() and any(self.folder.iterdir()) and not (self.folder / MARKER).is_file():
                raise InvalidInput("demo-foreign-folder", folder=str(self.folder))

    def _make_above(self) -> None:
        try:
            self._above.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise folder_unusable(self._above, error) from error

    def require_outside(self, *folders: Path) -> None:
        """Check that no folder the person has named goes away with the earlier run's store.

        Raises:
            InvalidInput: ``demo-inside-practice-store``.
        """
        own = self.folder.resolve()
        for folder in folders:
            if folder.resolve().is_relative_to(own):
                raise InvalidInput("demo-inside-practice-store", folder=str(folder), store=str(self.folder))

    def renew(self) -> None:
        """Put an empty store in the place of an earlier run's; only while the lock is held.

        The earlier one is moved aside as a whole before it is removed, and the new one is moved into place with its
        marker: at no moment is there half of a store.

        Raises:
            Unavailable: ``file-disk-full`` or ``file-not-written`` when the folders cannot be made.
        """
        with self._closed_on_failure():
            self._replace()

    def close(self) -> None:
        """Give the lock back; the store stays, to be looked at."""
        self._lock.release()

    @contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.close()
            raise not_written(self.folder, error) from error
        except BaseException:
            self.close()
            raise

    def _take_lock(self) -> None:
        try:
            self._lock.acquire()
        except Conflict as error:
            raise Conflict("demo-running", folder=str(self.folder)) from error

    def _replace(self) -> None:
        for left in self._above.glob(f"{_ASIDE}*"):
            shutil.rmtree(left, ignore_errors=True)
        if self.folder.exists():
            old = self._above / f"{_ASIDE}{secrets.token_hex(4)}"
            self.folder.rename(old)
            shutil.rmtree(old, ignore_errors=True)
        fresh = self._above / f"{_ASIDE}{secrets.token_hex(4)}"
        fresh.mkdir()
        # With its database, so that from the first moment on there is a store that opens.
        database = Database.at(fresh / DATABASE)
        try:
            database.migrate()
        finally:
            database.close()
        (fresh / MARKER).write_text(json.dumps({"made_at": rfc3339(utc_now())}) + "\n", encoding="utf-8")
        fresh.rename(self.folder)
