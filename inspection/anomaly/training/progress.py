"""Progress, remaining time and cancellation of a training."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from inspection.runtime.cancellation import TrainingCancelled

Stage = Literal[
    "reading", "features", "turning", "rotation", "copies", "threshold", "drawn", "fit", "defects", "export", "writing"
]
"""What is counted: each only ever upwards.

``turning`` and ``rotation`` are the two halves of comparing turned copies, ``copies`` the turned copies of all images;
``drawn`` are drawn defects, which are scored between the folds of ``threshold``.
"""


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """Progress of a training.

    Attributes:
        stage: what is counted.
        done: images or folds completed within the stage.
        total: images or folds of the stage.
        fraction: of the whole training, 0 to 1.
        seconds_left: estimate; None before any work is done.
    """

    stage: Stage
    done: int
    total: int
    fraction: float
    seconds_left: float | None


OnProgress = Callable[[TrainingProgress], None]


@dataclass(slots=True)
class ProgressTracker:
    """Progress and cancellation of one training.

    Attributes:
        total: total work, in units of one image's feature extraction; only reduced once work was done.
        on_progress: called with every step, in the training thread.
        cancel: event that stops the training.
    """

    total: float
    on_progress: OnProgress | None
    cancel: threading.Event | None
    began: float = field(default_factory=time.perf_counter)
    done: float = 0.0

    def check(self) -> None:
        """Raise if the training was cancelled.

        Raises:
            TrainingCancelled: when ``cancel`` was set.
        """
        if self.cancel is not None and self.cancel.is_set():
            raise TrainingCancelled

    def advance(self, work: float, stage: Stage, done: int, total: int) -> None:
        """Add ``work`` and report the progress.

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
