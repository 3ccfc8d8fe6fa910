"""Executions that clients wait for: all looked at in one query from time to time, in case an event of one was lost.

A worker that ends between its commit and its event leaves no event. The database has what counts, and a client whose
execution stays as it is costs nothing of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select

from models.batches import in_batches
from models.errors import Unavailable
from models.executions import Execution
from models.states import ExecutionStatus
from server.context import ServerContext
from server.core.structlog_import import structlog
from server.events.hub import Listener
from server.events.topics import Event

PERIOD_S = 10.0
_log = structlog.get_logger("imageflow.server")


class Mark(NamedTuple):
    """By which a changed execution is known."""

    status: ExecutionStatus
    progress: float
    attempts: int


class LookAgain(NamedTuple):
    """The event that an execution is no longer as its client last read it."""


@dataclass(eq=False, slots=True)
class Watched:
    """An execution that a client waits for.

    Attributes:
        execution_id: of the execution.
        listener: of the client.
        known: as the client last read it.
    """

    execution_id: str
    listener: Listener[Any]
    known: Mark


class ExecutionWatch:
    """Looks at the executions of all clients of this process every ten seconds, while there is any client.

    Args:
        ask: returns the marks of executions now.
        period_s: seconds between two looks.
    """

    def __init__(
        self, ask: Callable[[Collection[str]], Awaitable[Mapping[str, Mark]]], period_s: float = PERIOD_S
    ) -> None:
        self._ask = ask
        self._period_s = period_s
        self._watched: set[Watched] = set()
        self._watching: asyncio.Task[None] | None = None

    def add(self, watched: Watched) -> None:
        """Tell a client to look again when its execution is found to be another one than it knows."""
        self._watched.add(watched)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), name="executions that clients wait for")

    def remove(self, watched: Watched) -> None:
        """Look no more for it."""
        self._watched.discard(watched)
        if not self._watched and self._watching is not None:
            self._watching.cancel()
            self._watching = None

    async def look(self) -> None:
        """Look now.

        Raises:
            Unavailable: when the database is not reachable.
        """
        now = await self._ask({watched.execution_id for watched in self._watched})
        for watched in list(self._watched):
            if now.get(watched.execution_id, watched.known) != watched.known:
                watched.listener.offer(Event(watched.execution_id, LookAgain()))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._period_s)
            try:
                await self.look()
            except Unavailable as error:
                _log.warning("executions of clients not read", error_code=error.code)


def marks_of(context: ServerContext, execution_ids: Collection[str]) -> dict[str, Mark]:
    """Return the marks of executions as they are now, by id.

    Raises:
        Unavailable: when the database is not reachable.
    """
    columns = select(Execution.id, Execution.status, Execution.progress, Execution.attempts)
    found: dict[str, Mark] = {}
    with context.database.read() as session:
        for ids in in_batches(sorted(execution_ids)):
            for row in session.execute(columns.where(Execution.id.in_(ids))):
                found[row.id] = Mark(row.status, row.progress, row.attempts)
    return found
