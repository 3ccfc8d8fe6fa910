"""What happened to an execution reaches its client though the event of it was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from models.executions import Execution
from models.states import ExecutionStatus
from server.context import open_context
from server.core.settings import ServerSettings
from server.events.hub import Hub
from server.events.in_process import InProcessBus
from server.executions.events import PIPELINE_PROGRESS
from server.http.websocket_protocol import CloseCode
from server.live.executions import ExecutionWatch, LookAgain, Mark, Watched, marks_of
from tests.support.live_clients import add_execution, close_code, live, message
from tests.support.serving import Served, serve_with_users

RUNNING = Mark(ExecutionStatus.RUNNING, 0.0, 1)
ENDED = Mark(ExecutionStatus.COMPLETED, 100.0, 1)


@pytest.fixture
def watchful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server that looks at executions again and again at once."""
    monkeypatch.setattr("server.live.endpoints.PERIOD_S", 0.05)
    with serve_with_users(tmp_path, execution_slots=0) as served:
        yield served


def test_an_end_whose_event_was_lost_reaches_the_client(watchful: Served) -> None:
    one = add_execution(watchful.context.database, ExecutionStatus.RUNNING)
    with live(watchful, f"/ws/execution/{one}") as connection:
        assert message(connection)["status"] == "running"
        with watchful.context.database.local_transaction() as session:
            session.get_one(Execution, one).status = ExecutionStatus.CANCELLED
        assert message(connection) == {"type": "execution_update", "execution_id": one, "status": "cancelled"}
        assert close_code(connection) == CloseCode.ENDED


def test_only_who_waits_for_a_changed_execution_looks_again() -> None:
    asked: list[set[str]] = []

    async def ask(ids: Collection[str]) -> dict[str, Mark]:
        asked.append(set(ids))
        return {"a": ENDED, "b": RUNNING}

    async def main() -> None:
        hub = Hub(InProcessBus())
        watch = ExecutionWatch(ask)
        async with hub.listen(PIPELINE_PROGRESS, "a") as first, hub.listen(PIPELINE_PROGRESS, "b") as second:
            watched = [Watched("a", first, RUNNING), Watched("b", second, RUNNING)]
            for one in watched:
                watch.add(one)
            await watch.look()
            assert (await anext(first)).value == LookAgain()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(second), 0.05)
            for one in watched:
                watch.remove(one)

    asyncio.run(main())
    assert asked == [{"a", "b"}]


def test_marks_are_of_those_executions_that_there_are(tmp_path: Path) -> None:
    context = open_context(ServerSettings(data_dir=tmp_path))
    try:
        one = add_execution(context.database, ExecutionStatus.PENDING)
        ids = [one, *(f"unknown-{number}" for number in range(999))]
        assert marks_of(context, ids) == {one: Mark(ExecutionStatus.PENDING, 0.0, 0)}
    finally:
        context.close()
