"""Edits that lost to newer ones: both values side by side, who made them and when, and the one that holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.window.conflicts.actions import ConflictsActions
from app.window.conflicts.comparison import compared
from app.window.conflicts.presenter import ConflictsPresenter
from app.window.conflicts.state import ConflictsState
from app.window.look.style_context import StyleContext
from app.window.widgets.key_button import KeyButton
from app.window.widgets.panel import Panel
from app.window.widgets.record_names import entity_name, field_name
from app.window.widgets.screen import Screen
from app.window.widgets.times import local_time

if TYPE_CHECKING:
    from sync.station.conflicts import Side

_ID = Qt.ItemDataRole.UserRole


class ConflictsScreen(Screen):
    """The list at the left, the two values with what holds at the right, the actions below."""

    feature_actions: ConflictsActions

    def __init__(self, presenter: ConflictsPresenter, style: StyleContext, parent: QWidget | None = None) -> None:
        super().__init__(style, ConflictsActions(), parent)
        self._presenter = presenter
        actions = self.feature_actions
        self.conflicts = QListWidget()
        self.conflicts.setWordWrap(True)
        self.conflicts.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.field = QLabel()
        self.field.setStyleSheet("font-weight: 600;")
        self.names = [QLabel() for _ in range(3)]
        self.values = [QLabel() for _ in range(3)]
        self.makers = [QLabel() for _ in range(3)]
        self.note = QLabel()
        for label in (self.field, self.note, *self.values, *self.makers):
            label.setWordWrap(True)
        for label in (self.note, *self.names, *self.makers):
            label.setProperty("role", "muted")
        self.leave = KeyButton(actions.leave)
        self.show_seen = KeyButton(actions.show_seen)
        self.take_mine = KeyButton(actions.take_mine)
        self.keep_theirs = KeyButton(actions.keep_theirs, primary=True)
        self._lay_out()
        self.conflicts.currentItemChanged.connect(
            lambda item, _: presenter.choose(item.data(_ID)) if item is not None else None
        )
        actions.leave.triggered.connect(presenter.leave)
        actions.show_seen.triggered.connect(presenter.toggle_seen)
        actions.take_mine.triggered.connect(presenter.take_mine)
        actions.keep_theirs.triggered.connect(presenter.keep_theirs)
        presenter.changed.connect(self._show)
        self.retranslate()

    def entered(self) -> None:
        """Read the conflicts and put the focus on their list."""
        self._presenter.refresh()
        self.conflicts.setFocus()

    def title(self) -> str:
        """Return the name of the screen."""
        return self.tr("Edits that lost")

    def heading(self) -> tuple[str, str]:
        """Return title and subtitle for the bar at the top."""
        return self.title(), self.tr("The newer change holds")

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self.conflicts.setAccessibleName(self.tr("Edits that lost"))
        for label, name in zip(self.names, (self.tr("Mine"), self.tr("Theirs"), self.tr("Holds now")), strict=True):
            label.setText(name)
        self._show(self._presenter.state)

    def _lay_out(self) -> None:
        sizes = self.style_context.sizes
        margin = sizes.millimetres(4)
        left = Panel(margin=margin, spacing=sizes.gap)
        left.column.addWidget(self.conflicts)
        right = Panel(margin=margin, spacing=sizes.gap)
        right.column.addWidget(self.field)
        grid = QGridLayout()
        grid.setHorizontalSpacing(sizes.millimetres(6))
        grid.setVerticalSpacing(sizes.gap)
        # Mine and theirs stand beside each other, what holds now is below both.
        for column in range(2):
            grid.setColumnStretch(column, 1)
        for place, (row, column, width) in enumerate(((0, 0, 1), (0, 1, 1), (3, 0, 2))):
            for line, label in enumerate((self.names[place], self.values[place], self.makers[place])):
                grid.addWidget(label, row + line, column, 1, width, Qt.AlignmentFlag.AlignTop)
        right.column.addLayout(grid)
        right.column.addWidget(self.note)
        right.column.addStretch(1)
        columns = QHBoxLayout()
        columns.setSpacing(sizes.gap)
        columns.addWidget(left, 2)
        columns.addWidget(right, 3)
        row_of_buttons = QHBoxLayout()
        row_of_buttons.setSpacing(sizes.gap)
        for button in (self.leave, self.show_seen, self.take_mine, self.keep_theirs):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row_of_buttons.addWidget(button, 2 if button is self.keep_theirs else 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(sizes.gap, sizes.gap, sizes.gap, sizes.gap)
        outer.setSpacing(sizes.gap)
        outer.addLayout(columns, 1)
        outer.addLayout(row_of_buttons)

    def _show(self, state: ConflictsState) -> None:
        actions = self.feature_actions
        actions.keep_theirs.setEnabled(state.may_keep)
        actions.take_mine.setEnabled(state.may_take)
        seen = self.tr("Hide decided ones") if state.with_seen else self.tr("Show decided ones")
        actions.show_seen.setText(seen)
        self.conflicts.blockSignals(True)
        self.conflicts.clear()
        for conflict in state.conflicts:
            head = "  ".join(filter(None, (entity_name(conflict.entity), conflict.called)))
            decided = f"   {self.tr('decided')}" if conflict.seen_at is not None else ""
            when = local_time(conflict.created_at)
            item = QListWidgetItem(f"{head}\n{field_name(conflict.field)}   {when}{decided}")
            item.setData(_ID, conflict.id)
            self.conflicts.addItem(item)
            if conflict.id == state.chosen_id:
                self.conflicts.setCurrentItem(item)
        self.conflicts.blockSignals(False)
        self.note.setText(self.tr("A quality engineer or an administrator decides about it."))
        self.note.setVisible(state.is_for_others)
        self._show_chosen(state)

    def _show_chosen(self, state: ConflictsState) -> None:
        conflict = state.chosen
        for label in (*self.names, *self.values, *self.makers):
            label.setVisible(conflict is not None)
        if conflict is None:
            self.field.setText(self.tr("Nothing was lost to a newer change."))
            return
        self.field.setText(f"{entity_name(conflict.entity)}  {conflict.called}:  {field_name(conflict.field)}")
        given = [conflict.mine.text, conflict.theirs.text, *([] if conflict.holds is None else [conflict.holds])]
        for label, text in zip(self.values, [*compared(given), "–"], strict=False):
            label.setText(text)
        for label, side in zip(self.makers, (conflict.mine, conflict.theirs), strict=False):
            label.setText(self._made(side))
        self.makers[2].setText("")

    def _made(self, side: Side) -> str:
        """Return who made a value and when, each said to be unknown where it is."""
        person = "" if side.has_user else self.tr("person not known")
        when = local_time(side.at) if side.at is not None else self.tr("time not known")
        return "\n".join((", ".join(filter(None, (person, side.by))), when))
