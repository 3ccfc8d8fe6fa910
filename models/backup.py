"""Backups of a store: its SQLite file by SQLite's online backup, beside it files that never change, and a manifest.

The manifest is written last: a folder without one is no backup. The database is copied before the files that it names,
which are written before it names them, so a backup made while the store is at work holds every file its database knows.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from models.clock import utc_now
from models.errors import Conflict, InvalidInput, Unavailable
from models.storage import is_there, make_folder, not_written, replacing, sha256_of_file, sync_path, write_atomically

MANIFEST = "backup.json"
_SIDES = ("-wal", "-shm")
_PAGES_AT_ONCE = 2_000

Kind = Literal["station", "server"]
OnFile = Callable[[int, int], None]


class BackupManifest(BaseModel):
    """What a backup holds.

    Attributes:
        kind: whose store it is of.
        made_at: when.
        database: name of the database's file.
        database_sha256: its digest.
        files: number of images and other files beside it.
        secret: whether keys that sign tokens or releases are among them.
        objects_elsewhere: the files are in an object store of their own and not in the backup.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    made_at: AwareDatetime
    database: str
    database_sha256: str
    files: int
    secret: bool = False
    objects_elsewhere: bool = False


def begin_backup(folder: Path) -> None:
    """Make the folder of a new backup.

    Raises:
        Conflict: ``backup-folder-not-empty``.
        Unavailable: when it cannot be made.
    """
    make_folder(folder)
    if any(folder.iterdir()):
        raise Conflict("backup-folder-not-empty", folder=str(folder))


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite file as it is at one moment, also while others write to it, and check the copy.

    Raises:
        Unavailable: ``store-damaged`` when the copy is not whole, or the reason of the system.
    """
    for leftover in (target, *(target.with_name(target.name + side) for side in _SIDES)):
        leftover.unlink(missing_ok=True)  # of a copy that was cut
    try:
        with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(target)) as writing:
            reading.backup(writing, pages=_PAGES_AT_ONCE)
            # One file, without a log beside it.
            writing.execute("PRAGMA journal_mode=DELETE").close()
            (verdict,) = writing.execute("PRAGMA quick_check(1)").fetchone()
        sync_path(target)
    except sqlite3.DatabaseError as error:
        if "full" in str(error):
            raise Unavailable("disk-full") from error
        raise Unavailable("store-damaged") from error
    if verdict != "ok":
        raise Unavailable("store-damaged")


def copy_files(source: Path, target: Path, *, on_file: OnFile | None = None) -> int:
    """Copy the files below ``source`` that ``target`` does not have, each durably, and return how many there are.

    Files on their way are left out: those with a dot or ``tmp-`` before their name, or in such a folder.
    """
    wanted = sorted(_complete_files(source))
    for number, relative in enumerate(wanted, start=1):
        place = target / relative
        if not is_there(place):
            make_folder(place.parent)
            try:
                with (source / relative).open("rb") as reading, replacing(place) as writing:
                    shutil.copyfileobj(reading, writing)
            except FileNotFoundError:
                continue  # removed meanwhile by the store's own rule
            except OSError as error:
                raise not_written(place, error) from error
        if on_file is not None:
            on_file(number, len(wanted))
    return len(wanted)


def _complete_files(source: Path) -> Iterator[Path]:
    for path in source.rglob("*"):
        relative = path.relative_to(source)
        arriving = any(part.startswith((".", "tmp-")) or part == "incoming" for part in relative.parts)
        if not arriving and path.is_file():
            yield relative


def finish_backup(folder: Path, manifest: BackupManifest) -> None:
    """Write the manifest, which makes the folder a backup."""
    write_atomically(folder / MANIFEST, (manifest.model_dump_json(indent=2) + "\n").encode())


def new_manifest(
    kind: Kind, database: Path, *, files: int, secret: bool = False, objects_elsewhere: bool = False
) -> BackupManifest:
    """Return the manifest of a backup whose database is at ``database``."""
    return BackupManifest(
        kind=kind,
        made_at=utc_now(),
        database=database.name,
        database_sha256=sha256_of_file(database),
        files=files,
        secret=secret,
        objects_elsewhere=objects_elsewhere,
    )


def read_backup(folder: Path, kind: Kind | None = None) -> BackupManifest:
    """Return the manifest of a backup whose database is whole.

    Raises:
        InvalidInput: ``backup-unreadable`` when the folder is no backup or its database is another one;
            ``backup-of-other-kind``.
    """
    try:
        manifest = BackupManifest.model_validate_json((folder / MANIFEST).read_bytes())
        whole = sha256_of_file(folder / Path(manifest.database).name) == manifest.database_sha256
    except (OSError, ValidationError) as error:
        raise InvalidInput("backup-unreadable", folder=str(folder)) from error
    if not whole:
        raise InvalidInput("backup-unreadable", folder=str(folder))
    if kind is not None and manifest.kind != kind:
        raise InvalidInput("backup-of-other-kind", folder=str(folder), kind=manifest.kind)
    return manifest


def set_aside(database: Path) -> Path | None:
    """Rename a database, with all that was committed to it, so that nothing recorded is lost; return its new name.

    Nobody may be at work with it. None when there is none.
    """
    if not is_there(database):
        return None
    kept = database.with_name(f"{database.name}.before-{utc_now():%Y%m%dT%H%M%SZ}")
    for number in range(2, 1000):
        if not is_there(kept):
            break
        kept = kept.with_name(f"{database.name}.before-{utc_now():%Y%m%dT%H%M%SZ}-{number}")
    # A log beside the file goes along under the name that SQLite looks for.
    for side in ("", *_SIDES):
        part = database.with_name(database.name + side)
        if is_there(part):
            part.rename(kept.with_name(kept.name + side))
    sync_path(database.parent)
    return kept


def settle(database: Path) -> None:
    """Bring all that was committed into the one file of a database that nobody is at work with."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").close()
    sync_path(database)
