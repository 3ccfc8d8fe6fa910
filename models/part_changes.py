"""Tells a server which parts a transaction has changed, by whatever way their records were written."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy.orm import Session

_WATCHER = "imageflow.parts_changed"
PartsChanged = Callable[[Session, Collection[str]], None]
"""Takes the transaction, and ids of sessions that it has changed, or whose facts."""


def watch_parts(session: Session, watcher: PartsChanged | None) -> None:
    """Have changes of parts within a transaction reported to ``watcher``."""
    session.info[_WATCHER] = watcher


def report_parts(session: Session, session_ids: Collection[str]) -> None:
    """Report that some parts were changed, once their records are written."""
    watcher: PartsChanged | None = session.info.get(_WATCHER)
    if watcher is not None and session_ids:
        watcher(session, session_ids)
