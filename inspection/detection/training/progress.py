"""Progress of a detector training."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from inspection.runtime.cancellation import TrainingCancelled

_STAGES = {"reading": 0.02, "train": 0.88, "export": 0.01, "reference": 0.03, "int8": 0.03, "measure": 0.03}
"""Stage → its share of the whole, in order."""


@dataclass(frozen=True, slots=True)
class DetectorProgress:
    """Progress of a training.

    Attributes:
        stage: ``reading``, ``train``, ``export``, ``reference``, ``int8`` or ``measure``.
        done: completed units of the stage; for ``train`` epochs, with the fraction of the current one.
        total: units of the stage.
        fraction: of the whole training, 0 to 1.
        losses: current losses by name.
        map50: of the last complete epoch; None before the first.
        map50_95: likewise.
        epoch_ended: whether an epoch ended with this event.
    """

    stage: str
    done: float
    total: int
    fraction: float
    losses: dict[str, float] = field(default_factory=dict)
    map50: float | None = None
    map50_95: float | None = None
    epoch_ended: bool = False


class ProgressReporter:
    """Converts events into progress and checks for cancellation."""

    def __init__(self, on_progress: Callable[[DetectorProgress], None] | None, cancel: threading.Event | None) -> None:
        self.cancel = cancel
        self._on_progress = on_progress
        self._map: tuple[float, float] | None = None

    def counted(self, stage: str) -> Callable[[int, int], None]:
        """Return a callback for the units done and the total of a stage."""
        return lambda done, total: self._report(stage, done, total)

    def part(self, stage: str, total: int) -> Callable[[int, int], None]:
        """Return a callback that ignores its arguments and counts its calls up to ``total``."""
        done = 0

        def one_more(_done: int, _total: int) -> None:
            nonlocal done
            done += 1
            self._report(stage, done, total)

        return one_more

    def event(self, event: dict[str, Any]) -> None:
        """Handle an event of the training subprocess."""
        if event["stage"] in {"train", "epoch"}:
            ended = event["stage"] == "epoch"
            if ended:
                self._map = event["map50"], event["map50_95"]
            within = 1.0 if ended else event["batch"] / max(event["batches"], 1)
            self._report("train", event["epoch"] - 1 + within, event["epochs"], event["losses"], ended=ended)
        else:
            self._report(event["stage"], event["done"], event["total"])

    def _report(
        self, stage: str, done: float, total: int, losses: dict[str, float] | None = None, *, ended: bool = False
    ) -> None:
        if self.cancel is not None and self.cancel.is_set():
            raise TrainingCancelled
        if self._on_progress is None:
            return
        before = sum(share for name, share in _STAGES.items() if list(_STAGES).index(name) < list(_STAGES).index(stage))
        self._on_progress(
            DetectorProgress(
                stage=stage,
                done=done,
                total=total,
                fraction=before + _STAGES[stage] * (done / total if total else 1.0),
                losses=losses or {},
                map50=self._map[0] if self._map else None,
                map50_95=self._map[1] if self._map else None,
                epoch_ended=ended,
            )
        )
