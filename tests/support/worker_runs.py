"""Executions on a store of their own, run by a worker in this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from models.errors import NotFound
from models.executions import Execution
from models.pipelines import Pipeline
from models.states import Role
from models.storage import sha256_of
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.executions import service
from server.executions.intake import Draft
from server.files.images import check_image
from server.orchestration.worker import Worker
from server.services.step_services import StepServices
from tests.support.executing import RESIZE_BLUR, jpeg

ASKING = Principal("u", "inspector", Role.INSPECTOR, None)
DEADLINE_S = 30.0


def no_model(name: str) -> Any:
    raise NotFound("service-model-unknown", name=name, known="-")


def accept(context: ServerContext, *images: bytes, steps: list[dict[str, Any]] = RESIZE_BLUR) -> str:
    """Accept an execution on images, one unless given, and return its id."""
    with context.database.transaction() as session:
        pipeline = Pipeline(name="P", definition={"name": "P", "steps": steps})
        session.add(pipeline)
    draft = Draft(pipeline_id=pipeline.id)
    for number, data in enumerate(images or (jpeg(),)):
        context.objects.put(sha256_of(data), data)
        draft.files.append(check_image(data, f"{number}.jpg", context.settings))
    return service.accept(context, ASKING, draft, None, runs_here=True).execution_id


def stored(context: ServerContext, execution_id: str) -> Execution:
    with context.database.read() as session:
        return session.get_one(Execution, execution_id)


@asynccontextmanager
async def at_work(context: ServerContext, services: StepServices | None = None) -> AsyncIterator[None]:
    task = asyncio.create_task(Worker(context, 1, services, no_model).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@dataclass(frozen=True)
class Stuck:
    """A component that waits, deaf to a cancelled run."""

    begun: threading.Event
    release: threading.Event


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.01)


def run_to_the_end(context: ServerContext, execution_id: str, services: StepServices | None = None) -> Execution:
    async def work() -> None:
        async with at_work(context, services):
            await until(lambda: stored(context, execution_id).ended_at is not None)

    asyncio.run(work())
    return stored(context, execution_id)
