"""Commits the work of several writers of a SQLite store together.

A commit waits some milliseconds for the disk, the work before it takes less. Writers that would wait for one another's
commits share one: the work of each has a savepoint of its own, so that one that fails does not undo the work of others,
and each returns only after the commit that makes its work durable. Nobody else sees any of it earlier.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DatabaseError

from models.errors import Unavailable, UserFacingError
from models.store_trouble import trouble_of
from models.waiting import Signal, new_signal, without_blocking

MOST_MEMBERS = 16
"""Writers of one commit: it bounds what a crash before it undoes, and how long the first one waits."""

JoinMode = Literal["rollback_only", "create_savepoint"]


@dataclass(eq=False, slots=True)
class _Writer:
    """One unit of work.

    Attributes:
        alone: it is committed by itself.
        settled: set when its work is committed or lost; None for the one that commits.
        trouble: why it was lost.
    """

    alone: bool
    settled: Signal | None = None
    trouble: BaseException | None = None


@dataclass(eq=False, frozen=True, slots=True)
class _Waiting:
    """A writer in the queue; ``turn`` is set when it may begin."""

    writer: _Writer
    turn: Signal


class CommitGroups:
    """Gives the writers of this process their turns in order, and commits those together that wait for each other.

    SQLite lets a waiting writer poll with pauses that grow: under load some wait for seconds while others pass.

    However a writer ends, its turn goes to the next one and those who wait for its commit learn what became of it.

    Args:
        engine: of the SQLite store; its transactions begin with the write lock.
        patience_s: how long a writer waits for its turn.
        together: whether writers share commits; each has its own otherwise.
    """

    def __init__(self, engine: Engine, patience_s: float, *, together: bool) -> None:
        self._engine = engine
        self._patience_s = patience_s
        self._together = together
        # Waits for the lock and the disk in place of an event loop; its thread begins with the first use.
        self._helper = ThreadPoolExecutor(1, thread_name_prefix="ThreadPoolExecutor-commits")
        self._mutex = threading.Lock()
        self._busy = False
        self._queue: deque[_Waiting] = deque()
        # Below: touched only by the writer whose turn it is.
        self._connection: Connection | None = None
        self._members: list[_Writer] = []
        self._lost_by: BaseException | None = None

    @contextmanager
    def joined(self, *, alone: bool = False) -> Iterator[tuple[Connection, JoinMode]]:
        """Wait for the turn and give the connection to work on, and how a session joins its transaction.

        The block's work is committed when the block has been left without an exception and the call returns.

        Args:
            alone: for work that takes long: nobody waits for it with work of their own done.

        Raises:
            Unavailable: ``store-locked``; or why the work was lost, ``store-write-lost`` where nothing else is known.
        """
        writer = self._wait_for_turn(_Writer(alone or not self._together))
        try:
            if self._connection is None:
                self._connection = without_blocking(self._helper, self._begun)
            yield self._connection, "create_savepoint" if self._members else "rollback_only"
        except BaseException as error:
            if self._connection is not None and self._connection.invalidated:
                self._lost_by = error
            self._pass_on(None)
            raise
        self._pass_on(writer)
        if writer.settled is not None:
            writer.settled.wait(None)
        if writer.trouble is not None:
            # An error of its own for each writer: they are raised in several threads.
            raise _lost(writer.trouble, self._engine.url) from writer.trouble

    def close(self) -> None:
        """End the thread that waits for the disk."""
        self._helper.shutdown()

    def _begun(self) -> Connection:
        connection = self._engine.connect()
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
        return connection

    def _wait_for_turn(self, writer: _Writer) -> _Writer:
        with self._mutex:
            if not self._busy:
                self._busy = True
                return writer
            waiting = _Waiting(writer, new_signal())
            self._queue.append(waiting)
        try:
            given = waiting.turn.wait(self._patience_s)
        except BaseException:
            if not self._withdrawn(waiting):
                self._pass_on(None)  # The turn came at that moment.
            raise
        if not given and self._withdrawn(waiting):
            raise Unavailable("store-locked")
        return writer

    def _withdrawn(self, waiting: _Waiting) -> bool:
        """Take a writer out of the queue; False when the turn came in the last moment, and nobody else has it."""
        with self._mutex:
            if waiting not in self._queue:
                return False
            self._queue.remove(waiting)
            return True

    def _pass_on(self, done: _Writer | None) -> None:
        """Give the turn to the next writer, into the same commit where they may share it."""
        if done is not None:
            self._members.append(done)
        with self._mutex:
            if self._queue and self._may_grow():
                if done is not None:
                    done.settled = new_signal()
                if self._hand_over(to_share=True):
                    return
        try:
            self._commit()
        finally:
            with self._mutex:
                self._busy = self._hand_over(to_share=False)

    def _may_grow(self) -> bool:
        return 0 < len(self._members) < MOST_MEMBERS and not self._members[-1].alone and self._lost_by is None

    def _hand_over(self, *, to_share: bool) -> bool:
        """Give the turn to the first in the queue that is still there; one to be committed alone joins nobody."""
        while self._queue and not (to_share and self._queue[0].writer.alone):
            if self._queue.popleft().turn.set():
                return True
        return False

    def _commit(self) -> None:
        members, self._members = self._members, []
        connection, self._connection = self._connection, None
        trouble, self._lost_by = self._lost_by, None
        try:
            if connection is not None and members and trouble is None:
                without_blocking(self._helper, connection.commit)
        except BaseException as error:
            trouble = error
            if not isinstance(error, Exception):
                raise
        finally:
            for member in members:
                member.trouble = trouble
                if member.settled is not None:
                    member.settled.set()
            if connection is not None:
                _let_go(connection, usable=trouble is None)


def _let_go(connection: Connection, *, usable: bool) -> None:
    """Give a connection back; one whose transaction may still be open must not come to its next user."""
    if not usable and not connection.invalidated:
        connection.invalidate()
    connection.close()


def _lost(trouble: BaseException, store: URL) -> UserFacingError:
    known = trouble_of(trouble, store) if isinstance(trouble, DatabaseError) else None
    return known or Unavailable("store-write-lost")
