"""The choice of a detail before a training: four buttons in a row, each with what it costs on this computer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.window.home.actions import HomeActions
from app.window.home.state import HomeState
from app.window.look.style_context import StyleContext
from app.window.widgets.key_button import KeyButton
from app.window.widgets.times import duration_text

if TYPE_CHECKING:
    from inspection.anomaly.detail import DetailName
    from inspection.anomaly.training.estimates import DetailEstimate

_COLUMNS = 4


class DetailChoice(QWidget):
    """Shows the measured details and which of them is chosen; hidden while nothing was measured.

    Attributes:
        explanation: what the chosen detail means.
    """

    def __init__(self, actions: HomeActions, style: StyleContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self.explanation = QLabel()
        self.explanation.setProperty("role", "muted")
        self.explanation.setWordWrap(True)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(style.sizes.gap)
        for number, action in enumerate(actions.details.values()):
            grid.addWidget(KeyButton(action), number // _COLUMNS, number % _COLUMNS)
        grid.addWidget(self.explanation, len(actions.details) // _COLUMNS, 0, 1, _COLUMNS)

    def show_details(self, state: HomeState) -> None:
        """Show what was measured, in the language that is shown now."""
        shown = bool(state.details) and state.training is None
        measured = {estimate.detail: estimate for estimate in state.details}
        names = self._names()
        for detail, action in self._actions.details.items():
            estimate = measured.get(detail)
            action.setVisible(shown and estimate is not None)
            action.setEnabled(shown and estimate is not None)
            if estimate is not None:
                sign = "✓ " if detail == state.detail else ""
                action.setText(f"{sign}{names[detail]} {self._milliseconds(estimate)}")
        self.setVisible(shown)
        if state.chosen_detail is not None:
            self.explanation.setText(self._explained(state.chosen_detail))

    def _milliseconds(self, estimate: DetailEstimate) -> str:
        return self.tr("{time} ms").format(time=self.locale().toString(estimate.latency_ms, "f", 0))

    def _explained(self, estimate: DetailEstimate) -> str:
        text = self.tr(
            "Finds defects from about {size} pixels; {time} ms and {memory} MB an image on this computer; training "
            "takes about {training}."
        )
        number = self.locale().toString
        return text.format(
            size=estimate.smallest_defect,
            time=number(estimate.latency_ms, "f", 0),
            memory=number(estimate.memory_mb, "f", 0),
            training=duration_text(estimate.training_s),
        )

    def _names(self) -> dict[DetailName, str]:
        return {
            "fast": self.tr("Fast"),
            "standard": self.tr("Standard"),
            "fine": self.tr("Fine"),
            "finest": self.tr("Finest"),
        }
