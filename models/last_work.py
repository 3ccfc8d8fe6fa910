"""Work that a transaction does last, just before it commits."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from sqlalchemy.orm import Session

_LAST = "imageflow.last"
Work = Callable[[Session], None]


def do_last(session: Session, work: Work) -> None:
    """Put ``work`` off until the caller's transaction has written everything else.

    Not within a savepoint: going back to it does not take the work back.
    """
    session.info.setdefault(_LAST, []).append(work)


def finish(session: Session) -> None:
    """Write what is pending, then do what was put off, in its order."""
    put_off = cast("list[Work]", session.info.pop(_LAST, []))
    if put_off:
        session.flush()
    for work in put_off:
        work(session)
