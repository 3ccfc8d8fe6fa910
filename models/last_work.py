"""Work that a transaction does last, just before it commits, and work that follows its commit."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

_LAST, _BEFORE, _AFTER = "imageflow.last", "imageflow.before_savepoint", "imageflow.after"
Work = Callable[[Session], None]


def do_last(session: Session, work: Work) -> None:
    """Put ``work`` off until the caller's transaction has written everything else.

    Work that was put off within a savepoint is forgotten when that is rolled back.
    """
    _put_off(session).append(work)


def finish(session: Session) -> None:
    """Write what is pending, then do what was put off, in its order."""
    # Work may be put off by this very flush.
    session.flush()
    put_off = _put_off(session)
    for work in put_off:
        work(session)
    put_off.clear()


def follow_commit(session: Session, key: str, work: Callable[[], object]) -> None:
    """Do ``work`` once the transaction is committed, in the thread that committed it; not when it is lost.

    What was done meanwhile cannot be undone by it, so it must not fail. A savepoint that is rolled back does not
    forget it.

    Args:
        session: an open transaction.
        key: of two works of one key, the first is done.
        work: what to do.
    """
    session.info.setdefault(_AFTER, {}).setdefault(key, work)


def committed(session: Session) -> None:
    """Do what follows the commit."""
    following: dict[str, Callable[[], object]] = session.info.pop(_AFTER, {})
    for work in following.values():
        work()


def forget_with_savepoints(kind: type[Session]) -> None:
    """Let sessions of ``kind`` forget what was put off within a savepoint that they go back to."""
    event.listen(kind, "after_transaction_create", _note_savepoint)
    event.listen(kind, "after_soft_rollback", _go_back)


def _note_savepoint(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        session.info.setdefault(_BEFORE, {})[transaction] = len(_put_off(session))


def _go_back(session: Session, previous: SessionTransaction) -> None:
    before = session.info.get(_BEFORE, {}).pop(previous, None)
    if before is not None:
        del _put_off(session)[before:]


def _put_off(session: Session) -> list[Work]:
    put_off: list[Work] = session.info.setdefault(_LAST, [])
    return put_off
