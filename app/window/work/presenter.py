"""The operator's loop: code → live image → capture → verdict with evidence → decision → next part."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from app.window.presenting.context import StationContext
from app.window.presenting.event import Event
from app.window.presenting.messages import CodeScanned, ResumePart, SigningOut, StartWork
from app.window.presenting.notices import Level
from app.window.presenting.presenter import Presenter
from app.window.presenting.running import Lane, Task
from app.window.presenting.wedge_scanner import RepeatedScan
from app.window.work.capture import Capture
from app.window.work.flow import WorkFlow
from app.window.work.leaving import cancel_part
from app.window.work.line_stop import LineStopNotice
from app.window.work.part_images import PartImages
from app.window.work.state import SCREEN, Phase, WorkState, with_part
from app.window.work.verification import Verification
from models.errors import InvalidInput, UserFacingError
from models.states import HumanVerdict

if TYPE_CHECKING:
    from app.station.operations.history import PartSummary
    from app.station.operations.inspection import ItemInspection
    from app.station.views import DefectClassView
    from inspection.imaging.frames import Frame

RECENT_PARTS = 20


class WorkPresenter(Presenter):
    """Decides what happens on the work screen, part after part.

    Attributes:
        verification: the person's decision on the part that is shown.

    Events:
        changed: the state to show.
        frame_shown: the newest frame of the source.
        inspected: a frame was inspected and what was found is stored.
        verified: the person's decision is stored.
        recent_changed: the last parts, newest first.
        failed: what went wrong; the banner shows it too.
        source_ended: the source has no more frames.
    """

    def __init__(self, context: StationContext, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(context)
        self._repeated = RepeatedScan()
        self._clock = clock
        self._flow = WorkFlow(context, clock)
        self._images = PartImages(context)
        self._capture = Capture(self._flow, self._images)
        self._line_stop = LineStopNotice(context)
        self.verification = Verification(self._flow)
        self.recent: tuple[PartSummary, ...] = ()
        self.changed: Event[WorkState] = self._flow.changed
        self.frame_shown: Event[Frame] = self._images.frame_shown
        self.inspected: Event[ItemInspection] = self._capture.inspected
        self.verified: Event[PartSummary] = Event()
        self.recent_changed: Event[tuple[PartSummary, ...]] = Event()
        self.failed: Event[UserFacingError] = self._flow.failed
        self.source_ended: Event[()] = self._images.ended
        self._images.changed.connect(self._images_changed)
        self._images.failed.connect(self.failed.emit)
        self.verification.stored.connect(self._stored)
        context.subscribe(StartWork, self.start)
        context.subscribe(ResumePart, self.resume)
        context.subscribe(CodeScanned, lambda scanned: self.scan(scanned.code))
        context.subscribe(SigningOut, lambda _: self._end_work())
        context.sources.given_changed.connect(lambda _: self._use_given_source())

    @property
    def state(self) -> WorkState:
        """What is shown."""
        return self._flow.state

    @property
    def is_start(self) -> bool:
        """Whether parts are being inspected."""
        return self._context.at_work

    @property
    def is_reachable(self) -> bool:
        """Whether parts are being inspected."""
        return self._context.at_work

    @property
    def newest_frame(self) -> Frame | None:
        """The frame that a capture would inspect; None while there is none."""
        return self._images.newest

    @property
    def heatmap_opacity(self) -> float:
        """How strongly the heatmap covered the image the last time, 0 to 1."""
        return self._context.workspace.settings.opacity

    def keep_heatmap_opacity(self, opacity: float) -> None:
        """Save the opacity for the next start."""
        self._context.save_settings(opacity=opacity)

    def start(self, order: StartWork) -> None:
        """Begin to inspect parts of a target."""
        self._begin_work(
            WorkState(target=order.target, items=order.items, item=next(iter(order.items), None)),
        )

    def resume(self, order: ResumePart) -> None:
        """Go on with a part that was left open, where it was: its next item, or the person's decision."""
        part = order.part
        state = WorkState(
            target=part.target,
            items=part.required_items,
            item=next(iter(part.required_items), None),
            part_code=part.serial_number,
        )
        for inspection in part.inspections:
            state = state.with_inspection(inspection)
        self._begin_work(replace(state, session_id=part.session_id))

    def scan(self, code: str) -> None:
        """Take the code of the part that comes next; a repeated one within 2 s is ignored."""
        code = code.strip()
        if not self._context.at_work or not code or not self._repeated.accepts(code, self._clock()):
            return
        self.next_part()
        if self.state.phase is Phase.SCAN and self.state.session_id is None:
            self._context.notices.clear("scan")
            self._flow.show(replace(self.state, part_code=code))
        elif code != self.state.part_code:
            self._context.notices.add(
                "scan",
                InvalidInput("window-part-undecided", scanned=code, present=self.state.part_code or "-"),
                level=Level.HINT,
                screen=SCREEN,
            )

    def capture(self) -> None:
        """Inspect the frame that is shown, of the next part when this one is done."""
        self.next_part()
        self._capture.capture()

    def decide(self, verdict: HumanVerdict, defect_class: str | None = None, comment: str = "") -> None:
        """Decide and store in one step; ``defect_class`` is the code of a kind of defect."""
        self.verification.decide(verdict, defect_class, comment)

    def next_part(self) -> None:
        """Prepare for the next part; does nothing while this one is not decided."""
        if self.state.phase is Phase.DONE:
            self._flow.show(self.state.for_next_part())

    def leave(self) -> None:
        """End work and go back to where one begins; an inspected part that nobody decided on is cancelled.

        What could not be inspected is shown there, unless the source has ended: then it was shown before.
        """
        self._end_work()
        self._context.go_to_start()
        if not self._images.has_ended:
            self._images.report_unread(self._context.screen)

    def close(self) -> None:
        """Release the source; a part without a decision stays open and is offered for resuming at the next start."""
        self._images.close()

    def _begin_work(self, state: WorkState) -> None:
        self._end_work()
        self._context.at_work = True
        self._flow.show(state)
        if self._context.sources.is_chosen:
            self._images.use(self._context.sources.maker())
        self._read_lists()
        self._line_stop.look()
        self._context.go_to_start()

    def _end_work(self) -> None:
        self._images.stop()
        self._flow.leave()
        self._capture.cancel()
        self._cancel_open_part()
        for about in ("source", "image", "image-transparent", "capture", "scan", "verify", "lists"):
            self._context.notices.clear(about)
        self._flow.show(WorkState())
        self._context.at_work = False

    def _cancel_open_part(self) -> None:
        state, user = self.state, self._context.user
        if state.session_id is not None and state.phase not in {Phase.DONE, Phase.SAVING} and user is not None:
            cancel_part(self._context, user, state.session_id)

    def _use_given_source(self) -> None:
        if self._context.at_work:
            self._images.use(self._context.sources.maker())

    def _images_changed(self) -> None:
        images = self._images
        self._flow.show(replace(self.state, has_frame=images.newest is not None, source_ended=images.has_ended))

    def _read_lists(self) -> None:
        workspace = self._context.workspace

        def read(_: Task) -> tuple[list[DefectClassView], list[PartSummary]]:
            from app.station.operations.history import recent_parts
            from app.station.operations.masters import list_defect_classes

            return list_defect_classes(workspace), recent_parts(workspace, RECENT_PARTS)

        self._context.runner.run(
            read,
            lane=Lane.DATABASE,
            on_success=self._flow.unless_left(self._lists_read),
            on_failure=self._flow.report("lists", retry=self._read_lists),
        )

    def _lists_read(self, found: tuple[list[DefectClassView], list[PartSummary]]) -> None:
        classes, recent = found
        self._context.notices.clear("lists")
        self._flow.show(replace(self.state, defect_classes=tuple(classes)))
        self._show_recent(tuple(recent))

    def _stored(self, summary: PartSummary) -> None:
        self._show_recent(with_part(self.recent, summary)[:RECENT_PARTS])
        # A part that was resumed was inspected on an image of the store: the frame that waits is the next part's.
        self._images.use_up(self.state.inspections[-1].frame)
        self.verified.emit(summary)

    def _show_recent(self, recent: tuple[PartSummary, ...]) -> None:
        self.recent = recent
        self.recent_changed.emit(recent)
