"""Writes what a station has not sent to a folder: for a station that its server accepts no more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from models.clock import rfc3339
from models.database import Database
from models.errors import Conflict, Unavailable
from models.storage import make_folder, no_room, not_written, write_atomically
from models.sync import Blob, OutboxEntry
from sync.station.blobs import BlobStore

_PAGE = 500
CHANGES, FILES = "changes.jsonl", "files"


@dataclass(frozen=True, slots=True)
class Exported:
    """How much was written.

    Attributes:
        changes: changes that the server has not acknowledged, refused ones among them.
        files: images and other files that it has not acknowledged.
        missing: files of these that are not here any more.
    """

    changes: int
    files: int
    missing: int


def export_unsent(database: Database, blobs: BlobStore, folder: Path) -> Exported:
    """Write every change and file that the server has not acknowledged; nothing is removed here.

    ``changes.jsonl`` has one change a line, in the form of the protocol and in the order of the outbox; ``files`` has
    the files by their SHA-256 digests.

    Raises:
        Conflict: ``export-folder-not-empty``.
        Unavailable: when the folder cannot be written.
    """
    make_folder(folder)
    if any(folder.iterdir()):
        raise Conflict("export-folder-not-empty", folder=str(folder))
    changes = _write_changes(database, folder / CHANGES)
    files = missing = 0
    with database.read() as session:
        digests = list(session.scalars(select(Blob.sha256).where(Blob.present, Blob.uploaded_at.is_(None))))
    for sha256 in digests:
        if not blobs.exists(sha256):
            missing += 1
            continue
        make_folder(folder / FILES)
        write_atomically(folder / FILES / sha256, blobs.read(sha256))
        files += 1
    return Exported(changes, files, missing)


def _write_changes(database: Database, path: Path) -> int:
    count = last = 0
    try:
        with path.open("w", encoding="utf-8") as file:
            while True:
                query = select(OutboxEntry).where(OutboxEntry.sequence > last).order_by(OutboxEntry.sequence)
                with database.read() as session:
                    page = list(session.scalars(query.limit(_PAGE)))
                if not page:
                    return count
                for entry in page:
                    file.write(json.dumps(_change(entry), ensure_ascii=False) + "\n")
                last = page[-1].sequence
                count += len(page)
    except OSError as error:
        if no_room(error):
            raise Unavailable("file-disk-full", file=path.name, folder=str(path.parent)) from error
        raise not_written(path, error) from error


def _change(entry: OutboxEntry) -> dict[str, Any]:
    return {
        "change_id": entry.change_id,
        "entity": entry.entity,
        "entity_id": entry.entity_id,
        "op": entry.op.value,
        "base_rev": entry.base_rev,
        "clock": entry.clock,
        "fields": entry.fields,
        "user_id": entry.user_id,
        "created_at": rfc3339(entry.created_at),
        "state": entry.state.value,
        "problem": entry.problem,
    }
