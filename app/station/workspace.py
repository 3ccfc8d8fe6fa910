"""A station's opened store, which every operation works with."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from app.station.applied_settings import applied_settings
from app.station.model_cache import ModelCache
from app.station.quality_bounds import KeptBounds
from app.station.recovery import Recovery, recover
from app.station.revision_cache import RevisionCache
from app.station.server_link import ServerLink
from app.station.settings import StationSettings, folder_unusable, load_settings
from app.station.store_layout import BLOBS, DATABASE, LOCK, LOGS, WORK
from app.station.store_lock import StoreLock
from models.clock import HybridLogicalClock
from models.database import Database
from models.errors import Conflict, NotFound, Unavailable
from models.messages import Language, choose_language
from models.storage import no_room
from sync.station.blobs import BlobStore
from sync.station.comparing import begin_comparison
from sync.station.credentials import CredentialStore
from sync.station.engine import SyncEngine
from sync.station.hold import is_metered
from sync.station.new_device import become_device
from sync.station.outbox import OutboxRecorder, newest_stamp
from sync.station.state import DEVICE_ID, GENERATION, RELEASE_KEY, SERVER_URL, get_value, set_value

if TYPE_CHECKING:
    from app.station.prepared_item import Preparation
    from app.station.views import ItemView
    from sync.shared.enrolment import DeviceRegistered

_BEFORE_ENROLMENT = "station-not-enrolled"
"""Device part of the clock before there is a device id; nothing that travels is written then."""


class Workspace:
    """The store of one station with everything that works on it.

    Use ``Workspace.open``. An exclusive workspace is the station. Any other one is opened beside a running station: it
    leaves schema, lock and leftovers of a crash alone, and the engine does no pass by itself.

    Attributes:
        store: the folder.
        settings: as they were when the store was opened.
        database: the records; ``transaction`` writes record and outbox entry together.
        blobs: images, heatmaps and models by digest.
        clock: the station's hybrid logical clock; goes on from the newest stamp the store has held.
        models: models kept loaded.
        prepared: items as they were prepared for inspection, without their models.
        item_views: items as screens show them.
        quality_bounds: bounds of image quality, as read from the file of the settings.
        recovery: what was put in order at the start.
        language: of the window, as the server or this station has set it; None takes the person's or the system's.
        text_language: of what the server says to the person who works with the store now; who shows it sets it.
    """

    def __init__(self, store: Path, settings: StationSettings, lock: StoreLock | None) -> None:
        self.store = store
        self.settings = settings
        self._lock = lock
        self.blobs = BlobStore(store / BLOBS)
        self.database = Database.at(store / DATABASE, read_without_room=lock is None)
        self.clock = HybridLogicalClock(_BEFORE_ENROLMENT)
        self.models = ModelCache(self.blobs.path, settings.models_in_memory, settings.threads, settings.reading)
        self.prepared: RevisionCache[Preparation] = RevisionCache()
        self.item_views: RevisionCache[ItemView] = RevisionCache()
        self.quality_bounds = KeptBounds()
        self.recovery = Recovery()
        self.device_id = ""
        self.language: Language | None = None
        self.text_language: Language = choose_language(settings.language)
        self._credentials = CredentialStore()
        self._link: ServerLink | None = None
        self._synchronises = False
        self.system_says_metered: Callable[[], bool | None] = lambda: None

    @classmethod
    def open(cls, store: Path, *, settings: StationSettings | None = None, exclusive: bool = True) -> Self:
        """Open the store in ``store``.

        Args:
            store: folder; an exclusive workspace makes it when it is not there.
            settings: instead of those of the store and the environment.
            exclusive: take the lock, bring the schema up to date, clean up after a crash; False does none of these.

        Raises:
            Conflict: ``store-in-use``.
            InvalidInput: ``settings-invalid``.
            NotFound: ``no-store`` when it is not exclusive and the store is not there.
            Unavailable: ``disk-full`` when its folders find no room, ``store-folder-unusable`` or
                ``store-folder-read-only`` when the folder cannot be used, else when the database cannot.
        """
        lock = None
        if exclusive:
            _make_folders(store)
            lock = StoreLock(store / LOCK)
            lock.acquire()
        elif not (store / DATABASE).is_file():
            raise NotFound("no-store", folder=str(store))
        try:
            workspace = cls(store, settings or load_settings(store), lock)
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        try:
            workspace._prepare()
        except BaseException as error:
            workspace.close()
            if isinstance(error, Unavailable) and error.code == "store-read-only":
                raise Unavailable("store-folder-read-only", folder=str(store)) from error
            raise
        return workspace

    def _prepare(self) -> None:
        if self._lock is not None:
            self.database.migrate()
        with self.database.read() as session:
            self.device_id = get_value(session, DEVICE_ID) or ""
            server_url = get_value(session, SERVER_URL)
            newest = newest_stamp(session)
            self.language = applied_settings(session, self.device_id, self.settings).language
        self._start_clock()
        if newest is not None:
            self.clock.observe(newest)
        if self._lock is not None:
            self.recovery = recover(self.database, self.blobs, self.work_folder, self.device_id)
        if self.device_id and server_url:
            self._connect(server_url)

    @property
    def work_folder(self) -> Path:
        """Folder for unfinished work, emptied at every start."""
        return self.store / WORK

    @property
    def log_folder(self) -> Path:
        """Folder of the station's logs."""
        return self.store / LOGS

    @property
    def enrolled(self) -> bool:
        """Whether the station belongs to a server."""
        return self._link is not None

    @property
    def needs_credential(self) -> bool:
        """Whether the station is enrolled and its credential is not known: the keyring lost it or cannot keep it."""
        return self._link is not None and not self._link.has_credential

    @property
    def server_url(self) -> str | None:
        """Address of the server, None before enrolment."""
        return self._link.server_url if self._link else None

    @property
    def engine(self) -> SyncEngine | None:
        """The sync engine, None before enrolment."""
        return self._link.engine if self._link else None

    @property
    def link(self) -> ServerLink:
        """The tie to the server.

        Raises:
            Conflict: ``not-enrolled``.
        """
        if self._link is None:
            raise Conflict("not-enrolled")
        return self._link

    def require_device(self) -> str:
        """Return the device id.

        Raises:
            Conflict: ``not-enrolled``.
        """
        if not self.device_id:
            raise Conflict("not-enrolled")
        return self.device_id

    def adopt(self, *, server_url: str, device_id: str, credential: str, release_key: str = "") -> bool:
        """Belong to a server from now on; return whether the keyring keeps the credential.

        Args:
            server_url: its address.
            device_id: this station.
            credential: of the device.
            release_key: public key of the server's model releases; empty when it gave none.

        Raises:
            Conflict: ``already-enrolled`` with another server or as another device.
            Unavailable: when the store cannot be written.
        """
        if self.device_id and self.device_id != device_id:
            raise Conflict("already-enrolled", server=self.server_url or "-")
        with self.database.transaction() as session:
            set_value(session, DEVICE_ID, device_id)
            set_value(session, SERVER_URL, server_url)
            set_value(session, RELEASE_KEY, release_key or None)
        self.device_id = device_id
        self._start_clock()
        kept = self._credentials.set(device_id, credential)
        self._connect(server_url)
        return kept

    @property
    def credential(self) -> str | None:
        """The device's credential, None when it is not known."""
        return self._credentials.get(self.device_id) if self.device_id else None

    def adopt_anew(self, server_url: str, registration: DeviceRegistered, *, send_all: bool) -> bool:
        """Become another station with what is recorded here; return whether the keyring keeps the credential.

        Args:
            server_url: of the server that gave the new id.
            registration: its answer.
            send_all: compare everything with that server, so that what it lacks is sent.

        Raises:
            Unavailable: when the store cannot be written.
        """
        former_id = self.device_id
        with self.database.read() as session:
            known = get_value(session, GENERATION)
        same_server = registration.succeeds_id == former_id or (bool(known) and registration.generation == known)
        former_url = self.link.server_url
        # No pass of the former station may write meanwhile.
        self.link.close()
        try:
            with self.database.transaction() as session:
                become_device(
                    session,
                    former_id=former_id,
                    device_id=registration.device_id,
                    server_url=server_url,
                    same_server=same_server,
                )
                set_value(session, RELEASE_KEY, registration.release_key or None)
                if send_all:
                    begin_comparison(session)
        except BaseException:
            self._connect(former_url)
            raise
        # The former credential stays: the store that this one is a copy of may be on this computer and need it.
        self.device_id = registration.device_id
        self._start_clock()
        kept = self._credentials.set(self.device_id, registration.credential)
        self._connect(server_url)
        return kept

    def keep_credential(self, credential: str) -> bool:
        """Keep the device credential that a person gave and the server accepted; return whether the keyring keeps it.

        Raises:
            Conflict: ``not-enrolled``.
        """
        kept = self._credentials.set(self.require_device(), credential)
        self._credential_given()
        return kept

    def try_credential(self, credential: str) -> None:
        """Use the device credential that a person gave; it is kept once the server accepts it, dropped if it refuses.

        Raises:
            Conflict: ``not-enrolled``.
        """
        self._credentials.try_out(self.require_device(), credential)
        self._credential_given()

    def forget_credential(self) -> None:
        """Remove this station's credential from the keyring: for a practice station that nobody will use again."""
        self._credentials.forget(self.device_id)

    def start_sync(self) -> None:
        """Let the engine run by itself, from enrolment on when that is still to come."""
        self._synchronises = True
        if self._link is not None:
            self._link.start()

    def working(self) -> AbstractContextManager[None]:
        """Return a block of work that passes of the engine step aside for."""
        return nullcontext() if self._link is None else self._link.engine.courtesy.working()

    def _credential_given(self) -> None:
        self.link.engine.clear_error()
        self.request_sync()

    def request_sync(self) -> None:
        """Ask the running engine for a pass soon; returns at once."""
        if self._link is not None and self._synchronises:
            self._link.engine.request()

    def close(self) -> None:
        """End the engine, close database and lock; may be called twice."""
        self._synchronises = False
        if self._link is not None:
            self._link.close()
            self._link = None
        self.models.clear()
        self.prepared.clear()
        self.item_views.clear()
        self.database.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start_clock(self) -> None:
        """Take the device's own clock; what the one before has seen stays seen."""
        before = self.clock.now()
        self.clock = HybridLogicalClock(self.device_id or _BEFORE_ENROLMENT, before)
        self.database.recorder = OutboxRecorder(self.clock)

    def _connect(self, server_url: str) -> None:
        if self._link is not None:
            self._link.close()
        self._link = ServerLink(
            server_url=server_url,
            device_id=self.device_id,
            credentials=self._credentials,
            database=self.database,
            blobs=self.blobs,
            clock=self.clock,
            settings=self.settings,
            language=lambda: self.text_language,
            # From the file each time: the command line changes it while a window is open.
            held=lambda: load_settings(self.store).sync_hold,
            metered=lambda: is_metered(load_settings(self.store).sync_metered, self.system_says_metered),
        )
        if self._synchronises:
            self._link.start()


def _make_folders(store: Path) -> None:
    try:
        for folder in (store, store / BLOBS, store / WORK, store / LOGS):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if no_room(error):
            raise Unavailable("disk-full") from error
        raise folder_unusable(store, error) from error
    if not os.access(store, os.W_OK):
        raise Unavailable("store-folder-read-only", folder=str(store))
