"""The right-hand side of the work screen: the evidence, or the question for the kind of defect."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QSlider, QVBoxLayout, QWidget

from app.window.shell.screen import Look, Screen
from app.window.widgets.key_button import KeyButton
from app.window.widgets.score_gauge import ScoreGauge
from app.window.work.presenter import WorkPresenter
from app.window.work.state import Phase, WorkState
from models.reasons import reason_text
from models.states import HumanVerdict

CLASSES = 9
COLUMNS = 2
_MOST_REASONS = 5


class EvidencePanel(Screen):
    """Part code, score against threshold, why the part is NG, what was found, and the heatmap's opacity."""

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(look, parent)
        self._language = "en"
        self._state = WorkState()
        sizes = look.sizes
        self.code = QLineEdit()
        self.code.setMaxLength(128)
        self.gauge = ScoreGauge(look.theme, sizes)
        self.against = QLabel()
        self.against.setTextFormat(Qt.TextFormat.PlainText)
        self.against.setWordWrap(True)
        self.against.setVisible(False)
        self.found = QLabel()
        self.found.setWordWrap(True)
        self.found.setProperty("role", "muted")
        self.opacity_label = QLabel()
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setPageStep(25)
        self.opacity.setSingleStep(5)
        self.opacity.setValue(50)
        self.opacity_label.setBuddy(self.opacity)
        panel = QFrame()
        panel.setObjectName("panel")
        column = QVBoxLayout(panel)
        # Little above and below: beneath a banner, on a screen of 768 lines, gauge and reason need all the height.
        pad, narrow = sizes.millimetres(4), sizes.millimetres(2)
        column.setContentsMargins(pad, narrow, pad, narrow)
        column.setSpacing(sizes.millimetres(1))
        column.addWidget(self.code)
        column.addWidget(self.gauge)
        column.addWidget(self.against)
        column.addWidget(self.found)
        column.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(sizes.gap)
        row.addWidget(self.opacity_label)
        row.addWidget(self.opacity, 1)
        column.addLayout(row)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(panel)
        self.retranslate()

    def retranslate(self) -> None:
        """Take the texts of the language that is shown now."""
        self.code.setAccessibleName(self.tr("Part code"))
        self.code.setPlaceholderText(self.tr("Part code: scan or type (P)"))
        self.opacity_label.setText(self.tr("Heatmap"))
        self.opacity.setAccessibleName(self.tr("Opacity of the heatmap"))
        self.gauge.retranslate()

    def set_language(self, language: str) -> None:
        """Show the reasons in ``language``."""
        self._language = language
        self.show_state(self._state)

    def show_state(self, state: WorkState) -> None:
        """Show what is known of the part."""
        self._state = state
        if not self.code.hasFocus() or state.phase is not Phase.SCAN:
            self.code.setText(state.part_code)
        self.code.setReadOnly(state.phase not in {Phase.SCAN, Phase.DONE} or state.session_id is not None)
        worst = state.worst if state.shows_evidence else None
        against = [reason_text(reason, self._language) for reason in state.reasons]
        more = ["…"] if len(against) > _MOST_REASONS else []
        self.against.setText("\n".join(against[:_MOST_REASONS] + more))
        self.against.setVisible(bool(against))
        if worst is None:
            self.gauge.show_score(None, state.item.threshold if state.item else None)
            self.found.setText("")
            return
        self.gauge.show_score(worst.score, worst.threshold)
        lines = []
        if worst.outcome.result.detections:
            lines.append(self.tr("%n regions marked", "", len(worst.outcome.result.detections)))
        lines.append(
            self.tr("Confidence {percent} %, inspected in {milliseconds} ms").format(
                percent=round(worst.confidence * 100), milliseconds=round(worst.milliseconds)
            )
        )
        self.found.setText("\n".join(lines))


class ReasonPanel(Screen):
    """Kinds of defect on the keys 1 to 9 and a comment.

    Signals:
        finished: the comment was entered; keys are actions again.
    """

    finished = Signal()

    def __init__(self, look: Look, presenter: WorkPresenter, parent: QWidget | None = None) -> None:
        super().__init__(look, parent)
        self._presenter = presenter
        self._language = "en"
        sizes = look.sizes
        self.title = QLabel()
        self.title.setStyleSheet("font-weight: 600;")
        self.class_actions = [self._class_action(number) for number in range(CLASSES)]
        self.class_buttons = [KeyButton(action) for action in self.class_actions]
        self.comment = QLineEdit()
        self.comment.setMaxLength(500)
        self.comment_label = QLabel()
        self.comment_label.setBuddy(self.comment)
        panel = QFrame()
        panel.setObjectName("panel")
        column = QVBoxLayout(panel)
        pad = sizes.millimetres(4)
        column.setContentsMargins(pad, pad, pad, pad)
        column.setSpacing(sizes.millimetres(1.5))
        column.addWidget(self.title)
        grid = QGridLayout()
        grid.setSpacing(sizes.gap)
        for place, button in enumerate(self.class_buttons):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            grid.addWidget(button, place // COLUMNS, place % COLUMNS)
        column.addLayout(grid)
        column.addStretch(1)
        column.addWidget(self.comment_label)
        row = QHBoxLayout()
        row.addWidget(self.comment)
        column.addLayout(row)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(panel)
        self.comment.textChanged.connect(presenter.set_comment)
        self.comment.returnPressed.connect(self._finish)
        self.retranslate()

    def set_language(self, language: str) -> None:
        """Show the names of the kinds of defect in ``language``."""
        self._language = language
        self.show_state(self._presenter.state)

    def retranslate(self) -> None:
        """Take the texts of the language that is shown now."""
        self.comment_label.setText(self.tr("Comment  (C)"))
        self.comment.setAccessibleName(self.tr("Comment"))
        self.comment.setPlaceholderText(self.tr("only if it helps"))
        self.show_state(self._presenter.state)

    def show_state(self, state: WorkState) -> None:
        """Ask for the kind of defect, or why an NG was overruled."""
        defective = state.human is HumanVerdict.NG
        if not defective:
            self.title.setText(self.tr("Why is it OK?"))
        elif state.defect_classes:
            self.title.setText(self.tr("Which defect?"))
        else:
            self.title.setText(self.tr("What is wrong with it?"))
        asked = state.phase is Phase.REASON and defective
        for number, action in enumerate(self.class_actions):
            known = state.defect_classes[number] if number < len(state.defect_classes) else None
            action.setText(known.name(self._language) if known is not None else "")
            action.setVisible(asked and known is not None)
            action.setEnabled(asked and known is not None)
        if self.comment.text() != state.comment:
            self.comment.setText(state.comment)

    def _class_action(self, number: int) -> QAction:
        return self.look.actions.numbered(number + 1, lambda: self._presenter.choose_class(number))

    def _finish(self) -> None:
        self.finished.emit()
        self._presenter.confirm_reason()
