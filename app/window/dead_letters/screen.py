"""The changes that the server refused: why, with their fields, and what can be done with each."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.window.dead_letters.actions import DeadLettersActions
from app.window.dead_letters.presenter import DeadLettersPresenter
from app.window.dead_letters.state import DeadLettersState
from app.window.look.language import current_language
from app.window.look.style_context import StyleContext
from app.window.widgets.key_button import KeyButton
from app.window.widgets.panel import Panel
from app.window.widgets.readable_values import readable
from app.window.widgets.record_names import entity_name, field_name
from app.window.widgets.screen import Screen
from app.window.widgets.times import local_time

_ID = Qt.ItemDataRole.UserRole


class DeadLettersScreen(Screen):
    """The list at the left; reason, fields and a line to mend the chosen one at the right; the actions below."""

    feature_actions: DeadLettersActions

    def __init__(self, presenter: DeadLettersPresenter, style: StyleContext, parent: QWidget | None = None) -> None:
        super().__init__(style, DeadLettersActions(), parent)
        self._presenter = presenter
        actions = self.feature_actions
        self.letters = QListWidget()
        self.fields = QListWidget()
        for listed in (self.letters, self.fields):
            listed.setWordWrap(True)
            listed.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._dropping = False
        self.reason = QLabel()
        self.note = QLabel()
        for label in (self.reason, self.note):
            label.setWordWrap(True)
        self.note.setProperty("role", "muted")
        self.line_label = QLabel()
        self.line = QLineEdit()
        self.line_label.setBuddy(self.line)
        self.leave = KeyButton(actions.leave)
        self.export = KeyButton(actions.export)
        self.drop = KeyButton(actions.drop)
        self.mend = KeyButton(actions.mend)
        self.send_all = KeyButton(actions.send_all)
        self.send = KeyButton(actions.send, primary=True)
        self._lay_out()
        self._connect()
        self.retranslate()

    def entered(self) -> None:
        """Read the changes and put the focus on their list."""
        self._presenter.refresh()
        self.letters.setFocus()

    def leave_field(self) -> None:
        """Take what was typed back, and leave the question why a change is given up."""
        if self._presenter.state.dropping:
            self._presenter.leave()
        self._fill_line(self._presenter.state)
        self.fields.setFocus()

    def title(self) -> str:
        """Return the name of the screen."""
        return self.tr("Refused changes")

    def heading(self) -> tuple[str, str]:
        """Return title and subtitle for the bar at the top."""
        return self.title(), self.tr("Kept here until somebody decides")

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self.letters.setAccessibleName(self.tr("Refused changes"))
        self.fields.setAccessibleName(self.tr("Fields of the change"))
        self._show(self._presenter.state)

    def _lay_out(self) -> None:
        sizes = self.style_context.sizes
        margin = sizes.millimetres(4)
        left = Panel(margin=margin, spacing=sizes.gap)
        left.column.addWidget(self.letters, 1)
        left.column.addWidget(self.note)
        right = Panel(margin=margin, spacing=sizes.gap)
        right.column.addWidget(self.reason)
        right.column.addWidget(self.fields, 1)
        line = QHBoxLayout()
        line.setSpacing(sizes.gap)
        line.addWidget(self.line_label)
        line.addWidget(self.line, 1)
        line.addWidget(self.mend)
        right.column.addLayout(line)
        columns = QHBoxLayout()
        columns.setSpacing(sizes.gap)
        columns.addWidget(left, 2)
        columns.addWidget(right, 3)
        row = QHBoxLayout()
        row.setSpacing(sizes.gap)
        for button in (self.leave, self.export, self.drop, self.send_all, self.send):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(button, 2 if button is self.send else 1)
        self.mend.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(sizes.gap, sizes.gap, sizes.gap, sizes.gap)
        outer.setSpacing(sizes.gap)
        outer.addLayout(columns, 1)
        outer.addLayout(row)

    def _connect(self) -> None:
        actions, presenter = self.feature_actions, self._presenter
        self.letters.currentItemChanged.connect(
            lambda item, _: presenter.choose(item.data(_ID)) if item is not None else None
        )
        self.fields.currentItemChanged.connect(
            lambda item, _: presenter.choose_field(item.data(_ID)) if item is not None else None
        )
        self.line.returnPressed.connect(self._take_line)
        actions.send.triggered.connect(presenter.send)
        actions.send_all.triggered.connect(presenter.send_all)
        actions.mend.triggered.connect(self._open_line)
        actions.drop.triggered.connect(presenter.ask_why)
        actions.export.triggered.connect(presenter.export)
        actions.leave.triggered.connect(presenter.leave)
        presenter.changed.connect(self._show)

    def _open_line(self) -> None:
        self.line.setFocus()
        self.line.selectAll()

    def _take_line(self) -> None:
        if self._presenter.state.dropping:
            self._presenter.drop(self.line.text())
        else:
            self._presenter.mend(self.line.text())
        self.fields.setFocus()

    def _show(self, state: DeadLettersState) -> None:
        actions = self.feature_actions
        actions.send.setEnabled(state.may_send)
        actions.send_all.setEnabled(state.may_send_all)
        actions.mend.setEnabled(state.may_mend)
        actions.drop.setEnabled(state.may_drop and not state.dropping)
        actions.export.setEnabled(bool(state.letters) and not state.busy)
        self.line.setEnabled(state.may_mend or state.dropping)
        if state.dropping and not self._dropping:
            self.line.setFocus()
        self._dropping = state.dropping
        self._fill(
            self.letters, [(letter.change_id, self._letter(state, letter.change_id)) for letter in state.letters]
        )
        self._choose(self.letters, state.chosen_id)
        letter = state.chosen
        shown = letter.shown_fields if letter is not None else ()
        rows = [(one.name, f"{field_name(one.name)}:  {readable(state.text_of(one))}") for one in shown]
        self._fill(self.fields, rows)
        self._choose(self.fields, state.field_name)
        self.reason.setText(self._why(state))
        self.note.setText(self._note(state))
        self.note.setVisible(bool(self.note.text()))
        self._fill_line(state)

    def _fill_line(self, state: DeadLettersState) -> None:
        if state.dropping:
            name, text = self.tr("Why is it given up?"), ""
        elif state.chosen_field is None:
            name, text = self.tr("Value"), ""
        else:
            name, text = field_name(state.chosen_field.name), state.text_of(state.chosen_field)
        if self.line_label.text() != name or not self.line.hasFocus():
            self.line.setText(text)
        self.line_label.setText(name)
        self.line.setAccessibleName(name)

    def _letter(self, state: DeadLettersState, change_id: str) -> str:
        letter = next(letter for letter in state.letters if letter.change_id == change_id)
        names = {"insert": self.tr("new"), "update": self.tr("changed"), "delete": self.tr("deleted")}
        called = letter.fields.get("code") or letter.fields.get("name") or letter.fields.get("username") or ""
        head = "  ".join(filter(None, (entity_name(letter.entity), str(called), names[letter.op.value])))
        return f"{head}   {local_time(letter.created_at)}\n{letter.reason(current_language()).title}"

    def _why(self, state: DeadLettersState) -> str:
        letter = state.chosen
        if letter is None:
            return self.tr("Nothing was refused.")
        reason = letter.reason(current_language())
        lines = [reason.title, reason.detail, reason.advice]
        if letter.held_back:
            lines.append(self.tr("%n later change(s) of this record wait behind it.", "", letter.held_back))
        goes = state.goes_along
        if goes is not None and goes.changes:
            lines.append(
                self.tr(
                    "Given up with it: %n more change(s) that the server could not take without it.", "", goes.changes
                )
            )
            lines += [f"   {entity_name(entity)}: {count}" for entity, count in goes.records.items()]
        return "\n".join(line for line in lines if line)

    def _note(self, state: DeadLettersState) -> str:
        if state.exported is not None:
            return self.tr("Written to {file}").format(file=state.exported)
        if state.chosen is not None and not state.dropping and not (state.may_send or state.busy):
            return self.tr("Only somebody who may change such records can send this one again.")
        return ""

    @staticmethod
    def _fill(widget: QListWidget, rows: list[tuple[str, str]]) -> None:
        """Show ``rows`` (id, text), without making them again when only a text has changed."""
        widget.blockSignals(True)
        if [widget.item(row).data(_ID) for row in range(widget.count())] != [identifier for identifier, _ in rows]:
            widget.clear()
            for identifier, _ in rows:
                item = QListWidgetItem()
                item.setData(_ID, identifier)
                widget.addItem(item)
        for row, (_, text) in enumerate(rows):
            widget.item(row).setText(text)
        widget.blockSignals(False)

    @staticmethod
    def _choose(widget: QListWidget, identifier: str | None) -> None:
        widget.blockSignals(True)
        for row in range(widget.count()):
            if widget.item(row).data(_ID) == identifier:
                widget.setCurrentRow(row)
        widget.blockSignals(False)
