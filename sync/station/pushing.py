"""Sends the outbox, in its order, in batches the server takes; reads it by pages, so a backlog costs no memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select, update

from models.database import Database
from models.errors import TooLarge, UserFacingError
from models.ids import new_id
from models.states import OutboxState
from models.sync import OutboxEntry
from sync.shared.problems import change_problem, code_of
from sync.shared.protocol import MAX_BATCH_CHANGES, SCHEMA_VERSION, Batch
from sync.station.answers import Acknowledged, take_results
from sync.station.client import ServerClient
from sync.station.outbox import WaitingChange, change_of
from sync.station.state import ACKNOWLEDGED, set_value
from sync.station.status import behind_dead_letter


@dataclass(slots=True)
class Pusher:
    """Sends what waits.

    Attributes:
        database: the station's.
        client: the server.
        device_id: this station.
        step: called after each batch with the number of entries dealt with; may raise to stop.
        done: what came of it so far; ``retried`` of the last push.
        page_size: entries read at a time.
    """

    database: Database
    client: ServerClient
    device_id: str
    step: Callable[[int], None]
    done: Acknowledged = field(default_factory=Acknowledged)
    page_size: int = MAX_BATCH_CHANGES

    def push_all(self) -> None:
        """Send every entry that waits, and once more what was put off where something went that it may have waited for.

        What is put off again stays for the next push.

        Raises:
            UserFacingError: when the server does not answer or refuses the whole batch; nothing is lost.
        """
        before = self.done.accepted
        self._push_once()
        if self.done.retried and self.done.accepted > before:
            self._push_once()

    def _push_once(self) -> None:
        last = 0
        self.done.retried = 0
        while page := self._page(last):
            last = page[-1].sequence
            self._send(page)
            self.step(len(page))

    def _page(self, after: int) -> list[WaitingChange]:
        # By its columns: a backlog of objects takes longer to load than to send.
        query = (
            select(*WaitingChange.columns())
            .where(OutboxEntry.state == OutboxState.WAITING, OutboxEntry.sequence > after, ~behind_dead_letter())
            .order_by(OutboxEntry.sequence)
            .limit(min(self.page_size, MAX_BATCH_CHANGES))
        )
        with self.database.read() as session:
            return [WaitingChange(*row) for row in session.execute(query)]

    def _send(self, entries: Sequence[WaitingChange]) -> None:
        """Send entries; a batch that is too large is halved, a single change too large is a dead letter."""
        batch = Batch(
            device_id=self.device_id,
            batch_id=new_id(),
            schema_version=SCHEMA_VERSION,
            changes=[change_of(entry) for entry in entries],
        )
        try:
            answer = self.client.push(batch)
        except TooLarge as error:
            if len(entries) == 1:
                self._bury(entries[0], error)
                return
            middle = len(entries) // 2
            self._send(entries[:middle])
            if rest := self._still_free(entries[middle:]):
                self._send(rest)
            return
        except UserFacingError as error:
            self._note_failure(entries, code_of(error))
            raise
        with self.database.transaction() as session:
            came = take_results(session, {entry.change_id: entry for entry in entries}, answer.results)
            set_value(session, ACKNOWLEDGED, answer.cursor)
        self._add(came)

    def _still_free(self, entries: Sequence[WaitingChange]) -> list[WaitingChange]:
        """Return the entries that still have no dead letter before them."""
        query = select(OutboxEntry.change_id).where(
            OutboxEntry.change_id.in_([entry.change_id for entry in entries]), ~behind_dead_letter()
        )
        with self.database.read() as session:
            free = set(session.scalars(query))
        return [entry for entry in entries if entry.change_id in free]

    def _bury(self, entry: WaitingChange, error: UserFacingError) -> None:
        with self.database.transaction() as session:
            kept = session.get(OutboxEntry, entry.sequence)
            if kept is not None:
                kept.state = OutboxState.DEAD
                kept.attempts += 1
                kept.last_error = code_of(error)
                kept.problem = change_problem(error)
        self._add(Acknowledged(dead=1))

    def _note_failure(self, entries: Sequence[WaitingChange], code: str) -> None:
        with self.database.transaction() as session:
            session.execute(
                update(OutboxEntry)
                .where(OutboxEntry.change_id.in_([entry.change_id for entry in entries]))
                .values(attempts=OutboxEntry.attempts + 1, last_error=code),
                execution_options={"synchronize_session": False},
            )

    def _add(self, came: Acknowledged) -> None:
        self.done.accepted += came.accepted
        self.done.dead += came.dead
        self.done.retried += came.retried
        self.done.conflicts += came.conflicts
