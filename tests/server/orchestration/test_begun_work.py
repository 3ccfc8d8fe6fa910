"""Work on the database that has begun is finished, and what comes of it concerns those who still wait."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from models.errors import ImageFlowError, Unavailable
from server.executions.leases import LeaseLostError
from server.orchestration.begun_work import outlasting
from tests.support.log_lines import log_lines


def left_with(error: Exception) -> list[dict[str, Any]]:
    """Return what the event loop reports when a unit of work fails after its caller was cancelled."""
    reported: list[dict[str, Any]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reported.append(context))
        unit: asyncio.Future[None] = loop.create_future()
        caller = asyncio.create_task(outlasting(unit))
        await asyncio.sleep(0)
        caller.cancel()
        await asyncio.wait({caller})
        unit.set_exception(error)
        await asyncio.sleep(0)
        del unit

    asyncio.run(main())
    gc.collect()
    return reported


@pytest.mark.parametrize("error", [LeaseLostError("execution"), Unavailable("store-locked")])
def test_work_that_came_too_late_for_its_caller_is_no_fault(
    error: ImageFlowError, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = log_lines(monkeypatch, "server.orchestration.begun_work")
    assert (left_with(error), logged) == ([], [])


def test_a_bug_in_work_that_nobody_waits_for_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    logged = log_lines(monkeypatch, "server.orchestration.begun_work")
    error = ZeroDivisionError()
    assert left_with(error) == []
    assert [(line["log_level"], line["exc_info"]) for line in logged] == [("error", error)]


def test_a_caller_that_waits_gets_the_error() -> None:
    async def main() -> None:
        unit: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        unit.set_exception(LeaseLostError("execution"))
        await outlasting(unit)

    with pytest.raises(LeaseLostError):
        asyncio.run(main())
