"""Backup of a station's store, and the way back: a store that was restored says so to its server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from app.station.settings import SETTINGS_FILE
from app.station.store_layout import BLOBS, DATABASE, LOCK
from app.station.store_lock import StoreLock
from models.audit import append_audit
from models.backup import (
    BackupManifest,
    OnFile,
    begin_backup,
    copy_database,
    copy_files,
    finish_backup,
    new_manifest,
    read_backup,
    set_aside,
    settle,
)
from models.clock import HybridLogicalClock, rfc3339
from models.database import Database
from models.errors import Conflict, NotFound
from models.storage import make_folder, move_durably, write_atomically
from models.sync import OutboxEntry
from sync.station.identity import branch
from sync.station.outbox import OutboxRecorder, newest_stamp
from sync.station.state import DEVICE_ID, STORE_ID, get_value

_ACTOR = "imageflow"


@dataclass(frozen=True, slots=True)
class Restored:
    """A store that was put back.

    Attributes:
        manifest: of the backup.
        kept_as: the database that was there before, under its new name; None when there was none.
        unsent: changes in it that the server has not acknowledged.
    """

    manifest: BackupManifest
    kept_as: Path | None
    unsent: int


def back_up_store(store: Path, out: Path, on_file: OnFile | None = None) -> BackupManifest:
    """Back the store up to a new folder; a station may be at work with it meanwhile.

    Raises:
        NotFound: ``no-store``.
        Conflict: ``backup-folder-not-empty``.
        Unavailable: when the disk is full or the store is damaged; what is there then is no backup.
    """
    if not (store / DATABASE).is_file():
        raise NotFound("no-store", folder=str(store))
    begin_backup(out)
    copy_database(store / DATABASE, out / DATABASE)
    count = copy_files(store / BLOBS, out / BLOBS, on_file=on_file)
    settings = store / SETTINGS_FILE
    if settings.is_file():
        write_atomically(out / SETTINGS_FILE, settings.read_bytes())
    manifest = new_manifest("station", out / DATABASE, files=count)
    finish_backup(out, manifest)
    return manifest


def restore_store(backup: Path, store: Path, *, even_unsent: bool = False, on_file: OnFile | None = None) -> Restored:
    """Put a backup in the place of the store; the database that was there is kept under another name.

    Images are only ever added. The next pass tells the server, which lets the store go on where the life after the
    backup ended: what that life sent comes back from there.

    Args:
        backup: folder that ``back_up_store`` made.
        store: folder of the store.
        even_unsent: also when the store that is there holds changes that the server does not have.
        on_file: called with the number of files dealt with and of all.

    Raises:
        InvalidInput: ``backup-unreadable``, ``backup-of-other-kind``.
        Conflict: ``store-in-use``; ``restore-unsent`` when the server lacks changes of the store that is there.
    """
    manifest = read_backup(backup, "station")
    make_folder(store / BLOBS)
    lock = StoreLock(store / LOCK)
    lock.acquire()
    try:
        unsent = _unsent(store / DATABASE)
        if unsent and not even_unsent:
            raise Conflict("restore-unsent", count=unsent, folder=str(store))
        copy_files(backup / BLOBS, store / BLOBS, on_file=on_file)
        arriving = store / f"{DATABASE}.restoring"
        copy_database(backup / manifest.database, arriving)
        _mark(arriving, rfc3339(manifest.made_at))
        kept = set_aside(store / DATABASE)
        move_durably(arriving, store / DATABASE)
        if (backup / SETTINGS_FILE).is_file() and not (store / SETTINGS_FILE).exists():
            write_atomically(store / SETTINGS_FILE, (backup / SETTINGS_FILE).read_bytes())
    finally:
        lock.release()
    return Restored(manifest, kept, unsent)


def mark_restored(store: Path) -> None:
    """Say of a store that was put back by other means that a person did so, as ``restore_store`` does.

    Raises:
        NotFound: ``no-store``.
        Conflict: ``store-in-use``.
    """
    if not (store / DATABASE).is_file():
        raise NotFound("no-store", folder=str(store))
    lock = StoreLock(store / LOCK)
    lock.acquire()
    try:
        _mark(store / DATABASE, "")
    finally:
        lock.release()


def _mark(path: Path, made_at: str) -> None:
    database = Database.at(path)
    try:
        database.migrate()
        with database.read() as session:
            device_id, newest = get_value(session, DEVICE_ID), newest_stamp(session)
        clock = HybridLogicalClock(device_id or "station-not-enrolled", newest)
        database.recorder = OutboxRecorder(clock)
        with database.transaction() as session:
            branch(session, restored=True)
            if device_id:
                detail = {"backup_of": made_at, "store_id": get_value(session, STORE_ID) or ""}
                append_audit(session, device_id=device_id, actor=_ACTOR, action="store.restored", detail=detail)
    finally:
        database.close()
    settle(path)


def _unsent(path: Path) -> int:
    if not path.is_file():
        return 0
    database = Database.at(path)
    try:
        with database.read() as session:
            return session.scalar(select(func.count()).select_from(OutboxEntry)) or 0
    finally:
        database.close()
