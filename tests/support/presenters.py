"""What tests of presenters use in place of the window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.window.presenting.presenter import Presenter
from app.window.presenting.running import Lane, Task
from tests.support.doors import InlineRunner


class LateRunner(InlineRunner):
    """Runs operations at once, but those of some lanes when a test says so.

    Attributes:
        lanes: those whose operations wait.
        waiting: what waits, first come first.
        tasks: of everything that has waited.
    """

    def __init__(self, *lanes: Lane) -> None:
        self.lanes = set(lanes)
        self.waiting: list[Callable[[], object]] = []
        self.tasks: list[Task] = []

    def run(self, operation: Callable[[Task], Any], *, lane: Lane, **callbacks: Any) -> Task:
        if lane not in self.lanes:
            return super().run(operation, lane=lane, **callbacks)
        self.waiting.append(lambda: super(LateRunner, self).run(operation, lane=lane, **callbacks))
        self.tasks.append(Task(lambda _: None))
        return self.tasks[-1]

    def end(self) -> None:
        """Run what waits."""
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            one()


class Start(Presenter):
    """The screen where one begins, whoever is signed in."""

    @property
    def is_start(self) -> bool:
        return True
