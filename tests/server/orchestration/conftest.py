"""A context with short leases, and components that do what a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inspection.components.registry import InspectionCancelled, StepContext, components
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from server.executions.pipelines import pipeline_of
from tests.support.worker_runs import DEADLINE_S, Stuck


@pytest.fixture
def context(tmp_path: Path) -> Iterator[ServerContext]:
    opened = open_context(ServerSettings(data_dir=tmp_path, execution_lease_s=2, execution_attempts=2))
    opened.outbox.start()
    yield opened
    opened.close()


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return what lets components, by name, do what a function of their context does."""
    known = dict(components())

    def planted(**runs: Callable[[StepContext], Any]) -> None:
        for name, run in runs.items():
            known[name] = replace(known[name], run=lambda _parameters, _inputs, context, run=run: run(context))

    monkeypatch.setattr("inspection.pipeline.validation.components", lambda: known)
    pipeline_of.cache_clear()
    yield planted
    pipeline_of.cache_clear()


@pytest.fixture
def no_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs wait for threads that stop, also on a machine that has much else to do."""
    monkeypatch.setattr("server.orchestration.run_work.STOP_S", DEADLINE_S)


@pytest.fixture
def stuck(plant: Callable[..., None]) -> Iterator[Stuck]:
    """Let the component resize wait until it is released, at the latest when the test ends."""
    made = Stuck(threading.Event(), threading.Event())

    def wait(_: StepContext) -> Any:
        made.begun.set()
        # Longer than any test waits for what shall not wait for this.
        made.release.wait(3 * DEADLINE_S)
        raise InspectionCancelled

    plant(resize=wait)
    yield made
    made.release.set()
