"""The operator's loop: code → live image → capture → verdict with evidence → decision → next part."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from app.window.presenting.context import StationContext
from app.window.presenting.event import Event
from app.window.presenting.notices import Level
from app.window.presenting.running import Lane, Task
from app.window.presenting.wedge_scanner import RepeatedScan
from app.window.work.item_notes import ItemNotes
from app.window.work.part_images import PartImages
from app.window.work.state import Phase, WorkState, needs_reason, opposite
from models.errors import InvalidInput, Unavailable, UserFacingError
from models.states import HumanVerdict

if TYPE_CHECKING:
    from app.station.operations.history import PartSummary
    from app.station.operations.inspection import ItemInspection
    from app.station.operations.masters import DefectClassView
    from app.window.home.presenter import HomeState
    from inspection.imaging.frames import Frame
    from inspection.sources import ImageSource

Value = TypeVar("Value")

RECENT_PARTS = 20


class WorkPresenter:
    """Decides what happens on the work screen.

    Events:
        changed: the state to show.
        frame_shown: the newest frame of the source.
        inspected: a frame was inspected and what was found is stored.
        verified: the person's decision is stored.
        recent_changed: the last parts, newest first.
        failed: what went wrong; the banner tells of it too.
        source_ended: the source has no more frames.
    """

    def __init__(self, context: StationContext, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._context = context
        self._clock = clock
        self._repeated = RepeatedScan()
        self._images = PartImages(context)
        self._task: Task | None = None
        self._shown_at = 0.0
        self._work_number = 0
        self._visit = 0
        self._notes = ItemNotes(context.notices)
        self.state = WorkState()
        self.recent: tuple[PartSummary, ...] = ()
        self.changed: Event[WorkState] = Event()
        self.frame_shown: Event[Frame] = self._images.frame_shown
        self.inspected: Event[ItemInspection] = Event()
        self.verified: Event[PartSummary] = Event()
        self.recent_changed: Event[tuple[PartSummary, ...]] = Event()
        self.failed: Event[UserFacingError] = Event()
        self.source_ended: Event[()] = self._images.ended
        self._images.changed.connect(self._images_changed)
        self._images.failed.connect(self.failed.emit)

    @property
    def newest_frame(self) -> Frame | None:
        """The frame that a capture would inspect; None while there is none."""
        return self._images.newest

    def enter(self, home: HomeState, make_source: Callable[[], ImageSource]) -> None:
        """Begin to inspect parts of the target chosen at home, with images of ``make_source()``."""
        self.leave(stay=True)
        self._show(WorkState(target=home.target, items=home.required_items, item=next(iter(home.required_items), None)))
        self.use_source(make_source)
        self._read_evidence_lists()

    def use_source(self, make_source: Callable[[], ImageSource]) -> None:
        """Take images from another source; the one before is closed first."""
        self._images.use(make_source)

    def scan(self, code: str) -> None:
        """Take the code of the part that comes next; a repeated one within 2 s is ignored."""
        code = code.strip()
        if not code or not self._repeated.accepts(code, self._clock()):
            return
        if self.state.phase is Phase.DONE:
            self.next_part()
        if self.state.phase is Phase.SCAN and self.state.session_id is None:
            self._context.notices.clear("scan")
            self._show(replace(self.state, part_code=code))
        elif code != self.state.part_code:
            self._context.notices.tell(
                "scan",
                InvalidInput("window-part-undecided", scanned=code, present=self.state.part_code or "-"),
                level=Level.HINT,
                screen="work",
            )

    def capture(self) -> None:
        """Inspect the frame that is shown."""
        if self.state.phase is Phase.DONE:
            self.next_part()
        state, item, frame = self.state, self.state.item, self._images.newest
        if state.phase is not Phase.SCAN or state.target is None or item is None:
            return
        if frame is None or not state.has_frame:
            code = "window-source-ended" if state.source_ended else "window-no-frame"
            self._fail("capture")(Unavailable(code))
            return
        self._context.notices.clear("capture")
        self._show(replace(state, phase=Phase.INSPECTING))
        self._task = self._context.runner.run(
            self._inspection(state, item.id, frame, self._images.before),
            lane=Lane.INSPECTION,
            on_success=self._unless_left(self._show_result),
            on_failure=self._capture_failed,
            on_finished=self._otherwise(Phase.INSPECTING, Phase.SCAN),
        )

    def agree(self) -> None:
        """Decide as the AI result says; in ``REASON`` store the decision as it stands."""
        if self.state.phase is Phase.REASON:
            self.confirm_reason()
        elif self.state.phase is Phase.DECIDE and self.state.verdict is not None:
            self._choose(HumanVerdict(self.state.verdict.value))

    def overrule(self) -> None:
        """Decide otherwise than the AI result says."""
        if self.state.phase is Phase.DECIDE and self.state.verdict is not None:
            self._choose(opposite(self.state.verdict))

    def hold(self) -> None:
        """Put the part aside for somebody else to decide."""
        if self.state.phase is Phase.DECIDE:
            self._choose(HumanVerdict.HOLD)

    def choose_class(self, index: int) -> None:
        """Name the kind of defect by its place in the list and store the decision."""
        if self.state.phase is Phase.REASON and 0 <= index < len(self.state.defect_classes):
            self._store(self.state.defect_classes[index])

    def confirm_reason(self) -> None:
        """Store the decision without a kind of defect."""
        if self.state.phase is Phase.REASON:
            self._store(None)

    def set_comment(self, comment: str) -> None:
        """Say something to the decision; stored with it."""
        if self.state.phase in {Phase.DECIDE, Phase.REASON}:
            self._show(replace(self.state, comment=comment))

    def back(self) -> None:
        """Take back a decision that is not stored yet."""
        if self.state.phase is Phase.REASON:
            self._show(replace(self.state, phase=Phase.DECIDE, human=None))

    def decide(self, verdict: HumanVerdict, defect_class: str | None = None, comment: str = "") -> None:
        """Decide and store in one step; ``defect_class`` is the code of a kind of defect."""
        if self.state.phase is not Phase.DECIDE:
            return
        self._show(replace(self.state, human=verdict, comment=comment or self.state.comment))
        known = next((known for known in self.state.defect_classes if known.code == defect_class), None)
        self._store(known)

    def next_part(self) -> None:
        """Make ready for the next part."""
        if self.state.phase is Phase.DONE:
            self._show(self.state.for_next_part())

    def leave(self, *, stay: bool = False) -> None:
        """Stop work: an inspected part that nobody decided on is cancelled, the source is closed."""
        self._images.stop()
        self._visit += 1
        self._work_number += 1
        if self._task is not None:
            self._task.cancel()
            self._task = None
        state, workspace, user = self.state, self._context.workspace, self._context.user
        if state.session_id is not None and state.phase not in {Phase.DONE, Phase.SAVING} and user is not None:
            session_id = state.session_id

            def cancel(_: Task) -> None:
                from app.station.operations.sessions import cancel_session

                cancel_session(workspace, user, session_id, reason="left by the operator")

            self._context.runner.run(
                cancel,
                lane=Lane.DATABASE,
                on_success=lambda _: None,
                on_failure=self._context.trouble("leave"),
            )
        for about in ("source", "image", "capture", "scan", "verify"):
            self._context.notices.clear(about)
        self._notes.clear()
        self._show(WorkState())
        if not stay:
            self._context.go_to("home")

    def close(self) -> None:
        """Let go of the source; the session that is open is found again at the next start."""
        self._images.close()

    def _inspection(
        self, state: WorkState, item_id: str, frame: Frame, before: Frame | None
    ) -> Callable[[Task], ItemInspection]:
        workspace, user = self._context.workspace, self._context.signed_in_user
        target, post, began = state.target, self._context.runner.post, self._unless_left(self._session_began)
        know = self._unless_left(partial(self._notes.tell, item_id))
        if target is None:
            raise RuntimeError("no target is chosen")

        def inspect(task: Task) -> ItemInspection:
            from app.station.operations.inspection import inspect_item
            from app.station.operations.sessions import begin_session

            session_id = state.session_id
            if session_id is None:
                begun = begin_session(workspace, user, target_id=target.id, serial_number=state.part_code)
                session_id = begun.session_id
                # Known before the inspection ends, so that a second try goes on with the same session.
                post(lambda: began(begun.session_id))
            return inspect_item(
                workspace,
                user,
                session_id,
                item_id,
                frame,
                before=before,
                on_notes=lambda notes: post(lambda: know(notes)),
                cancel=task.cancelled,
            )

        return inspect

    def _session_began(self, session_id: str) -> None:
        self._show(replace(self.state, session_id=session_id))

    def _show_result(self, inspection: ItemInspection) -> None:
        self._task = None
        state = self.state.with_inspection(inspection)
        self._shown_at = self._clock()
        self._show(state)
        if state.phase is Phase.SCAN:
            self._images.advance()
        self.inspected.emit(inspection)

    def _choose(self, verdict: HumanVerdict) -> None:
        state = replace(self.state, human=verdict)
        if needs_reason(state):
            self._show(replace(state, phase=Phase.REASON))
        else:
            self._show(state)
            self._store(None)

    def _store(self, defect_class: DefectClassView | None) -> None:
        from models.results import MarkedDefect

        state, verdict, worst = self.state, self.state.human, self.state.worst
        if verdict is None or state.session_id is None or worst is None:
            return
        defects: Sequence[MarkedDefect] = ()
        if defect_class is not None and verdict is HumanVerdict.NG:
            defects = [MarkedDefect(class_name=defect_class.code, severity=defect_class.severity)]
        workspace, user, session_id = self._context.workspace, self._context.signed_in_user, state.session_id
        seconds = self._clock() - self._shown_at
        before = state.phase
        self._context.notices.clear("verify")
        self._show(replace(state, phase=Phase.SAVING))

        def store(_: Task) -> PartSummary:
            from app.station.operations.verification import verify

            return verify(
                workspace,
                user,
                session_id,
                verdict,
                ai_result_id=worst.ai_result_id,
                defects=defects,
                comment=state.comment,
                seconds=seconds,
            )

        self._context.runner.run(
            store,
            lane=Lane.DATABASE,
            on_success=self._unless_left(self._show_stored),
            on_failure=self._fail("verify"),
            on_finished=self._otherwise(Phase.SAVING, before),
        )

    def _show_stored(self, summary: PartSummary) -> None:
        self._show(replace(self.state, phase=Phase.DONE))
        self._show_recent((summary, *self.recent)[:RECENT_PARTS])
        self._images.advance()
        self.verified.emit(summary)

    def _unless_left(self, callback: Callable[[Value], object]) -> Callable[[Value], None]:
        """Return ``callback`` for work that begins now; what arrives after the person has left is not shown."""
        visit = self._visit

        def arrived(value: Value) -> None:
            if visit == self._visit:
                callback(value)

        return arrived

    def _otherwise(self, unfinished: Phase, phase: Phase) -> Callable[[], None]:
        """Return what lets the person try again when the work that begins now comes to nothing."""
        self._work_number += 1
        number = self._work_number

        def fall_back() -> None:
            # What succeeded may have begun the next piece of work already.
            if self.state.phase is unfinished and number == self._work_number:
                self._show(replace(self.state, phase=phase, human=self.state.human if phase is Phase.REASON else None))

        return fall_back

    def _images_changed(self) -> None:
        images = self._images
        self._show(replace(self.state, has_frame=images.newest is not None, source_ended=images.has_ended))

    def _read_evidence_lists(self) -> None:
        workspace = self._context.workspace

        def read(_: Task) -> tuple[list[DefectClassView], list[PartSummary]]:
            from app.station.operations.history import recent_parts
            from app.station.operations.masters import list_defect_classes

            return list_defect_classes(workspace), recent_parts(workspace, RECENT_PARTS)

        self._context.runner.run(
            read,
            lane=Lane.DATABASE,
            on_success=self._unless_left(self._lists_read),
            on_failure=self._fail("lists", retry=self._read_evidence_lists),
        )

    def _lists_read(self, found: tuple[list[DefectClassView], list[PartSummary]]) -> None:
        classes, recent = found
        self._context.notices.clear("lists")
        self._show(replace(self.state, defect_classes=tuple(classes[:9])))
        self._show_recent(tuple(recent))

    def _show_recent(self, recent: tuple[PartSummary, ...]) -> None:
        self.recent = recent
        self.recent_changed.emit(recent)

    def _capture_failed(self, error: UserFacingError) -> None:
        from inspection.image_quality import FrameRefused

        self._fail("capture", retry=self.capture)(error)
        if isinstance(error, FrameRefused):
            # The same image would be refused again; of a folder or file the next one is taken.
            self._images.advance()

    def _fail(self, about: str, retry: Callable[[], object] | None = None) -> Callable[[UserFacingError], None]:
        def fail(error: UserFacingError) -> None:
            self._context.notices.tell(about, error, retry=retry, screen="work")
            self.failed.emit(error)

        return fail

    def _show(self, state: WorkState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit(state)
