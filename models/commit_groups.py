"""Commits the work of several writers of a SQLite store together.

A commit waits some milliseconds for the disk, the work before it takes less. Writers that would wait for one another's
commits share one: the work of each has a savepoint of its own, so that one that fails takes nothing of the others with
it, and none goes on before the commit that makes its work last. Nobody else sees any of it earlier.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Engine

from models.errors import Unavailable
from models.waiting import Signal, signal, without_blocking

MOST = 16
"""Writers of one commit: it bounds what a crash before it undoes, and how long the first one waits."""

JoinMode = Literal["rollback_only", "create_savepoint"]


@dataclass(eq=False, slots=True)
class _Writer:
    """One unit of work.

    Attributes:
        alone: it is committed by itself.
        turn: set when it may begin; None for one that did not have to wait.
        settled: set when its work is committed or lost; None for the one that commits.
        trouble: why it was lost.
    """

    alone: bool
    turn: Signal | None = None
    settled: Signal | None = None
    trouble: Exception | None = None


class CommitGroups:
    """Gives the writers of this process their turns in order, and commits those together that wait for each other.

    SQLite lets a waiting writer poll with pauses that grow: under load some wait for seconds while others pass.

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
        self._waiting: deque[_Writer] = deque()
        # Below: touched only by the writer whose turn it is.
        self._connection: Connection | None = None
        self._members: list[_Writer] = []
        self._lost_by: Exception | None = None

    @contextmanager
    def joined(self, *, alone: bool = False) -> Iterator[tuple[Connection, JoinMode]]:
        """Wait for the turn and give the connection to work on, and how a session joins its transaction.

        The block's work is committed when the block has been left without an exception and the call returns.

        Args:
            alone: for work that takes long: nobody else waits for it with his own work done.

        Raises:
            Unavailable: ``store-locked``.
            DatabaseError: of the commit, to every writer whose work was lost.
        """
        writer = self._wait_for_turn(_Writer(alone or not self._together))
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
                without_blocking(self._helper, self._connection.begin)
            yield self._connection, "create_savepoint" if self._members else "rollback_only"
        except BaseException as error:
            if isinstance(error, Exception) and self._connection is not None and self._connection.invalidated:
                self._lost_by = error
            self._pass_on(None)
            raise
        self._pass_on(writer)
        if writer.settled is not None:
            writer.settled.wait(None)
        if writer.trouble is not None:
            raise writer.trouble

    def close(self) -> None:
        """End the thread that waits for the disk."""
        self._helper.shutdown()

    def _wait_for_turn(self, writer: _Writer) -> _Writer:
        with self._mutex:
            if not self._busy:
                self._busy = True
                return writer
            writer.turn = signal()
            self._waiting.append(writer)
        given = False
        try:
            given = writer.turn.wait(self._patience_s)
        finally:
            if not given:
                given = not self._withdrawn(writer)
        if not given:
            raise Unavailable("store-locked")
        return writer

    def _withdrawn(self, writer: _Writer) -> bool:
        """Take a writer out of the queue; False when the turn came in the last moment, and nobody else has it."""
        with self._mutex:
            if writer not in self._waiting:
                return False
            self._waiting.remove(writer)
            return True

    def _pass_on(self, done: _Writer | None) -> None:
        """Give the turn to the next writer, into the same commit where they may share it."""
        if done is not None:
            self._members.append(done)
        with self._mutex:
            if self._may_go_on():
                if done is not None:
                    done.settled = signal()
                self._next()
                return
        self._commit()
        with self._mutex:
            self._busy = bool(self._waiting)
            if self._busy:
                self._next()

    def _next(self) -> None:
        following = self._waiting.popleft()
        if following.turn is None:
            raise RuntimeError("a writer waits without a signal")
        following.turn.set()

    def _may_go_on(self) -> bool:
        return (
            bool(self._waiting)
            and not self._waiting[0].alone
            and 0 < len(self._members) < MOST
            and not self._members[-1].alone
            and self._lost_by is None
        )

    def _commit(self) -> None:
        members, self._members = self._members, []
        connection, self._connection = self._connection, None
        trouble, self._lost_by = self._lost_by, None
        if connection is not None:
            with connection:
                if members and trouble is None:
                    trouble = self._trouble_of_commit(connection)
        for member in members:
            member.trouble = trouble
            if member.settled is not None:
                member.settled.set()

    def _trouble_of_commit(self, connection: Connection) -> Exception | None:
        """Commit, and return why it could not be done."""
        try:
            without_blocking(self._helper, connection.commit)
        except Exception as error:  # noqa: BLE001 - raised again by every writer whose work it was
            # The transaction may still be open; the next user of this connection must not find it.
            connection.invalidate()
            return error
        return None
