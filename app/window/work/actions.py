"""Actions of the work screen: plain keys, so that the operator's hand stays in one place."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.window.widgets.actions import FeatureActions
from app.window.work.state import CLASSES_SHOWN, Phase, WorkState, opposite


class WorkActions(FeatureActions):
    """Capture, decide, next part; the kinds of defect are on the digits.

    Attributes:
        classes: one for each kind of defect that is shown, on the keys 1 to 9.
        more_classes: shows the next kinds of defect.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = WorkState()
        self.home = self.plain("Esc")
        self.back = self.plain("Esc")
        self.capture = self.plain(" ")
        self.agree = self.plain("Enter")
        self.overrule = self.plain("o")
        self.hold = self.plain("h")
        self.next_part = self.plain("n")
        self.comment = self.plain("c", opens_field=True)
        self.part_code = self.plain("p", opens_field=True)
        self.classes = [self.plain(str(number)) for number in range(1, CLASSES_SHOWN + 1)]
        self.more_classes = self.plain("0")
        self.retranslate()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self.home.setText(self.tr("Home"))
        self.back.setText(self.tr("Back"))
        self.capture.setText(self.tr("Capture"))
        self.hold.setText(self.tr("Hold"))
        self.next_part.setText(self.tr("Next part"))
        self.comment.setText(self.tr("Comment"))
        self.part_code.setText(self.tr("Type code"))
        self._name_decisions()
        super().retranslate()

    def show_state(self, state: WorkState) -> None:
        """Enable what is possible now, and put the verdict into the texts of the decisions."""
        self._state = state
        phase = state.phase
        ready = phase in {Phase.SCAN, Phase.DONE}
        reason = phase is Phase.REASON
        on_screen = state.target is not None
        next_frame = state.has_frame or (phase is Phase.DONE and not state.source_ended)
        self.capture.setEnabled(on_screen and ready and next_frame)
        self.agree.setEnabled(phase in {Phase.DECIDE, Phase.REASON})
        self.overrule.setEnabled(phase is Phase.DECIDE)
        self.hold.setEnabled(phase is Phase.DECIDE)
        self.next_part.setEnabled(phase is Phase.DONE)
        self.comment.setEnabled(reason)
        self.back.setEnabled(reason)
        self.back.setVisible(reason)
        self.part_code.setEnabled(on_screen and (phase is Phase.DONE or (ready and state.session_id is None)))
        self.home.setVisible(not reason)
        self.home.setEnabled(not on_screen or ready)
        self._name_decisions()

    def _name_decisions(self) -> None:
        state = self._state
        agree, overrule = self.tr("Agree"), self.tr("Overrule")
        if state.phase is Phase.REASON:
            agree = self.tr("Save {verdict}").format(verdict=state.human.value if state.human else "")
        elif state.phase is Phase.DECIDE and state.verdict is not None:
            agree = self.tr("Agree: {verdict}").format(verdict=state.verdict.value)
            overrule = self.tr("Overrule: {verdict}").format(verdict=opposite(state.verdict).value)
        self.agree.setText(agree)
        self.overrule.setText(overrule)
