"""The sync engine: passes over outbox, change log and blobs, in the background, one at a time, over any network."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import make_url

from models.clock import HybridLogicalClock, rfc3339, utc_now
from models.database import Database
from models.errors import Conflict, Unavailable, UserFacingError
from sync.shared.problems import retry_after_s
from sync.shared.protocol import MAX_BATCH_CHANGES
from sync.shared.station_config import settings_for
from sync.station.blobs import BlobStore
from sync.station.client import ServerClient
from sync.station.courtesy import Courtesy
from sync.station.hold import Hold
from sync.station.pass_lock import only_pass
from sync.station.pass_state import PassState
from sync.station.progress import ProgressCallback, SyncProgress
from sync.station.returned_images import ReturnedImages
from sync.station.sending import PieceSize
from sync.station.state import DUE_AT, set_value
from sync.station.status import (
    SyncReport,
    SyncStatus,
    note_link,
    record_failure,
    status_of,
    stored_status,
)
from sync.station.sync_pass import SyncPass
from sync.station.timing import backoff_s, intervals_of_rest, rest_s

__all__ = ["SyncEngine", "SyncProgress", "SyncReport", "SyncStatus", "stored_status"]

_SHORTEST_BACKOFF_S = 1.0
_RANDOM = secrets.SystemRandom()
_LOOK_EVERY_S = 0.2


class _Stopped(Exception):
    """The engine was stopped, or the pass was cancelled, in the middle of it."""


_Mark = tuple[int, int]
"""How often the engine had been stopped, and passes cancelled, when a pass began."""


@dataclass(eq=False, repr=False)
class SyncEngine:
    """Keeps one station and the server synchronised.

    ``run_once`` does a pass in the caller's thread; ``start`` begins a thread that does passes by itself.

    Attributes:
        database: the station's store, with an ``OutboxRecorder``.
        blobs: its blob store.
        client: the server.
        clock: the station's clock, the same as the recorder's.
        device_id: this station.
        machine: digest of this machine, to which the store is bound; empty when nothing tells it from others.
        interval_s: seconds between passes when nothing asks for one and the server has not set any.
        page_size: changes read or asked for at a time.
        chunk_bytes: size of one piece of a blob.
        lock_path: file that keeps other processes' passes away; beside the SQLite file by default.
        held: says what waits by choice; asked before each pass, and between requests with images.
        metered: says whether the link is paid by volume, None when nobody knows; asked when there are files to move.
        upkeep: called after each whole pass; returns codes of what it could not do.
        told: whether the server says by itself when there is something to pull.
        courtesy: knows of the work that passes step aside for.
    """

    database: Database
    blobs: BlobStore
    client: ServerClient
    clock: HybridLogicalClock
    device_id: str = field(kw_only=True)
    machine: str = field(default="", kw_only=True)
    interval_s: float = field(default=30.0, kw_only=True)
    page_size: int = field(default=MAX_BATCH_CHANGES, kw_only=True)
    chunk_bytes: int = field(default=1024 * 1024, kw_only=True)
    lock_path: Path | None = field(default=None, kw_only=True)
    upkeep: Callable[[], Sequence[str]] = field(default=tuple, kw_only=True)
    held: Callable[[], Hold] = field(default=lambda: Hold.NOTHING, kw_only=True)
    metered: Callable[[], bool | None] = field(default=lambda: None, kw_only=True)
    told: Callable[[], bool] = field(default=lambda: False, kw_only=True)
    courtesy: Courtesy = field(default_factory=Courtesy, init=False)
    _pass: threading.Lock = field(default_factory=threading.Lock, init=False)
    _state: threading.Lock = field(default_factory=threading.Lock, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _wake: threading.Event = field(default_factory=threading.Event, init=False)
    _fresh: threading.Event = field(default_factory=threading.Event, init=False)
    _stops: int = field(default=0, init=False)
    _cancels: int = field(default=0, init=False)
    _pieces: PieceSize = field(init=False)
    _images_noted: bool = field(default=False, init=False)
    _seen: PassState = field(default_factory=PassState, init=False)

    def __post_init__(self) -> None:
        self._pieces = PieceSize(self.chunk_bytes)

    def run_once(self, progress: ProgressCallback | None = None) -> SyncReport:
        """Do one whole pass: claim, push, pull, send blobs, fetch models. Waits for a pass of this engine that is on.

        Args:
            progress: called after each step, in this thread.

        Raises:
            Conflict: ``sync-already-running`` when another process does a pass on this store, ``sync-on-hold`` when
                everything waits by choice.
            UserFacingError: what the pass failed by; everything acknowledged so far is kept.
        """
        if self.held() is Hold.EVERYTHING:
            raise Conflict("sync-on-hold")
        mark = self._mark()
        try:
            with self._pass:
                return self._guarded(progress, mark)
        except _Stopped as stopped:
            raise Unavailable("sync-stopped") from stopped

    def start(self) -> None:
        """Begin to do passes in a thread of this engine; does nothing when it runs already."""
        with self._state:
            if self._thread is not None and self._thread.is_alive():
                return
            self._wake.clear()
            self._thread = threading.Thread(target=self._work, args=(self._stops,), name="sync-engine", daemon=True)
            self._thread.start()

    def stop(self, timeout_s: float = 15.0) -> bool:
        """End every pass at once, and the thread; return whether it has ended within the time."""
        with self._state:
            self._stops += 1
            thread = self._thread
        self._wake.set()
        self.client.abort()
        if thread is None or thread is threading.current_thread():
            return thread is None
        thread.join(timeout_s)
        return not thread.is_alive()

    def cancel(self) -> None:
        """End the pass that is on at once; the next one goes on where it was. What the server has acknowledged is done.

        A request under way is cut: what it did on the server is seen in the next pass, as with any cut connection.
        """
        with self._state:
            self._cancels += 1
        self.client.abort()

    def request(self) -> None:
        """Ask for a pass soon; cheap, from any thread."""
        self._fresh.set()
        self._wake.set()

    def clear_error(self) -> None:
        """Forget why the last pass failed, once its cause has gone."""
        self._seen.clear_error()

    def status(self) -> SyncStatus:
        """Return the status of the synchronisation; reads the store."""
        with self.database.read() as session:
            stored = status_of(session)
        return self._seen.complete(stored, held=self.held())

    @property
    def online(self) -> bool:
        """Whether the server answered last; reads no store."""
        return self._seen.online

    def pause_s(self) -> float:
        """Return the seconds between passes: as the server says, else the station's own."""
        with self.database.read() as session:
            return float(settings_for(session, self.device_id).get("sync_interval_s", self.interval_s))

    def _work(self, stops: int) -> None:
        failures = 0
        while self._stops == stops:
            self._wake.clear()
            self._fresh.clear()
            delay = self.pause_s() * (0.9 + _RANDOM.random() / 5)
            try:
                if self.held() is not Hold.EVERYTHING:
                    with self._pass:
                        self._guarded(None, (stops, self._cancels))
                failures = 0
            except _Stopped:
                failures = 0
            except UserFacingError as error:
                failures += 1
                delay = min(backoff_s(failures), max(self.interval_s, _SHORTEST_BACKOFF_S))
                # What the server asks for is kept to, however often a pass is asked for meanwhile.
                with suppress(_Stopped):
                    self._pause(self._mark(), (retry_after_s(error) or 0.0) * (1 + _RANDOM.random() / 2))
            self._rest(delay, may_go_on=failures == 0)
        self._note_next_pass(None)

    def _rest(self, interval_s: float, *, may_go_on: bool) -> None:
        """Wait for the next pass: until it is asked for, or for an interval, more while the server says what is new."""
        told = may_go_on and self.told() and self._has_sent_all()
        self._note_next_pass(utc_now() + timedelta(seconds=rest_s(interval_s, told=told)))
        for _ in range(intervals_of_rest(interval_s)):
            if self._wake.wait(interval_s) or not (may_go_on and self.told() and self._has_sent_all()):
                return

    def _note_next_pass(self, due: datetime | None) -> None:
        """Keep when the next pass is due, for ``imageflow sync status`` beside this process; no pass fails by it."""
        with suppress(UserFacingError), self.database.local_transaction() as session:
            set_value(session, DUE_AT, rfc3339(due) if due is not None else None)

    def _has_sent_all(self) -> bool:
        """Return whether nothing waits here, as what the command line wrote beside this process does."""
        stored = stored_status(self.database)
        return stored.waiting == 0 and stored.blobs_waiting == 0

    def _guarded(self, progress: ProgressCallback | None, mark: _Mark) -> SyncReport:
        """Do a pass and keep the status true, however it ends."""
        self._check(mark)
        self.client.pause = partial(self._pause, mark)
        self._seen.begin()
        error: UserFacingError | None = None
        online = self._seen.online
        try:
            with only_pass(self._lock_file()):
                report = self._recorded(progress, mark)
        except UserFacingError as caught:
            error = caught
            online = not isinstance(caught, Unavailable)
            raise
        else:
            online = True
        finally:
            self._seen.end(error, online=online)
        return report

    def _recorded(self, progress: ProgressCallback | None, mark: _Mark) -> SyncReport:
        """Do a pass; the store keeps why it failed, for ``imageflow sync status`` beside this process."""
        try:
            return self._one_pass(progress, mark)
        except UserFacingError as error:
            self._check(mark)
            # A store that cannot be written is most likely what the pass failed by, and that is raised.
            with suppress(UserFacingError):
                record_failure(self.database, error)
            raise

    def _one_pass(self, progress: ProgressCallback | None, mark: _Mark) -> SyncReport:
        def show(made: SyncProgress) -> None:
            if progress is not None:
                progress(made)
            self._seen.go_on(made)

        return SyncPass(
            database=self.database,
            blobs=self.blobs,
            client=self.client,
            clock=self.clock,
            device_id=self.device_id,
            machine=self.machine,
            page_size=self.page_size,
            pieces=self._pieces,
            courtesy=self.courtesy,
            fresh=self._fresh,
            check=partial(self._check, mark),
            show=show,
            files_wait=self._files_wait,
            note_images=self._note_images,
            upkeep=self.upkeep,
        ).run()

    def _files_wait(self) -> bool:
        """Return whether images and models wait: by choice, or because the link is paid by volume."""
        if self.held() is not Hold.NOTHING:
            return True
        metered = self.metered()
        note_link(self.database, metered)
        return bool(metered)

    def _note_images(self, returned: ReturnedImages, came: bool) -> None:
        """Note images whose records came back: in the first pass, and in each that took something in."""
        if came or not self._images_noted:
            self._images_noted = False
            returned.note_all()
            self._images_noted = True

    def _lock_file(self) -> Path:
        return self.lock_path or Path(make_url(self.database.url).database or "sync").with_name("sync.lock")

    def _mark(self) -> _Mark:
        with self._state:
            return self._stops, self._cancels

    def _check(self, mark: _Mark) -> None:
        if self._mark() != mark:
            raise _Stopped

    def _pause(self, mark: _Mark, seconds: float) -> None:
        """Wait, but not beyond the end of a pass that is stopped or cancelled."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._check(mark)
            time.sleep(min(left, _LOOK_EVERY_S))
