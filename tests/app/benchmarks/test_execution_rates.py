"""How the benchmark counts executions while as many wait as ever."""

from __future__ import annotations

import itertools
import threading

import pytest

from app.benchmarks.server.executions import _per_second


class Clock:
    """A clock that each run puts forward."""

    def __init__(self, *steps: float) -> None:
        self.now = 0.0
        self._steps = iter(steps)

    def run(self) -> None:
        self.now += next(self._steps)

    def read(self) -> float:
        return self.now


def test_runs_at_either_end_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(100.0, 0.5, 0.5, 0.5, 0.5, 100.0)
    monkeypatch.setattr("app.benchmarks.server.executions.time.perf_counter", clock.read)
    assert _per_second(clock.run, at_once=1, count=4) == pytest.approx(2.0)


def test_as_many_runs_as_wait_are_under_way_at_the_same_time() -> None:
    all_of_them = threading.Barrier(3, timeout=10)
    runs = itertools.count()

    def run() -> None:
        next(runs)
        all_of_them.wait()

    _per_second(run, at_once=3, count=6)
    assert next(runs) == 12
