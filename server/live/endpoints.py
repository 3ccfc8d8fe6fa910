"""``/ws/execution/{execution_id}``, ``/ws/system-status`` and ``/ws/quality-metrics``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel
from starlette.routing import WebSocketRoute

from models.errors import PermissionDenied
from models.ids import canonical_id
from models.states import Role
from server.alerts.events import QUALITY_ALERTS, AlertNotice
from server.context import ServerContext
from server.events.hub import Listener
from server.events.topics import Topic
from server.executions.events import PIPELINE_PROGRESS, ExecutionEvent
from server.http.lanes import Lane, read_quickly, run_on
from server.http.live_socket import LiveSocket
from server.http.websocket_protocol import CloseCode
from server.http.websockets import Endpoint, websocket_route
from server.live.executions import PERIOD_S, ExecutionWatch, LookAgain, Mark, Watched, marks_of
from server.live.messages import Seen, SystemStatus, execution_update, messages_of_event, messages_of_state
from server.live.present import present_state
from server.live.quality import KEY as QUALITY_KEY
from server.live.quality import PERIOD_S as QUALITY_PERIOD_S
from server.live.quality import alert_of, present_quality, update_of
from server.live.system import Watch, system_status
from server.quality.realtime import realtime
from server.quality.schemas import RealtimeQuality
from server.sessions.rules import only_device

_StateT = TypeVar("_StateT", bound=BaseModel)


def _execution(watch: ExecutionWatch) -> Endpoint:
    async def execution(socket: LiveSocket) -> None:
        """Send the present state of an execution, then everything that happens to it, until it has ended."""
        execution_id = canonical_id(str(socket.path["execution_id"]))
        seen = Seen()
        async with socket.context.hub.listen(PIPELINE_PROGRESS, execution_id) as listener:
            # Listening first: what happens while the state is read is news, or known from it.
            known = await _send_state(socket, execution_id, seen)
            socket.expect_nothing(listener.end)
            listener.when_behind(lambda: socket.drop(CloseCode.TOO_SLOW, "too slow"))
            watched = Watched(execution_id, listener, known)
            watch.add(watched)
            try:
                await _send_events(socket, watched, seen)
            finally:
                watch.remove(watched)

    return execution


async def _send_events(socket: LiveSocket, watched: Watched, seen: Seen) -> None:
    listener = watched.listener
    while not seen.ended:
        event = await anext(listener, None)
        if event is None:
            return
        if listener.missed or isinstance(event.value, LookAgain):
            listener.missed = False
            watched.known = await _send_state(socket, watched.execution_id, seen)
        if isinstance(event.value, ExecutionEvent) and seen.take_event(event.value):
            for message in messages_of_event(event.value, socket.language):
                await socket.send(message)


async def _send_state(socket: LiveSocket, execution_id: str, seen: Seen) -> Mark:
    context = socket.context
    state = await read_quickly(Lane.READS, context, present_state, context, socket.principal, execution_id)
    if not socket.accepted:
        await socket.accept()
    if seen.take_state(state):
        for message in messages_of_state(state, socket.language):
            await socket.send(message)
    return Mark(state.status, state.progress, state.attempts)


async def _follow(
    socket: LiveSocket,
    topic: Topic[Any],
    watch: Watch[_StateT],
    present: Callable[[], Awaitable[tuple[_StateT, Sequence[BaseModel]]]],
    send_changes: Callable[[LiveSocket, Listener[Any], _StateT], Awaitable[None]],
) -> None:
    """Send what is the case now, then what happens in a topic and to a state that is watched.

    Args:
        socket: not accepted yet.
        topic: of the events.
        watch: offers the state again and again.
        present: returns the state now, and the messages that say what is the case.
        send_changes: sends the rest, until the listener ends.
    """
    async with socket.context.hub.listen(topic) as listener:
        # Listening first: what happens meanwhile is sent twice rather than not at all.
        now, messages = await present()
        await socket.accept()
        for message in messages:
            await socket.send(message)
        socket.expect_nothing(listener.end)
        listener.when_behind(lambda: socket.drop(CloseCode.TOO_SLOW, "too slow"))
        watch.add(listener)
        try:
            await send_changes(socket, listener, now)
        finally:
            watch.remove(listener)


def _system(watch: Watch[SystemStatus]) -> Endpoint:
    async def system(socket: LiveSocket) -> None:
        """Send the state of the system now and when it changes, and every change of an execution's status."""
        if only_device(socket.principal) is not None:
            raise PermissionDenied("role-not-allowed", roles=", ".join(role.value for role in Role))

        async def present() -> tuple[SystemStatus, list[SystemStatus]]:
            now = await run_on(Lane.READS, system_status, socket.context)
            return now, [now]

        await _follow(socket, PIPELINE_PROGRESS, watch, present, _send_changes)

    return system


async def _send_changes(socket: LiveSocket, listener: Listener[Any], known: SystemStatus) -> None:
    async for event in listener:
        value = event.value
        if isinstance(value, SystemStatus):
            if value != known:
                known = value
                await socket.send(value)
        elif isinstance(value, ExecutionEvent) and value.step_id is None:
            await socket.send(execution_update(value.execution_id, value.status))


def _quality(watch: Watch[RealtimeQuality]) -> Endpoint:
    async def quality(socket: LiveSocket) -> None:
        """Send the figures of the last hour now and when they change, the open alerts, and what happens to alerts."""

        async def present() -> tuple[RealtimeQuality, list[BaseModel]]:
            now, opened = await run_on(Lane.READS, present_quality, socket.context, socket.language)
            return now, [update_of(now), *opened]

        await _follow(socket, QUALITY_ALERTS, watch, present, _send_quality)

    return quality


async def _send_quality(socket: LiveSocket, listener: Listener[Any], known: RealtimeQuality) -> None:
    async for event in listener:
        value = event.value
        if isinstance(value, AlertNotice):
            await socket.send(alert_of(value, socket.language))
        elif isinstance(value, RealtimeQuality) and value.metrics != known.metrics:
            known = value
            await socket.send(update_of(value))


def live_routes(context: ServerContext) -> tuple[WebSocketRoute, ...]:
    """Return the routes."""
    executions = ExecutionWatch(lambda ids: run_on(Lane.READS, marks_of, context, ids), PERIOD_S)
    system = Watch(lambda: run_on(Lane.READS, system_status, context))
    figures = Watch(lambda: run_on(Lane.READS, realtime, context), QUALITY_KEY, QUALITY_PERIOD_S)
    return (
        websocket_route("/ws/execution/{execution_id}", _execution(executions)),
        websocket_route("/ws/system-status", _system(system)),
        websocket_route("/ws/quality-metrics", _quality(figures)),
    )
