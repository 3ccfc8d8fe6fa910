"""The snapshot: every record a station may hold, parents first, as lines of JSON that a cut link does not spoil."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.audit import AuditEntry
from models.database import Database
from models.errors import InvalidInput
from models.sessions import InspectionSession
from models.synced import Fact, Master, Synced, snapshot, synced_types
from server.change_log.cursor import encode, pack, unpack
from server.change_log.recording import head
from sync.shared.addressed import ADDRESSED, is_for
from sync.shared.protocol import SnapshotEnd, SnapshotLine, SnapshotMark, SnapshotRecord, SnapshotStart

PAGE = 200
_VERSION = "1"


def snapshot_lines(database: Database, device_id: str | None, resume: str | None = None) -> Iterator[SnapshotLine]:
    """Yield the snapshot page by page, each page in a transaction of its own, from ``resume`` on.

    Records changed while it runs come again with the pull from its cursor, taken before its first page.

    Args:
        database: the server's.
        device_id: the station it is for; None for a reader that may see all.
        resume: from a ``SnapshotMark`` of a snapshot that was cut; None begins.

    Raises:
        InvalidInput: ``sync-cursor-invalid``, before the first line.
    """
    names = list(synced_types())
    if resume:
        _, cursor, name, after = unpack(resume, 4)
        if name not in names:
            raise InvalidInput("sync-cursor-invalid")
        names = names[names.index(name) :]
    else:
        with database.read() as session:
            cursor = encode(session, head(session))
        after = ""
    return _pages(database, device_id, cursor, names, after)


def compressed(lines: Iterator[SnapshotLine]) -> Iterator[bytes]:
    """Yield the lines as gzip-compressed NDJSON; each mark is flushed, so that a cut link loses one page at most."""
    packer = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for line in lines:
        data = packer.compress(line.model_dump_json().encode() + b"\n")
        if isinstance(line, SnapshotMark):
            data += packer.flush(zlib.Z_SYNC_FLUSH)
        if data:
            yield data
    yield packer.flush()


def _pages(
    database: Database, device_id: str | None, cursor: str, names: list[str], after: str
) -> Iterator[SnapshotLine]:
    yield SnapshotStart(cursor=cursor)
    types = synced_types()
    for name in names:
        while True:
            with database.read() as session:
                records = [_line(record) for record in _page(session, types[name], device_id, after)]
            yield from records
            if len(records) < PAGE:
                break
            after = records[-1].entity_id
            yield SnapshotMark(resume=pack(_VERSION, cursor, name, after))
        after = ""
    yield SnapshotEnd(cursor=cursor)


def _page(session: Session, record_type: type[Synced], device_id: str | None, after: str) -> list[Synced]:
    query: Select[Synced] = select(record_type).where(record_type.id > after).order_by(record_type.id).limit(PAGE)
    if device_id is not None:
        query = _scoped(query, record_type, device_id)
    return list(session.scalars(query))


def _scoped(query: Select[Synced], record_type: type[Synced], device_id: str) -> Select[Synced]:
    if issubclass(record_type, ADDRESSED):
        return query.where(is_for(record_type, device_id))
    if issubclass(record_type, Master):
        return query
    if issubclass(record_type, InspectionSession | AuditEntry):
        return query.where(record_type.device_id == device_id)
    if not issubclass(record_type, Fact):
        raise TypeError(f"no rule says who may read {record_type.__name__}")
    own = select(InspectionSession.id).where(InspectionSession.device_id == device_id)
    return query.where(record_type.session_id.in_(own))  # type: ignore[attr-defined]  # every fact but audit has it


def _line(record: Synced) -> SnapshotRecord:
    clocks = record.field_clocks if isinstance(record, Master) else {}
    return SnapshotRecord(
        entity=record.entity,
        entity_id=record.id,
        rev=record.rev,
        clock=record.clock,
        fields=snapshot(record),
        field_revs={name: state.get("rev") for name, state in clocks.items()},
        field_clocks={name: state["clock"] for name, state in clocks.items() if state.get("clock", "") != record.clock},
    )
