"""The operator's day in the real station window: every step goes through its presenters, as if keys were pressed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from enum import Enum, auto
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QLoggingCategory, QTimer
from PySide6.QtWidgets import QApplication

from app.demo.operator import decide
from app.demo.output import OFFLINE, SCREENSHOTS
from app.demo.scenario import SETTLE_S, Scenario
from app.demo.server_setup import ENGINEER, OPERATOR
from app.station.operations.history import PartSummary
from app.station.operations.inspection import ItemInspection
from app.station.operations.training import TrainedModel
from app.station.operations.users import SignedInUser
from app.window.enrolment.presenter import EnrolmentPresenter
from app.window.home.presenter import HomePresenter
from app.window.home.state import HomeState, TrainingState
from app.window.presenting.messages import SyncStatusChanged
from app.window.presenting.running import Lane
from app.window.shell.interruption import interruptible
from app.window.shell.station import Station
from app.window.sign_in.presenter import SignInPresenter
from app.window.sync.presenter import SyncPresenter
from app.window.work.presenter import WorkPresenter
from inspection.imaging.frames import Frame
from models.errors import Unavailable, UnreadableImage, UserFacingError
from models.states import Verdict
from models.storage import make_folder
from sync.station.status import SyncStatus

MASTERS_S = 60.0
"""How long the first pull may take."""
_ASK_AGAIN_MS = 300
SCREEN = (1366, 768)
"""Size of a window that is drawn off the screen."""


def without_screen() -> None:
    """Drop the warnings Qt gives for each window it draws off the screen; call before there is one.

    They come without a category of their own, so they cannot be named more exactly.
    """
    QLoggingCategory.setFilterRules("default.warning=false")


class _Step(Enum):
    ENROL = auto()
    CHOOSE = auto()
    TRAIN = auto()
    INSPECT = auto()
    FINISH = auto()
    LEAVE = auto()


class WindowedDemo:
    """Drives one station window through the demo.

    Args:
        scenario: the steps around the operator's work; its server is set up and its station is open.
        application: the Qt application.
        station: the window, with the scenario's parts as its source.
        scripted: decide by script; False leaves capture and decision to the person at the keys.
        pace_ms: how long each result stays on the screen before the script goes on.
        on_training: called with the progress of the training.
    """

    def __init__(
        self,
        scenario: Scenario,
        application: QApplication,
        station: Station,
        *,
        scripted: bool,
        pace_ms: int = 0,
        on_training: Callable[[TrainingState], None] | None = None,
    ) -> None:
        self._scenario = scenario
        self._application = application
        self._station = station
        self._enrolment = station.presenter(EnrolmentPresenter)
        self._sign_in_presenter = station.presenter(SignInPresenter)
        self._home = station.presenter(HomePresenter)
        self._work = station.presenter(WorkPresenter)
        self._sync = station.presenter(SyncPresenter)
        self._scripted = scripted
        self._pace_ms = pace_ms
        self._on_training = on_training
        self._step = _Step.ENROL
        self._failure: BaseException | None = None
        self._inspection: ItemInspection | None = None
        self._pictured: set[str] = set()
        self._masters_until = 0.0
        self._settled = False
        self._leave_by = 0.0

    def run(self) -> None:
        """Run until every part is done, or the person closes the window.

        Raises:
            UserFacingError: when a step fails.
        """
        self._connect()
        hook, sys.excepthook = sys.excepthook, self._surprise
        try:
            self._station.window.show()
            self._station.start()
            QTimer.singleShot(0, self._enrol)
            with interruptible(self._application):
                self._application.exec()
        finally:
            sys.excepthook = hook
            self._station.close()
        if self._failure is not None:
            raise self._failure
        if self._scenario.trained is None:
            raise Unavailable("demo-left-early")
        if not self._settled:
            self._scenario.settle()

    def _connect(self) -> None:
        self._enrolment.enrolled.connect(lambda _: self._sign_in(ENGINEER))
        self._sign_in_presenter.signed_in.connect(self._signed_in)
        self._home.changed.connect(self._home_changed)
        self._home.trained.connect(self._trained)
        self._work.frame_shown.connect(self._frame_shown)
        self._work.inspected.connect(self._inspected)
        self._work.verified.connect(self._verified)
        self._work.source_ended.connect(self._finish)
        self._work.failed.connect(self._work_failed)
        for presenter in (self._enrolment, self._sign_in_presenter, self._home):
            presenter.failed.connect(self._fail)

    def _enrol(self) -> None:
        self._station.show_screen("enrolment")
        self._picture("enrolment")
        scenario = self._scenario
        self._enrolment.enrol(scenario.server_url, scenario.setup.code, scenario.wording.phrase("station-name"))

    def _sign_in(self, username: str) -> None:
        self._station.show_screen("sign_in")
        self._picture("sign_in")
        self._sign_in_presenter.sign_in(username, self._scenario.setup.passwords[username])

    def _signed_in(self, user: SignedInUser) -> None:
        del user
        self._step = _Step.CHOOSE
        self._masters_until = time.monotonic() + MASTERS_S
        self._home.refresh()

    def _home_changed(self, state: HomeState) -> None:
        if state.training is not None:
            self._training(state.training)
        elif self._step is _Step.CHOOSE and not state.loading:
            QTimer.singleShot(0, self._choose)

    def _choose(self) -> None:
        home, state = self._home, self._home.state
        if self._step is not _Step.CHOOSE or state.loading:
            return
        if not state.items:
            self._wait_for_masters()
        elif state.item is None:
            home.choose_item(state.items[0].id)
        elif self._scenario.trained is None:
            self._step = _Step.TRAIN
            home.train(self._scenario.parts.train_good)
        elif state.may_start:
            self._step = _Step.INSPECT
            self._picture("home")
            home.start()

    def _wait_for_masters(self) -> None:
        if time.monotonic() > self._masters_until:
            self._fail(Unavailable("demo-no-masters", seconds=int(MASTERS_S)))
            return
        QTimer.singleShot(_ASK_AGAIN_MS, self._home.refresh)

    def _training(self, training: TrainingState) -> None:
        if training.fraction > 0:
            self._picture("home-training")
        if self._on_training is not None:
            self._on_training(training)

    def _trained(self, model: TrainedModel) -> None:
        self._scenario.trained = model
        self._station.context.sign_out()
        self._sign_in(OPERATOR)

    def _frame_shown(self, frame: Frame) -> None:
        if self._step is not _Step.INSPECT:
            return
        self._work.scan(self._scenario.parts.part_at(frame.path).serial_number)
        if self._scripted:
            QTimer.singleShot(self._pace_ms, self._work.capture)

    def _inspected(self, inspection: ItemInspection) -> None:
        self._inspection = inspection
        self._picture("work-ng" if inspection.verdict is Verdict.NG else "work-ok")
        if self._scripted:
            QTimer.singleShot(self._pace_ms, self._decide)

    def _decide(self) -> None:
        if self._inspection is not None:
            part = self._scenario.part_of(self._inspection)
            decision = decide(len(self._scenario.outcomes) + 1, part, self._inspection.verdict)
            self._work.decide(decision.verdict, decision.defect_class)

    def _verified(self, summary: PartSummary) -> None:
        inspection, self._inspection = self._inspection, None
        if inspection is None:
            return
        scenario = self._scenario
        outcome = scenario.record(inspection, summary)
        self._in_background(lambda: scenario.keep_overlay(outcome, inspection), Lane.TRAINING, lambda: None)
        if len(scenario.outcomes) == scenario.half_way:
            self._in_background(scenario.stop_server, Lane.TRAINING, lambda: None)

    def _work_failed(self, error: UserFacingError) -> None:
        if isinstance(error, UnreadableImage):
            self._scenario.skip(error)
        elif self._scripted:
            self._fail(error)

    def _finish(self) -> None:
        if self._step is not _Step.FINISH:
            self._step = _Step.FINISH
            self._picture_all(OFFLINE)
            self._in_background(self._scenario.settle, Lane.TRAINING, self._end)

    def _end(self) -> None:
        self._settled = True
        self._leave_by = time.monotonic() + SETTLE_S
        self._station.context.subscribe(SyncStatusChanged, lambda _: self._picture_end())
        self._picture_end()

    def _picture_end(self) -> None:
        """Take the last pictures once the window knows that everything is with the server, and leave.

        What was with it may wait again, as after a later change; the demo does not wait for that without end.
        """
        status = self._sync.state.status
        if self._step is _Step.LEAVE:
            return
        if status is None or status.waiting or status.blobs_waiting:
            if time.monotonic() > self._leave_by:
                self._step = _Step.LEAVE
                self._fail(self._scenario.not_synced(status or SyncStatus()))
            else:
                self._sync.refresh()
            return
        self._step = _Step.LEAVE
        self._picture_all("")
        self._application.quit()

    def _in_background(self, work: Callable[[], None], lane: Lane, then: Callable[[], None]) -> None:
        self._station.workers.run(lambda _: work(), lane=lane, on_success=lambda _: then(), on_failure=self._fail)

    def _fail(self, error: UserFacingError) -> None:
        if self._failure is None:
            self._failure = error
        self._application.quit()

    def _surprise(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """What the UI thread did not catch ends the demo; it is raised again when the window is closed."""
        del kind, trace
        if self._failure is None:
            self._failure = error
        self._application.quit()

    @property
    def _screenshots(self) -> Path:
        return self._scenario.out / SCREENSHOTS

    def _picture(self, name: str) -> None:
        """Save the window as it is, once under each name.

        Raises:
            Unavailable: ``file-disk-full`` or ``file-not-written``.
        """
        if name not in self._pictured:
            self._pictured.add(name)
            make_folder(self._screenshots)
            self._station.grab_screen(self._screenshots / f"{name}.png")

    def _picture_all(self, prefix: str) -> None:
        make_folder(self._screenshots)
        self._station.grab_all_screens(self._screenshots, prefix=prefix)
