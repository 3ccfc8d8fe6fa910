"""What the home screen shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.station.operations.model_scores import ScoreDistribution
    from app.station.operations.training import TrainedModel
    from app.station.views import ItemView, TargetView
    from inspection.anomaly.detail import DetailName
    from inspection.anomaly.training.estimates import DetailEstimate


@dataclass(frozen=True, slots=True)
class TrainingState:
    """How far a training is.

    Attributes:
        stage: name of the stage, as the training gives it; empty before the first report.
        fraction: 0 to 1.
        seconds_left: None while it cannot be estimated.
        cancelling: the person has asked to stop.
    """

    stage: str = ""
    fraction: float = 0.0
    seconds_left: float | None = None
    cancelling: bool = False


@dataclass(frozen=True, slots=True)
class HomeState:
    """What the home screen shows.

    Attributes:
        source: image source specification; empty when none is chosen.
        fixed_source: name of a source that was handed to the window; takes the place of ``source``.
        loading: masters are being read.
        training: None while none runs.
        trained: the model that was trained last on this screen.
        measuring: what each detail costs is being measured.
        folder: of good images that ``details`` were measured on; empty before.
        details: what each detail costs on this computer; empty before they were measured.
        detail: that a training from a folder takes.
        scores: how the chosen item's model scores good parts; None while it has no model here.
    """

    targets: tuple[TargetView, ...] = ()
    items: tuple[ItemView, ...] = ()
    target_id: str | None = None
    item_id: str | None = None
    source: str = ""
    fixed_source: str = ""
    loading: bool = False
    may_train: bool = False
    training: TrainingState | None = None
    trained: TrainedModel | None = None
    measuring: bool = False
    folder: str = ""
    details: tuple[DetailEstimate, ...] = ()
    detail: DetailName = "standard"
    scores: ScoreDistribution | None = None

    @property
    def target(self) -> TargetView | None:
        """The chosen target."""
        return next((target for target in self.targets if target.id == self.target_id), None)

    @property
    def item(self) -> ItemView | None:
        """The chosen item."""
        return next((item for item in self.items if item.id == self.item_id), None)

    @property
    def required_items(self) -> tuple[ItemView, ...]:
        """The items every part of the target goes through, in order."""
        return tuple(item for item in self.items if item.required)

    @property
    def may_start(self) -> bool:
        """Whether inspection can begin: a target whose every required item has its model here, and a source."""
        required = self.required_items
        return (
            self.training is None
            and bool(self.source or self.fixed_source)
            and bool(required)
            and all(item.model_ready for item in required)
        )

    @property
    def chosen_detail(self) -> DetailEstimate | None:
        """What the chosen detail costs; None before it was measured."""
        return next((estimate for estimate in self.details if estimate.detail == self.detail), None)

    @property
    def may_begin_training(self) -> bool:
        """Whether this person can train the chosen item now."""
        return self.may_train and self.training is None and not self.measuring and self.item is not None
