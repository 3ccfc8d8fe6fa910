"""The server's generation: a name that changes with every restore, so that stations know one when it happened."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ids import new_id
from models.insertion import insert_if_absent
from models.sync import SyncState

GENERATION = "server_generation"


def generation(session: Session) -> str:
    """Return the generation; empty before any station has asked for it."""
    return session.scalar(select(SyncState.value).where(SyncState.key == GENERATION)) or ""


def begin_generation(session: Session) -> None:
    """Give the server a generation unless it has one."""
    insert_if_absent(session, SyncState(key=GENERATION, value=new_id()))


def next_generation(session: Session) -> str:
    """Begin a new generation and return it: what stations had acknowledged may be lost."""
    begin_generation(session)
    state = session.get_one(SyncState, GENERATION, with_for_update=True)
    state.value = new_id()
    return state.value
