"""One store: a SQLite file (station, embedded server) or a PostgreSQL database; transactions are opened only here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.orm import Session

import models.records  # noqa: F401 - the metadata must be complete before a session is opened
from models.commit_groups import CommitGroups
from models.data_version import DataVersion
from models.errors import Unavailable
from models.last_work import committed, finish, forget_with_savepoints
from models.part_changes import PartsChanged, watch_parts
from models.prepared import lost_its_transaction
from models.sqlite_connections import connect_to_read, prepare
from models.sqlite_dialect import READ_ONLY, StoreConnection, of_store
from models.store_trouble import translated_trouble
from models.tracking import ChangeRecorder, TrackedSession
from models.verdicts import derive_effective_verdicts

_ACTOR = "imageflow.actor"
BUSY_TIMEOUT_MS = 5_000
_ORDERED = "imageflow.ordered"
_ORDERED_AT_ONCE = 4
"""Writers of a process that wait for the order lock with a connection in hand; the others wait without one."""
_KEPT, _CONNECTIONS = 5, 40
"""Connections of a process that stay open, and most with PostgreSQL: readers, writers, and some to spare."""
_ORDER_LOCK = 0x1F10_0002  # PostgreSQL advisory lock number; that of migrations is another


class _WriteSession(TrackedSession):
    """The session of a unit of work that may write."""


derive_effective_verdicts(_WriteSession)
forget_with_savepoints(_WriteSession)


class Database:
    """Opens transactions on one store.

    Args:
        url: SQLAlchemy URL, ``sqlite:///…`` or ``postgresql+psycopg://…``.
        recorder: sees every change to a record that travels; None for a store opened to look at or to migrate.
        busy_timeout_ms: how long a writer waits for another one, and anyone for a free connection, before giving up; a
            writer of a SQLite file as long again where another program holds it.
        parts_changed: told which parts a transaction has changed, before it commits.
        shared_commits: whether writers of a SQLite file that wait for each other share a commit; PostgreSQL does so by
            itself. For many writers with little work each: one may wait for the work of another.
        read_without_room: a SQLite file is read even where the disk has no room for the index of its log; for a store
            that is only looked at.
    """

    def __init__(
        self,
        url: str,
        recorder: ChangeRecorder | None = None,
        *,
        parts_changed: PartsChanged | None = None,
        busy_timeout_ms: int = BUSY_TIMEOUT_MS,
        shared_commits: bool = False,
        read_without_room: bool = False,
    ) -> None:
        self.url = url
        self.recorder = recorder
        self._parts_changed = parts_changed
        self.engine = _engine(url, busy_timeout_ms, read_without_room=read_without_room)
        self._busy_timeout_ms = busy_timeout_ms
        self._ordered_turns = threading.BoundedSemaphore(_ORDERED_AT_ONCE)
        self._groups = CommitGroups(self.engine, busy_timeout_ms / 1000, together=shared_commits)
        self._version = DataVersion(self.engine)

    @classmethod
    def at(cls, path: Path, recorder: ChangeRecorder | None = None, *, read_without_room: bool = False) -> Database:
        """Return the store in the SQLite file ``path``; the file is made when it is not there."""
        return cls(f"sqlite:///{path}", recorder, read_without_room=read_without_room)

    @property
    def is_sqlite(self) -> bool:
        """Whether the store is a SQLite file."""
        return self.engine.dialect.name == "sqlite"

    def migrate(self) -> None:
        """Bring the schema to the newest version; safe to call at every start.

        Raises:
            UserFacingError: when the store is locked, damaged, full, or written by a newer version.
        """
        from models.migrations.newest import has_newest_schema

        with translated_trouble(self.engine.url):
            with self.engine.begin() as connection:
                if has_newest_schema(connection):
                    return
            from models.migrations.upgrade import upgrade

            upgrade(self.engine)

    @contextmanager
    def transaction(self, actor: str | None = None, *, large: bool = False) -> Iterator[Session]:
        """Open a transaction that may write records that travel; commits at the end of the block, else rolls back.

        These transactions run one after another on every engine: on SQLite the first statement takes the write lock
        (``BEGIN IMMEDIATE``), on PostgreSQL the first one takes the order lock, an advisory lock. So what is read in it
        cannot change before it is written; a change that arrives twice at once, or two edits of one field, are seen as
        such, and positions in the change log follow the order of commits.

        Args:
            actor: id of the user on whose behalf it writes; recorders find it with ``actor_of``.
            large: it writes many records, so that no other writer shall share its commit.

        Raises:
            UserFacingError: for trouble of the world: locked, full, damaged or unreachable store.
        """
        with self._writing(actor, ordered=True, large=large) as session:
            yield session

    @contextmanager
    def local_transaction(self, actor: str | None = None) -> Iterator[Session]:
        """Open a transaction for what never travels: sign-ins, keys, the server's audit entries, uploads.

        On PostgreSQL it does not wait for the order lock, nor does anyone wait for it except at a row that both change:
        lock the rows that a decision depends on (``with_for_update``), and append audit entries last, since the chain's
        head stays locked until the end. A record that travels cannot be written in it: giving it a position in the
        change log is refused.

        Args:
            actor: id of the user on whose behalf it writes.

        Raises:
            UserFacingError: for trouble of the world: locked, full, damaged or unreachable store.
        """
        with self._writing(actor, ordered=False) as session:
            yield session

    @contextmanager
    def _writing(self, actor: str | None, *, ordered: bool, large: bool = False) -> Iterator[Session]:
        with translated_trouble(self.engine.url), self._write_session(ordered=ordered, large=large) as session:
            session.info[_ACTOR] = actor
            session.info[_ORDERED] = ordered
            session.recorder = self.recorder
            watch_parts(session, self._parts_changed)
            with session.begin():
                if not self.is_sqlite:
                    statement = f"SET LOCAL lock_timeout = {self._busy_timeout_ms:d}"
                    if ordered:
                        statement += f"; SELECT pg_advisory_xact_lock({_ORDER_LOCK:d})"
                    session.connection().exec_driver_sql(statement)
                yield session
                finish(session)
        # Only here: writers that share a commit have left their own transactions before it.
        committed(session)

    @contextmanager
    def _write_session(self, *, ordered: bool, large: bool) -> Iterator[_WriteSession]:
        if not self.is_sqlite:
            turn = self._ordered_turn() if ordered else nullcontext()
            with turn, _WriteSession(self.engine, expire_on_commit=False) as session:
                yield session
            return
        with (
            self._groups.joined(alone=large) as (connection, mode),
            _WriteSession(connection, join_transaction_mode=mode, expire_on_commit=False) as session,
        ):
            yield session

    @contextmanager
    def _ordered_turn(self) -> Iterator[None]:
        if not self._ordered_turns.acquire(timeout=self._busy_timeout_ms / 1000):
            raise Unavailable("database-busy")
        try:
            yield
        finally:
            self._ordered_turns.release()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a transaction that only reads, one consistent view; never waits for a writer.

        What was loaded in it can be used after it: closing the session detaches records with their values.
        """
        connection_options: dict[str, Any] = {READ_ONLY: True}
        if not self.is_sqlite:
            connection_options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with (
            translated_trouble(self.engine.url),
            self.engine.connect().execution_options(**connection_options) as connection,
            Session(connection, expire_on_commit=False, autoflush=False) as session,
        ):
            yield session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Open a connection for single statements that read columns, without the cost of loading records."""
        options = {READ_ONLY: True}
        with translated_trouble(self.engine.url), self.engine.connect().execution_options(**options) as connection:
            yield connection

    def data_version(self) -> int | None:
        """Return a number that differs once anybody has committed, this process or another; None with PostgreSQL.

        Costs some microseconds, far less than a query: what was read stays true while the number stays the same.
        """
        return self._version.now() if self.is_sqlite else None

    def one_version(self) -> AbstractContextManager[None]:
        """Let this thread see one ``data_version`` until the block ends; see ``DataVersion``. For SQLite alone."""
        return self._version

    def close(self) -> None:
        """Close every connection."""
        self._groups.close()
        self._version.close()
        self.engine.dispose()


def actor_of(session: Session) -> str | None:
    """Return the id of the user on whose behalf a transaction writes; None for the program itself."""
    actor = session.info.get(_ACTOR)
    return actor if isinstance(actor, str) else None


def require_ordered(session: Session) -> None:
    """Check that a transaction may write records that travel.

    Raises:
        RuntimeError: when it was opened with ``local_transaction``. A bug.
    """
    if not session.info.get(_ORDERED):
        raise RuntimeError("a record that travels is written in a local transaction")


def _engine(url: str, busy_timeout_ms: int, *, read_without_room: bool) -> Engine:
    # Parameters stay out of error texts and so out of logs: they are names, comments, digests.
    patience = busy_timeout_ms / 1000
    if make_url(url).get_backend_name() != "sqlite":
        pool: dict[str, Any] = {"pool_pre_ping": True, "pool_timeout": patience, "max_overflow": _CONNECTIONS - _KEPT}
        return create_engine(url, pool_size=_KEPT, hide_parameters=True, **pool)
    # A writer waits for another process up to the timeout; each thread takes a connection of its own.
    arguments = {"timeout": patience, "check_same_thread": False, "factory": StoreConnection}
    # A file's connections cost little; a reader that waited for one would hold up an event loop.
    pool = {"pool_timeout": patience, "pool_size": _KEPT, "max_overflow": 2 * _CONNECTIONS}
    engine = create_engine(of_store(make_url(url)), connect_args=arguments, hide_parameters=True, **pool)

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, record: object, given: Any, named: Any) -> Any:
        del record
        opened = partial(dialect.connect, *given, **named)
        return connect_to_read(opened) if read_without_room else opened()

    @event.listens_for(engine, "connect")
    def prepared(connection: Any, record: object) -> None:
        del record
        prepare(connection)

    @event.listens_for(engine, "handle_error")
    def notice_end(context: ExceptionContext) -> None:
        # SQLite ends a whole transaction by itself for some faults, a full disk among them: there is no savepoint left
        # to go back to, and what was not seen as lost would be taken for committed.
        connection = context.connection
        if connection is None:
            return
        if lost_its_transaction(connection):
            context.is_disconnect = True
            context.invalidate_pool_on_disconnect = False

    return engine
