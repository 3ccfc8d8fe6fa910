"""Human verification: agree, overrule or hold, with the kind of defect and a comment, until it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.window.presenting.event import Event
from app.window.presenting.messages import PartLeftOpen
from app.window.presenting.running import Lane, Task
from app.window.work.flow import WorkFlow
from app.window.work.state import Phase, needs_reason, opposite
from models.errors import UserFacingError
from models.states import HumanVerdict

if TYPE_CHECKING:
    from app.station.operations.history import PartSummary
    from app.station.views import DefectClassView
    from models.results import MarkedDefect


class Verification:
    """Takes the person's decision on an inspected part.

    Events:
        stored: the decision is stored.
    """

    def __init__(self, flow: WorkFlow) -> None:
        self._flow = flow
        self.stored: Event[PartSummary] = Event()

    def agree(self) -> None:
        """Decide as the AI result; in ``REASON`` store the decision as it is."""
        state = self._flow.state
        if state.phase is Phase.REASON:
            self.confirm_reason()
        elif state.phase is Phase.DECIDE and state.verdict is not None:
            self._choose(HumanVerdict(state.verdict.value))

    def overrule(self) -> None:
        """Decide against the AI result."""
        state = self._flow.state
        if state.phase is Phase.DECIDE and state.verdict is not None:
            self._choose(opposite(state.verdict))

    def hold(self) -> None:
        """Put the part aside for somebody else to decide."""
        if self._flow.state.phase is Phase.DECIDE:
            self._choose(HumanVerdict.HOLD)

    def choose_class(self, index: int) -> None:
        """Choose the kind of defect by its place on the page that is shown and store the decision."""
        state = self._flow.state
        if 0 <= index < len(state.classes_offered):
            self._store(state.classes_offered[index])

    def show_more_classes(self) -> None:
        """Show the next page of kinds of defect, after the last one the first."""
        state = self._flow.state
        if state.phase is Phase.REASON and state.class_pages > 1:
            self._flow.show(replace(state, class_page=(state.class_page + 1) % state.class_pages))

    def confirm_reason(self) -> None:
        """Store the decision without a kind of defect."""
        if self._flow.state.phase is Phase.REASON:
            self._store(None)

    def set_comment(self, comment: str) -> None:
        """Set the comment that is stored with the decision."""
        if self._flow.state.phase in {Phase.DECIDE, Phase.REASON}:
            self._flow.show(replace(self._flow.state, comment=comment))

    def back(self) -> None:
        """Take back a decision that is not stored yet."""
        if self._flow.state.phase is Phase.REASON:
            self._flow.show(replace(self._flow.state, phase=Phase.DECIDE, human=None, class_page=0))

    def decide(self, verdict: HumanVerdict, defect_class: str | None = None, comment: str = "") -> None:
        """Decide and store in one step; ``defect_class`` is the code of a kind of defect."""
        state = self._flow.state
        if state.phase is Phase.DECIDE:
            self._flow.show(replace(state, human=verdict, comment=comment or state.comment))
            self._store(next((known for known in state.defect_classes if known.code == defect_class), None))

    def _choose(self, verdict: HumanVerdict) -> None:
        state = replace(self._flow.state, human=verdict)
        if needs_reason(state):
            self._flow.show(replace(state, phase=Phase.REASON))
        else:
            self._flow.show(state)
            self._store(None)

    def _store(self, defect_class: DefectClassView | None) -> None:
        flow, context = self._flow, self._flow.context
        state, verdict, worst = flow.state, flow.state.human, flow.state.worst
        if verdict is None or state.session_id is None or worst is None:
            return
        defects = _marked(defect_class) if verdict is HumanVerdict.NG else ()
        workspace, user, session_id = context.workspace, context.signed_in_user, state.session_id
        seconds = flow.clock() - flow.decision_since
        context.notices.clear("verify")
        flow.show(replace(state, phase=Phase.SAVING))

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

        def keep_open(error: UserFacingError) -> None:
            context.report("verify")(error)
            context.publish(PartLeftOpen(session_id))

        context.runner.run(
            store,
            lane=Lane.DATABASE,
            on_success=flow.unless_left(self._show_stored),
            on_failure=flow.unless_left(flow.report("verify"), left=keep_open),
            on_finished=flow.otherwise(Phase.SAVING, state.phase),
        )

    def _show_stored(self, summary: PartSummary) -> None:
        self._flow.show(replace(self._flow.state, phase=Phase.DONE))
        self.stored.emit(summary)


def _marked(defect_class: DefectClassView | None) -> Sequence[MarkedDefect]:
    if defect_class is None:
        return ()
    from models.results import MarkedDefect

    return [MarkedDefect(class_name=defect_class.code, severity=defect_class.severity)]
