"""Choosing what to inspect and where images come from; training the model of an item that has none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.window.home.state import HomeState, TrainingState
from app.window.presenting.context import StationContext
from app.window.presenting.event import Event
from app.window.presenting.messages import StartWork
from app.window.presenting.names import first_names
from app.window.presenting.notices import Level
from app.window.presenting.running import Lane, Task
from app.window.presenting.state_presenter import StatePresenter
from models.errors import InvalidInput
from models.messages import LocalText

if TYPE_CHECKING:
    from app.station.operations.model_scores import ScoreDistribution
    from app.station.operations.training import SkippedImages, TrainedModel
    from app.station.operations.users import SignedInUser
    from app.station.views import ItemView, TargetView
    from inspection.anomaly import TrainingProgress, TrainingSettings
    from inspection.anomaly.detail import DetailName
    from inspection.anomaly.training.estimates import DetailEstimate
    from inspection.imaging.datasets import GoodImages
    from inspection.sources import ImageSource


class HomePresenter(StatePresenter[HomeState]):
    """Decides what happens on the home screen; publishes ``StartWork``.

    Events:
        trained: a model was trained and given to its item.
        person_changed: somebody else has signed in; what the one before has typed is none of theirs.
    """

    def __init__(self, context: StationContext) -> None:
        super().__init__(context, HomeState(source=context.sources.spec))
        self._task: Task | None = None
        self._measurement: Task | None = None
        self._reading = 0
        self._skipped_notices: list[str] = []
        self.trained: Event[TrainedModel] = Event()
        self.person_changed: Event[()] = Event()
        self._person_id: str | None = None
        context.user_changed.connect(self._follow_user)
        context.sources.given_changed.connect(lambda source: self._show(self._with_given_source(source)))

    @property
    def is_start(self) -> bool:
        """Whether somebody is signed in and does not inspect parts."""
        return not self._context.at_work

    @property
    def is_reachable(self) -> bool:
        """Whether no parts are being inspected: that is ended on its own screen."""
        return not self._context.at_work

    def poll(self) -> None:
        """Follow what synchronisation, or another program on the same store, has changed of the masters."""
        if self._context.screen == "home" and self.state.training is None and not self._reading:
            self._read(self._loaded_if_changed)

    def refresh(self) -> None:
        """Read the masters again."""
        user = self._context.user
        self._show(replace(self.state, loading=True, may_train=user is not None and user.may_train))
        self._read(self._loaded)

    def _follow_user(self, user: SignedInUser | None) -> None:
        self._forget_answers()
        if user is not None and user.user_id != self._person_id:
            self._person_id = user.user_id
            self.person_changed.emit()

    def _forget_answers(self) -> None:
        """Forget what was measured and trained for the person before, and end what is being measured."""
        if self._measurement is not None:
            self._measurement.cancel()
        self._show(replace(self.state, folder="", details=(), trained=None))

    def _read(self, on_success: Callable[[Sequence[TargetView], str | None, Sequence[ItemView]], object]) -> None:
        workspace, wanted = self._context.workspace, self.state.target_id
        last_code = workspace.settings.target_code

        def read(_: Task) -> tuple[list[TargetView], str | None, list[ItemView]]:
            from app.station.operations.masters import list_items, list_targets

            targets = list_targets(workspace)
            chosen = (
                next((target for target in targets if target.id == wanted), None)
                or next((target for target in targets if target.code == last_code), None)
                or next(iter(targets), None)
            )
            return targets, chosen.id if chosen else None, list_items(workspace, chosen.id) if chosen else []

        self._reading += 1
        self._context.runner.run(
            read,
            lane=Lane.DATABASE,
            on_success=lambda found: on_success(*found),
            on_failure=self._report("masters", retry=self.refresh),
            on_finished=self._read_ended,
        )

    def choose_target(self, target_id: str) -> None:
        """Choose what is inspected."""
        if target_id != self.state.target_id:
            self._show(replace(self.state, target_id=target_id, items=(), item_id=None, trained=None, scores=None))
            self.refresh()

    def choose_item(self, item_id: str) -> None:
        """Choose the item that is trained."""
        if item_id != self.state.item_id:
            self._show(replace(self.state, item_id=item_id, trained=None, scores=None, folder="", details=()))
            self._read_scores()

    def choose_source(self, source: str) -> None:
        """Choose where images come from."""
        if not self.state.fixed_source and source.strip() != self.state.source:
            self._context.sources.spec = source.strip()
            self._show(replace(self.state, source=source.strip()))

    def measure_folder(self, folder: str) -> None:
        """Measure what each detail costs on an image of ``folder``, for the person to choose before a training."""
        item = self.state.item
        if not self.state.may_begin_training or item is None:
            return
        workspace, user_id = self._context.workspace, self._context.user_id
        self._context.notices.clear("training")
        if not folder.strip():
            self._report("training", personal=True)(InvalidInput("window-training-folder-missing"))
            return
        self._show(replace(self.state, measuring=True, folder="", details=(), trained=None))

        def measure(task: Task) -> tuple[DetailEstimate, ...]:
            from app.station.operations.training import measure_item_details
            from inspection.imaging.datasets import good_images

            return measure_item_details(workspace, item.id, good_images(Path(folder)).files, cancel=task.cancelled)

        def keep(found: tuple[DetailEstimate, ...]) -> None:
            if self._context.user_id != user_id:
                return
            names = [estimate.detail for estimate in found]
            detail = self.state.detail if self.state.detail in names else "standard"
            self._show(replace(self.state, folder=folder, details=found, detail=detail))

        self._measurement = self._context.runner.run(
            measure,
            lane=Lane.TRAINING,
            on_success=keep,
            on_failure=self._report("training", personal=True),
            on_finished=self._measurement_ended,
        )

    def choose_detail(self, detail: DetailName) -> None:
        """Choose how large the model sees the images, among what was measured."""
        if any(estimate.detail == detail for estimate in self.state.details):
            self._show(replace(self.state, detail=detail))

    def train_folder(self, folder: str) -> None:
        """Train the chosen item on the good images in ``folder``, at the chosen detail."""
        user_id = self._context.user_id

        def find_images(_: Task) -> GoodImages:
            from inspection.imaging.datasets import good_images

            return good_images(Path(folder))

        def begin(found: GoodImages) -> None:
            from inspection.anomaly import TrainingSettings

            if self._context.user_id != user_id:
                return
            self._report_sub_folders(found)
            self.train(found.files, TrainingSettings(detail=self.state.detail))

        for about in ("training-left-out", "training-taken-whole"):
            self._context.notices.clear(about)
        if not folder.strip():
            self._report("training", personal=True)(InvalidInput("window-training-folder-missing"))
            return
        self._context.runner.run(
            find_images,
            lane=Lane.TRAINING,
            on_success=begin,
            on_failure=self._report("training", personal=True),
        )

    def _report_sub_folders(self, found: GoodImages) -> None:
        """Report which sub-folders are trained on although no name marks them as good, and which are not used."""
        notices = self._context.notices
        if found.left_out:
            names, count = ", ".join(found.left_out), sum(found.left_out.values())
            left_out = InvalidInput("window-training-left-out", names=names, count=count)
            notices.add("training-left-out", left_out, level=Level.HINT, screen="home", personal=True)
        if found.taken_whole:
            taken = InvalidInput("window-training-taken-whole", names=", ".join(found.taken_whole))
            notices.add("training-taken-whole", taken, level=Level.HINT, screen="home", personal=True)

    def train(self, images: Sequence[Path], settings: TrainingSettings | None = None) -> None:
        """Train the chosen item on good ``images``, with progress, until it ends or is cancelled."""
        item = self.state.item
        if not self.state.may_begin_training or item is None:
            return
        workspace, user = self._context.workspace, self._context.signed_in_user
        for about in ("training", *self._skipped_notices):
            self._context.notices.clear(about)
        self._skipped_notices.clear()
        self._show(replace(self.state, training=TrainingState(), trained=None, folder="", details=()))

        def fit(task: Task) -> TrainedModel:
            from app.station.operations.training import train_item_model

            return train_item_model(
                workspace,
                user,
                item.id,
                images,
                settings=settings,
                on_progress=task.report,
                cancel=task.cancelled,
            )

        self._task = self._context.runner.run(
            fit,
            lane=Lane.TRAINING,
            on_success=lambda model: self._succeed(model, user.user_id),
            on_failure=self._report("training", personal=True),
            on_progress=self._progress,
            on_finished=self._training_ended,
        )

    def cancel_training(self) -> None:
        """Stop the training; nothing changes for the item."""
        if self._task is not None and self.state.training is not None:
            self._task.cancel()
            self._show(replace(self.state, training=replace(self.state.training, cancelling=True)))

    def start(self) -> None:
        """Begin to inspect parts of the chosen target."""
        state = self.state
        if not state.may_start or state.target is None:
            return
        self._context.save_settings(source=state.source, target_code=state.target.code)
        self._context.publish(StartWork(state.target, state.required_items))

    def _with_given_source(self, source: ImageSource) -> HomeState:
        """Return the state with a source that was handed to the window instead of a specification."""
        return replace(self.state, fixed_source=source.describe())

    def _read_ended(self) -> None:
        self._reading -= 1
        if not self._reading:
            self._show(replace(self.state, loading=False))

    def _loaded_if_changed(
        self, targets: Sequence[TargetView], target_id: str | None, items: Sequence[ItemView]
    ) -> None:
        if (tuple(targets), tuple(items)) != (self.state.targets, self.state.items):
            self._loaded(targets, target_id, items)

    def _loaded(self, targets: Sequence[TargetView], target_id: str | None, items: Sequence[ItemView]) -> None:
        if self.state.target_id is not None and target_id != self.state.target_id:
            # The person has chosen another target meanwhile, or it is gone; then the question comes again.
            gone = all(target.id != self.state.target_id for target in targets)
            if not gone:
                return
        ids = [item.id for item in items]
        without_model = next((item.id for item in items if not item.model_ready), None)
        item_id = self.state.item_id if self.state.item_id in ids else (without_model or next(iter(ids), None))
        self._context.notices.clear("masters")
        self._show(
            replace(self.state, targets=tuple(targets), target_id=target_id, items=tuple(items), item_id=item_id)
        )
        self._read_scores()

    def _read_scores(self) -> None:
        """Read how the chosen item's model scores good parts, unless that is shown already."""
        item, shown = self.state.item, self.state.scores
        if item is None or item.model_id is None or not item.model_ready:
            self._show(replace(self.state, scores=None))
            return
        if shown is not None and (shown.model_id, shown.threshold) == (item.model_id, item.threshold):
            return
        workspace = self._context.workspace
        self._context.notices.clear("scores")

        def read(_: Task) -> ScoreDistribution:
            from app.station.operations.model_scores import score_distribution

            return score_distribution(workspace, item)

        def keep(scores: ScoreDistribution) -> None:
            if self.state.item is not None and self.state.item.model_id == scores.model_id:
                self._show(replace(self.state, scores=scores))

        self._context.runner.run(read, lane=Lane.DATABASE, on_success=keep, on_failure=self._report("scores"))

    def _progress(self, progress: TrainingProgress) -> None:
        if self.state.training is not None:
            training = replace(
                self.state.training,
                stage=progress.stage,
                fraction=progress.fraction,
                seconds_left=progress.seconds_left,
            )
            self._show(replace(self.state, training=training))

    def _succeed(self, model: TrainedModel, user_id: str) -> None:
        asked = self._context.user_id == user_id
        if asked:
            for skipped in model.reasons:
                self._report_skipped(skipped)
        sources = self._context.sources
        if model.value_range is not None and sources.reading.values is None:
            # The images of the source are read as those of the training were, from the next start on too.
            sources.reading = replace(sources.reading, values=model.value_range)
            self._context.save_settings(image_values=str(model.value_range))
        self._show(replace(self.state, training=None, trained=model if asked else None))
        self.refresh()
        self.trained.emit(model)

    def _report_skipped(self, skipped: SkippedImages) -> None:
        """Name the images that could not be used for one reason."""
        reason = LocalText.of(skipped.error.code, skipped.error.values)
        found = InvalidInput(
            "window-training-skipped", count=len(skipped.names), names=first_names(skipped.names), reason=reason
        )
        about = f"training-skipped-{skipped.error.code}"
        self._skipped_notices.append(about)
        self._context.notices.add(about, found, level=Level.HINT, screen="home", personal=True)

    def _measurement_ended(self) -> None:
        self._measurement = None
        self._show(replace(self.state, measuring=False))

    def _training_ended(self) -> None:
        self._task = None
        self._show(replace(self.state, training=None))
