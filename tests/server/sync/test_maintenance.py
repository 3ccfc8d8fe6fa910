"""What the server clears away, and what it must keep."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from models.clock import utc_now
from models.errors import Gone
from models.sync import ChangeLogEntry
from models.targets import Target
from server.change_log.cursor import encode, position_of
from server.change_log.recording import prune
from server.sync.blobs import STALE_SECONDS
from server.sync.maintenance import PERIOD_S, Maintenance, clear_away
from sync.shared.protocol import UploadRequest


def test_a_cursor_is_gone_once_its_tombstones_are_ninety_days_old(server):
    server.add(Target(code="A", name="a"))
    with server.database.transaction() as session:
        session.scalars(select(Target)).one().deleted_at = utc_now()
    with server.database.transaction() as session:
        assert prune(session, utc_now() + timedelta(days=89), days=1) == 0
    with server.database.read() as session:
        assert position_of(session, encode(session, 1)) == 1
    with server.database.transaction() as session:
        assert prune(session, utc_now() + timedelta(days=91)) == 2
    with server.database.read() as session:
        with pytest.raises(Gone):
            position_of(session, encode(session, 1))
        assert position_of(session, encode(session, 2)) == 2
    server.add(Target(code="B", name="b"))
    with server.database.read() as session:
        assert session.scalar(select(func.max(ChangeLogEntry.position))) == 3, "positions go on where they were"


def test_only_an_upload_nobody_goes_on_with_is_removed(server):
    for name in ("live", "stale"):
        request = UploadRequest(sha256=name[0].encode().hex() * 32, size=10, content_type="image/png")
        server.uploads.begin(name, request)
    from server.sync.blobs import ChunkRange

    for name in ("live", "stale"):
        sha256 = name[0].encode().hex() * 32
        server.uploads.append(name, sha256, ChunkRange(0, 3, 10), b"0123", "image/png")
    paths = sorted(server.uploads.staging.glob("*/*.part"))
    assert len(paths) == 2
    stale = next(path for path in paths if path.name.startswith(b"s".hex()))
    old = stale.stat().st_mtime - STALE_SECONDS - 60
    os.utime(stale, (old, old))
    clear_away(server.database, server.uploads)
    assert [path for path in paths if path.exists()] == [path for path in paths if path != stale]


def test_maintenance_is_due_at_the_start_then_once_a_period():
    now = [100.0]
    maintenance = Maintenance(monotonic=lambda: now[0])
    assert maintenance.is_due("a")
    assert not maintenance.is_due("a")
    assert maintenance.is_due("b")
    now[0] += PERIOD_S
    assert maintenance.is_due("a")
