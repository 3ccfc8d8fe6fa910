"""The tracker of a training: how far it is, how long it still takes, and whether it shall go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from inspection.runtime.cancellation import TrainingCancelled


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """Where a training stands.

    Attributes:
        stage: ``reading``, ``features``, ``threshold``, ``fit`` or ``export``.
        done: images or folds of the stage that are done.
        total: of how many.
        fraction: of the whole training, 0 to 1.
        seconds_left: estimate; None at the very beginning.
    """

    stage: str
    done: int
    total: int
    fraction: float
    seconds_left: float | None


OnProgress = Callable[[TrainingProgress], None]


@dataclass(slots=True)
class ProgressTracker:
    """Progress and cancellation of one training.

    Attributes:
        total: all the work, counted in images looked at; may only shrink once work was done.
        on_progress: told of every step, in the thread that trains.
        cancel: set by whoever wants the training to stop.
    """

    total: float
    on_progress: OnProgress | None
    cancel: threading.Event | None
    began: float = field(default_factory=time.perf_counter)
    done: float = 0.0

    def check(self) -> None:
        """Go on only when nobody has cancelled.

        Raises:
            TrainingCancelled: when ``cancel`` was set.
        """
        if self.cancel is not None and self.cancel.is_set():
            raise TrainingCancelled

    def advance(self, work: float, stage: str, done: int, total: int) -> None:
        """Count ``work`` as done and tell where the training stands.

        Raises:
            TrainingCancelled: when ``cancel`` was set.
        """
        self.check()
        self.done += work
        if self.on_progress is None:
            return
        fraction = min(self.done / self.total, 1.0)
        elapsed = time.perf_counter() - self.began
        left = elapsed / fraction * (1 - fraction) if fraction > 0 else None
        self.on_progress(TrainingProgress(stage, done, total, fraction, left))
