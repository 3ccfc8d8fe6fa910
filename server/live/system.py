"""The state of the system: asked of its parts from time to time for all who listen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from models.errors import Unavailable
from server.context import ServerContext
from server.events.hub import Listener
from server.events.topics import Event
from server.health.service import health
from server.health.waiting import open_executions
from server.live.messages import ServiceStatus, SystemStatus

StateT = TypeVar("StateT", bound=BaseModel)
PERIOD_S = 10.0
KEY = "system"


def system_status(context: ServerContext) -> SystemStatus:
    """Return the state of the parts and how many executions wait and run; without these when the database is down."""
    try:
        found: dict[str, Any] = health(context).model_dump(mode="json")
    except Unavailable as error:
        found = dict(error.members)
    states = {name: part["status"] for name, part in found.get("components", {}).items()}
    # Without the latency, which is another one with each look.
    services = {
        name: ServiceStatus(status=service["status"], circuit=service["circuit"])
        for name, service in found.get("grpc_services", {}).items()
    }
    try:
        with context.database.read() as session:
            executions = open_executions(session)
    except Unavailable:
        executions = {}
    down = "down" in states.values()
    return SystemStatus(
        status="down" if down else "ok", components=states, grpc_services=services, executions=executions
    )


class Watch(Generic[StateT]):
    """Asks for a state from time to time while somebody listens.

    Args:
        ask: returns the state now.
        key: of the events that carry it.
        period_s: seconds between two questions.
    """

    def __init__(self, ask: Callable[[], Awaitable[StateT]], key: str = KEY, period_s: float = PERIOD_S) -> None:
        self._ask = ask
        self._key = key
        self._period_s = period_s
        self._listeners: set[Listener[Any]] = set()
        self._watching: asyncio.Task[None] | None = None

    def add(self, listener: Listener[Any]) -> None:
        """Offer a listener the state every time; whether it is news depends on what its client was sent."""
        self._listeners.add(listener)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    def remove(self, listener: Listener[Any]) -> None:
        """Offer it no more."""
        self._listeners.discard(listener)
        if not self._listeners and self._watching is not None:
            self._watching.cancel()
            self._watching = None

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._period_s)
            now = await self._ask()
            for listener in list(self._listeners):
                listener.offer(Event(self._key, now))
