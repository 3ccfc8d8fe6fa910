"""Backup of a server's data, and the way back: a server that was restored begins a new generation.

A PostgreSQL database is backed up by its own means (``pg_dump``, or base backups with archived logs), an object store
of its own by its versions or copies; after they are put back, ``mark_restored`` lets every station know.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from sqlalchemy import make_url

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
from models.clock import rfc3339
from models.database import Database
from models.errors import InvalidInput
from models.storage import create_once, is_file, make_folder, move_durably, not_written
from server.alerts.webhook import WEBHOOK_KEY_FILE
from server.audit import audited
from server.auth.identity.principal import Principal
from server.change_log.generation import next_generation
from server.context import open_context, require_store
from server.core.data_folder import prepare_data_dir
from server.core.release_keys import RELEASE_KEY_FILE
from server.core.settings import DATABASE_FILE, ServerSettings
from server.core.signing_key import SECRET_FILE
from server.process.listening import alone

_OBJECTS = "objects"
_KEYS = (SECRET_FILE, RELEASE_KEY_FILE, WEBHOOK_KEY_FILE)
"""Files that let whoever has them act as the server: not in a backup unless they are asked for."""
_OWNER_ONLY = 0o600


def back_up_server(
    settings: ServerSettings, out: Path, *, with_secret: bool = False, on_file: OnFile | None = None
) -> BackupManifest:
    """Back the data of a server up to a new folder; the server may be at work with it meanwhile.

    Args:
        settings: of the server.
        out: the folder to make.
        with_secret: also the keys that sign tokens, releases of models and webhooks. Without them everybody signs in
            again after a restore elsewhere, and stations refuse models that are released there until they are enrolled
            again.
        on_file: called with the number of files dealt with and of all.

    Raises:
        NotFound: ``server-no-store``.
        InvalidInput: ``backup-postgresql``.
        Conflict: ``backup-folder-not-empty``.
        Unavailable: when the disk is full or the database is damaged; what is there then is no backup.
    """
    require_store(settings)
    source = _database_file(settings)
    begin_backup(out)
    out.chmod(0o700)
    copy_database(source, out / DATABASE_FILE)
    folder = _objects_folder(settings)
    count = copy_files(folder, out / _OBJECTS, on_file=on_file) if folder is not None else 0
    keys = [name for name in _KEYS if with_secret and is_file(settings.data_dir / name)]
    for name in keys:
        _keep_secret(settings.data_dir / name, out / name)
    manifest = new_manifest(
        "server", out / DATABASE_FILE, files=count, secret=bool(keys), objects_elsewhere=folder is None
    )
    finish_backup(out, manifest)
    return manifest


def restore_server(
    settings: ServerSettings, backup: Path, *, on_file: OnFile | None = None
) -> tuple[BackupManifest, Path | None]:
    """Put a backup in the place of a server's data; return its manifest and where the former database is kept.

    Objects are only ever added. Stations send again what the backup does not hold, as the generation is a new one.

    Raises:
        InvalidInput: ``backup-unreadable``, ``backup-of-other-kind``, ``backup-postgresql``.
        Conflict: ``server-running``.
        Unavailable: when the disk is full; the data that was there is in use again.
    """
    manifest = read_backup(backup, "server")
    target = _database_file(settings)
    prepare_data_dir(settings.data_dir)
    with alone(settings):
        folder = _objects_folder(settings)
        if folder is not None:
            make_folder(folder)
            copy_files(backup / _OBJECTS, folder, on_file=on_file)
        arriving = target.with_name(f"{target.name}.restoring")
        copy_database(backup / manifest.database, arriving)
        _mark(arriving, rfc3339(manifest.made_at))
        kept = set_aside(target)
        move_durably(arriving, target)
        for name in _KEYS:
            if is_file(backup / name) and not is_file(settings.data_dir / name):
                _keep_secret(backup / name, settings.data_dir / name)
    return manifest, kept


def mark_restored(settings: ServerSettings) -> str:
    """Begin a new generation after the data were put back by other means, and return it.

    Raises:
        NotFound: ``server-no-store``.
    """
    require_store(settings)
    context = open_context(settings)
    try:
        return _next_generation(context.database, "")
    finally:
        context.close()


def _mark(path: Path, made_at: str) -> None:
    database = Database.at(path)
    try:
        database.migrate()
        _next_generation(database, made_at)
    finally:
        database.close()
    settle(path)


def _next_generation(database: Database, made_at: str) -> str:
    with database.local_transaction() as session:
        generation = next_generation(session)
        who = Principal(None, "admin-command", None, None)
        audited(session, who, "server.restored", "server", "", generation=generation, backup_of=made_at)
    return generation


def _database_file(settings: ServerSettings) -> Path:
    path = settings.database_file
    if path is None:
        raise InvalidInput("backup-postgresql", database=make_url(settings.database).database or "")
    return path


def _objects_folder(settings: ServerSettings) -> Path | None:
    """Return the folder of a local object store; None for one elsewhere."""
    url = urlsplit(settings.objects)
    return Path(url2pathname(url.path)) if url.scheme == "file" else None


def _keep_secret(source: Path, target: Path) -> None:
    try:
        create_once(target, source.read_bytes(), mode=_OWNER_ONLY)
    except OSError as error:
        raise not_written(target, error) from error
