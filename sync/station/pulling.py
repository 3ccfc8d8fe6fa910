"""Takes in what others changed: the change log page by page, and the snapshot when the log does not reach back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.clock import HybridLogicalClock
from models.database import Database
from models.errors import Gone, InvalidInput, Unavailable
from sync.shared.protocol import SCHEMA_VERSION as WIRE_SCHEMA
from sync.shared.protocol import SnapshotEnd, SnapshotMark, SnapshotRecord
from sync.station.apply import Received, take_changes, take_snapshot
from sync.station.client import ServerClient
from sync.station.comparing import begin_comparison
from sync.station.progress import Stage
from sync.station.state import (
    ACKNOWLEDGED,
    CURSOR,
    SCHEMA_VERSION,
    SNAPSHOT_RESUME,
    forget_position,
    get_value,
    set_value,
)
from sync.station.taking import ResyncNeeded


@dataclass(slots=True)
class Puller:
    """Takes in what is new on the server.

    Attributes:
        database: the station's.
        client: the server.
        clock: the station's, which learns of every stamp it sees.
        page_size: changes asked for at a time.
        step: called after each page with its stage and number of changes; may raise to stop.
        before_snapshot: called before the server's records are taken over those here.
        pulled: changes taken in so far.
        conflicts: fields of ours that lost to others, so far.
        full_resync: whether the snapshot was taken.
    """

    database: Database
    client: ServerClient
    clock: HybridLogicalClock
    page_size: int
    step: Callable[[Stage, int], None]
    before_snapshot: Callable[[], None]
    pulled: int = 0
    conflicts: int = 0
    full_resync: bool = False

    def pull_all(self) -> None:
        """Take in everything there is.

        Raises:
            UserFacingError: when the server does not answer; what came so far is kept.
        """
        known = self._acknowledged()
        while True:
            cursor = self._cursor()
            if cursor is None:
                self._take_snapshot()
                continue
            try:
                answer = self.client.pull(cursor, self.page_size, known)
                with self.database.transaction() as session:
                    received = take_changes(session, self.clock, answer.changes)
                    set_value(session, CURSOR, answer.next_cursor)
            except (Gone, ResyncNeeded) as error:
                if self.full_resync:
                    raise Unavailable("sync-server-changing") from error
                with self.database.transaction() as session:
                    forget_position(session)
                    if isinstance(error, Gone):
                        # The server may have gone back, and lost what it had acknowledged.
                        begin_comparison(session)
                known = None
                continue
            known = None
            self._count(received)
            self.step("pull", len(answer.changes))
            if not answer.has_more:
                return

    def _acknowledged(self) -> str | None:
        with self.database.read() as session:
            return get_value(session, ACKNOWLEDGED)

    def _cursor(self) -> str | None:
        with self.database.read() as session:
            if get_value(session, SCHEMA_VERSION) != str(WIRE_SCHEMA):
                # Written by another version: fields kept aside as unknown may have columns now.
                return None
            return get_value(session, CURSOR)

    def _take_snapshot(self) -> None:
        """Take the snapshot, from the last mark on when an earlier one was cut."""
        self.before_snapshot()
        with self.database.read() as session:
            resume = get_value(session, SNAPSHOT_RESUME)
        records: list[SnapshotRecord] = []
        try:
            for line in self.client.snapshot(resume):
                if isinstance(line, SnapshotRecord):
                    records.append(line)
                elif isinstance(line, SnapshotMark):
                    self._keep(records, resume=line.resume)
                    records = []
                elif isinstance(line, SnapshotEnd):
                    self._keep(records, cursor=line.cursor)
                    self.full_resync = True
                    return
        except InvalidInput:
            if resume is None:
                raise
            forget_cursor(self.database)  # another server than the one that made the mark
            return
        raise Unavailable("server-unreachable", server=self.client.base_url)

    def _keep(self, records: list[SnapshotRecord], *, resume: str | None = None, cursor: str | None = None) -> None:
        with self.database.transaction() as session:
            received = take_snapshot(session, self.clock, records)
            set_value(session, SNAPSHOT_RESUME, resume)
            if cursor is not None:
                set_value(session, CURSOR, cursor)
                set_value(session, SCHEMA_VERSION, str(WIRE_SCHEMA))
        self._count(received)
        self.step("snapshot", len(records))

    def _count(self, received: Received) -> None:
        self.pulled += received.taken
        self.conflicts += received.conflicts


def forget_cursor(database: Database) -> None:
    """Make the next pull begin with the snapshot; the outbox stays as it is."""
    with database.transaction() as session:
        forget_position(session)
