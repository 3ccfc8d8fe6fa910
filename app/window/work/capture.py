"""Capture: the frame that is shown is inspected, in a session that begins with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from app.window.presenting.event import Event
from app.window.presenting.running import Lane, Task
from app.window.work.flow import WorkFlow
from app.window.work.item_notes import ItemNotes
from app.window.work.leaving import cancel_part
from app.window.work.part_images import PartImages
from app.window.work.state import Phase, WorkState
from models.errors import Unavailable, UserFacingError

if TYPE_CHECKING:
    from app.station.operations.inspection import ItemInspection
    from inspection.imaging.frames import Frame


class Capture:
    """Inspects frames of a source, one at a time.

    Events:
        inspected: a frame was inspected and what was found is stored.
    """

    def __init__(self, flow: WorkFlow, images: PartImages) -> None:
        self._flow = flow
        self._images = images
        self._notes = ItemNotes(flow.context.notices)
        self._task: Task | None = None
        self.inspected: Event[ItemInspection] = Event()

    def capture(self) -> None:
        """Inspect the newest frame for the item whose turn it is."""
        state, frame = self._flow.state, self._images.newest
        if state.phase is not Phase.SCAN or state.target is None or state.item is None:
            return
        if frame is None or not state.has_frame:
            code = "window-source-ended" if state.source_ended else "window-no-frame"
            self._flow.report("capture")(Unavailable(code))
            return
        self._flow.context.notices.clear("capture")
        self._flow.show(replace(state, phase=Phase.INSPECTING))
        self._task = self._flow.context.runner.run(
            self._inspection(state, state.target.id, state.item.id, frame),
            lane=Lane.INSPECTION,
            on_success=self._flow.unless_left(self._show_result),
            on_failure=self._flow.unless_left(partial(self._failed, frame)),
            on_finished=self._flow.otherwise(Phase.INSPECTING, Phase.SCAN),
        )

    def cancel(self) -> None:
        """Stop the inspection that is running and remove the notes of items."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._notes.clear()

    def _inspection(
        self, state: WorkState, target_id: str, item_id: str, frame: Frame
    ) -> Callable[[Task], ItemInspection]:
        context, before = self._flow.context, self._images.before
        workspace, user, post = context.workspace, context.signed_in_user, context.runner.post
        began = self._flow.unless_left(
            self._session_began, left=lambda session_id: cancel_part(context, user, session_id)
        )
        show_notes = self._flow.unless_left(partial(self._notes.show, item_id))

        def inspect(task: Task) -> ItemInspection:
            from app.station.operations.inspection import inspect_item
            from app.station.operations.sessions import begin_session

            session_id = state.session_id
            if session_id is None:
                begun = begin_session(workspace, user, target_id=target_id, serial_number=state.part_code)
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
                on_notes=lambda notes: post(lambda: show_notes(notes)),
                cancel=task.cancelled,
            )

        return inspect

    def _session_began(self, session_id: str) -> None:
        self._flow.show(replace(self._flow.state, session_id=session_id))

    def _show_result(self, inspection: ItemInspection) -> None:
        self._task = None
        self._flow.show(self._flow.state.with_inspection(inspection))
        if self._flow.state.phase is Phase.SCAN:
            self._images.use_up(inspection.frame)
        self.inspected.emit(inspection)

    def _failed(self, frame: Frame, error: UserFacingError) -> None:
        from inspection.image_quality import FrameRefused

        self._flow.report("capture", retry=self.capture)(error)
        if isinstance(error, FrameRefused):
            # The same image would be refused again; of a folder or file the next one is taken.
            self._images.use_up(frame)
