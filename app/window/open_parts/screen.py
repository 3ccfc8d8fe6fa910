"""The parts that were left open when the station ended."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.window.look.style_context import StyleContext
from app.window.open_parts.actions import OpenPartsActions
from app.window.open_parts.presenter import OpenPartsPresenter
from app.window.open_parts.state import OpenPartsState
from app.window.widgets.key_button import KeyButton
from app.window.widgets.panel import Panel
from app.window.widgets.screen import Screen
from app.window.widgets.times import local_time

_ID = Qt.ItemDataRole.UserRole


class OpenPartsScreen(Screen):
    """A list of parts with what is known of them, and what can be done with the chosen one."""

    feature_actions: OpenPartsActions

    def __init__(self, presenter: OpenPartsPresenter, style: StyleContext, parent: QWidget | None = None) -> None:
        super().__init__(style, OpenPartsActions(), parent)
        self._presenter = presenter
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.parts = QListWidget()
        self.refusal = QLabel()
        self.refusal.setWordWrap(True)
        actions = self.feature_actions
        self.later = KeyButton(actions.later)
        self.cancel = KeyButton(actions.cancel)
        self.resume = KeyButton(actions.resume, primary=True)
        for button in (self.later, self.cancel, self.resume):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._lay_out()
        self.parts.currentItemChanged.connect(
            lambda item, _: presenter.choose(item.data(_ID)) if item is not None else None
        )
        actions.later.triggered.connect(presenter.postpone)
        actions.cancel.triggered.connect(presenter.cancel)
        actions.resume.triggered.connect(presenter.resume)
        presenter.changed.connect(self._show)
        self.retranslate()

    def entered(self) -> None:
        """Read the parts and put the focus on their list."""
        self._presenter.refresh()
        self.parts.setFocus()

    def title(self) -> str:
        """Return the name of the screen."""
        return self.tr("Parts without a decision")

    def heading(self) -> tuple[str, str]:
        """Return title and subtitle for the bar at the top."""
        return self.title(), self.tr("Left open when the station ended")

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self.hint.setText(
            self.tr(
                "The AI result of these parts is stored, a decision is missing. Go on with a part where it was left, "
                "or discard it when it is not at hand any more."
            )
        )
        self.refusal.setText(self.tr("Somebody else began this part: only that person or a supervisor can discard it."))
        self.parts.setAccessibleName(self.tr("Parts without a decision"))
        self._show(self._presenter.state)

    def _lay_out(self) -> None:
        sizes = self.style_context.sizes
        panel = Panel(margin=sizes.millimetres(6), spacing=sizes.gap)
        panel.column.addWidget(self.hint)
        panel.column.addWidget(self.parts, 1)
        panel.column.addWidget(self.refusal)
        row = QHBoxLayout()
        row.setSpacing(sizes.gap)
        row.addWidget(self.later, 1)
        row.addWidget(self.cancel, 1)
        row.addWidget(self.resume, 2)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(sizes.gap, sizes.gap, sizes.gap, sizes.gap)
        outer.setSpacing(sizes.gap)
        outer.addWidget(panel, 1)
        outer.addLayout(row)

    def _show(self, state: OpenPartsState) -> None:
        self.feature_actions.resume.setEnabled(state.may_act)
        self.feature_actions.cancel.setEnabled(state.may_discard)
        self.refusal.setVisible(state.of_another)
        self.parts.blockSignals(True)
        self.parts.clear()
        for part in state.parts:
            began = local_time(part.started_at) if part.started_at is not None else "–"
            code = part.serial_number or self.tr("no code")
            item = QListWidgetItem(f"{part.target_code}  {part.target_name}   {code}   {part.verdict.value}   {began}")
            item.setData(_ID, part.session_id)
            self.parts.addItem(item)
            if part.session_id == state.chosen_id:
                self.parts.setCurrentItem(item)
        self.parts.blockSignals(False)
