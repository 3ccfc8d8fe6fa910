"""Publishes the events of the outbox: at least once, those of one key in their order, by one process at a time."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from dataclasses import dataclass

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from models.database import Database
from models.errors import Unavailable, UserFacingError
from models.events import OutgoingEvent
from server.core.structlog_import import structlog
from server.events.bus import EventBus
from server.events.topics import Message

_AT_ONCE = 500
_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0
_STEP_S = 0.1
"""How soon a wait for the broker notices that the relay is to stop."""
_RELAY_LOCK = 0x1F10_0003  # PostgreSQL advisory lock number
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
_log = structlog.get_logger("imageflow.server")


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did.

    Attributes:
        published: events that the bus has acknowledged.
        failed: events that it has not.
    """

    published: int = 0
    failed: int = 0


class OutboxRelay:
    """Publishes on a thread of its own until it is stopped.

    Only the first waiting event of each key is on its way at a time, so that one that fails is never overtaken.

    Args:
        database: holds the outbox.
        bus: gets the events.
    """

    def __init__(self, database: Database, bus: EventBus) -> None:
        self._database = database
        self._bus = bus
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to publish what waits."""
        self._thread = threading.Thread(target=self._run, name="outbox-relay", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look at the outbox now instead of in a moment: after a commit that has added to it. From any thread."""
        self._woken.set()

    def stop(self) -> None:
        """End; what the bus has not acknowledged yet is published again at the next start."""
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join()

    def publish_waiting(self) -> Round:
        """Publish the first waiting event of each key and return what came of it; nothing when another process does.

        Raises:
            Unavailable: when the database is not reachable.
        """
        if not self._database.is_sqlite:
            # The lock ends with the transaction, however this process ends.
            with self._database.local_transaction() as session:
                if not session.scalar(_TRY_LOCK, {"lock": _RELAY_LOCK}):
                    return Round()
                return _note(session, self._publish(_first_of_each_key(session)))
        # One process alone works with a SQLite file, and its writers do not wait for a broker.
        with self._database.read() as session:
            waiting = _first_of_each_key(session)
        outcomes = self._publish(waiting)
        if not outcomes:
            return Round()
        with self._database.local_transaction() as session:
            return _note(session, outcomes)

    def _run(self) -> None:
        pause_s = _PAUSE_S
        while not self._stopping.is_set():
            self._woken.clear()
            done = self._attempt()
            if done.failed:
                pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)
            else:
                pause_s = _PAUSE_S
                if done.published:
                    continue
            self._woken.wait(pause_s)

    def _attempt(self) -> Round:
        try:
            return self.publish_waiting()
        except UserFacingError as error:
            _log.warning("outbox not read", error_code=error.code)
            return Round(failed=1)

    def _publish(self, waiting: list[OutgoingEvent]) -> dict[int, str]:
        """Send events and return by their numbers the code of each failure, empty for what was acknowledged."""
        sent = {event.sequence: self._bus.send(_message(event)) for event in waiting}
        unfinished: set[Future[None]] = set(sent.values())
        while unfinished and not self._stopping.is_set():
            unfinished = wait(unfinished, timeout=_STEP_S).not_done
        return {sequence: _failure(future) for sequence, future in sent.items() if future.done()}


def _first_of_each_key(session: Session) -> list[OutgoingEvent]:
    first = select(func.min(OutgoingEvent.sequence)).group_by(OutgoingEvent.topic, OutgoingEvent.key)
    return list(
        session.scalars(
            select(OutgoingEvent)
            .where(OutgoingEvent.sequence.in_(first))
            # Keys that fail again and again come after those that were not tried yet.
            .order_by(OutgoingEvent.attempts, OutgoingEvent.sequence)
            .limit(_AT_ONCE)
        )
    )


def _note(session: Session, outcomes: dict[int, str]) -> Round:
    published = [sequence for sequence, failure in outcomes.items() if not failure]
    if published:
        session.execute(delete(OutgoingEvent).where(OutgoingEvent.sequence.in_(published)))
    failures = {sequence: failure for sequence, failure in outcomes.items() if failure}
    for code in sorted(set(failures.values())):
        failed = [sequence for sequence, failure in failures.items() if failure == code]
        session.execute(
            update(OutgoingEvent)
            .where(OutgoingEvent.sequence.in_(failed))
            .values(attempts=OutgoingEvent.attempts + 1, last_error=code)
        )
        _log.warning("events not published", error_code=code, events=len(failed))
    return Round(len(published), len(failures))


def _message(event: OutgoingEvent) -> Message:
    return Message(event.topic, event.key, event.payload.encode(), event.event_id, tuple(event.groups))


def _failure(future: Future[None]) -> str:
    error = future.exception()
    if error is None:
        return ""
    if not isinstance(error, Unavailable):
        raise error
    return error.code
