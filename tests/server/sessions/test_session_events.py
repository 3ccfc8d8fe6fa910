"""A session's steps are published with the session as it is then."""

from __future__ import annotations

import asyncio
from pathlib import Path

from models.states import Role, SessionStatus
from models.targets import Target
from server.auth.identity.principal import Principal
from server.context import open_context
from server.core.settings import ServerSettings
from server.sessions.events import SESSION_CHANGED
from server.sessions.schemas import SessionCreate, SessionUpdate
from server.sessions.service import create_session, update_session

WHO = Principal(None, "mes", Role.INTEGRATOR, None)


def test_a_step_taken_in_a_thread_reaches_a_reader_in_the_loop(tmp_path: Path) -> None:
    context = open_context(ServerSettings(data_dir=tmp_path))
    with context.database.transaction() as session:
        target = Target(code="A", name="A")
        session.add(target)
    made, _ = create_session(context, WHO, SessionCreate(target_id=target.id))
    step = SessionUpdate(status=SessionStatus.IN_PROGRESS)

    async def scenario() -> SessionStatus:
        async with asyncio.timeout(20), context.events.subscribe(SESSION_CHANGED) as events:
            await asyncio.to_thread(update_session, context, WHO, made.id, step)
            event = await anext(events)
            assert event.key == made.id
            return event.value.status

    assert asyncio.run(scenario()) is SessionStatus.IN_PROGRESS
    context.close()
