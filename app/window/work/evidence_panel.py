"""The evidence: part code, score against threshold, why the part is NG, what was found, the heatmap's opacity."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QSlider, QVBoxLayout, QWidget

from app.window.look.language import current_language
from app.window.look.style_context import StyleContext
from app.window.widgets.score_gauge import ScoreGauge
from app.window.widgets.styled_widget import StyledWidget
from app.window.work.state import Phase, WorkState
from models.reasons import reason_text

_MOST_REASONS = 5


class EvidencePanel(StyledWidget):
    """Part code, score against threshold, why the part is NG, what was found, and the heatmap's opacity."""

    def __init__(self, style: StyleContext, parent: QWidget | None = None) -> None:
        super().__init__(style, parent)
        self._state = WorkState()
        sizes = style.sizes
        self.code = QLineEdit()
        self.code.setMaxLength(128)
        self.gauge = ScoreGauge(style)
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
        """Set every text in the language that is shown now."""
        self.code.setAccessibleName(self.tr("Part code"))
        self.code.setPlaceholderText(self.tr("Part code: scan or type (P)"))
        self.opacity_label.setText(self.tr("Heatmap"))
        self.opacity.setAccessibleName(self.tr("Opacity of the heatmap"))
        self.show_state(self._state)

    def show_state(self, state: WorkState) -> None:
        """Show what is known of the part."""
        self._state = state
        if not self.code.hasFocus() or state.phase is not Phase.SCAN:
            self.code.setText(state.part_code)
        self.code.setReadOnly(state.phase not in {Phase.SCAN, Phase.DONE} or state.session_id is not None)
        worst, language = state.worst if state.shows_evidence else None, current_language()
        against = [reason_text(reason, language) for reason in state.reasons]
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
