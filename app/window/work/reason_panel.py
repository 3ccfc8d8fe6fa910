"""The question for the kind of defect, or why an NG was overruled, and a comment."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.window.look.language import current_language
from app.window.look.style_context import StyleContext
from app.window.widgets.key_button import KeyButton
from app.window.widgets.panel import Panel
from app.window.widgets.styled_widget import StyledWidget
from app.window.work.actions import WorkActions
from app.window.work.presenter import WorkPresenter
from app.window.work.state import WorkState
from models.states import HumanVerdict

COLUMNS, COLUMNS_WHERE_NARROW = 3, 2


class ReasonPanel(StyledWidget):
    """Kinds of defect on the keys 1 to 9, the next ones on 0, and a comment.

    Signals:
        finished: the comment was entered; keys are actions again.
    """

    finished = Signal()

    def __init__(
        self,
        presenter: WorkPresenter,
        style: StyleContext,
        actions: WorkActions,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(style, parent)
        self._presenter = presenter
        self._actions = actions
        sizes = style.sizes
        self.title = QLabel()
        self.title.setStyleSheet("font-weight: 600;")
        self.class_buttons = [KeyButton(action) for action in actions.classes]
        for number, action in enumerate(actions.classes):
            action.triggered.connect(partial(presenter.verification.choose_class, number))
        self.more = KeyButton(actions.more_classes)
        actions.more_classes.triggered.connect(presenter.verification.show_more_classes)
        self.comment = QLineEdit()
        self.comment.setMaxLength(500)
        self.comment_label = QLabel()
        self.comment_label.setBuddy(self.comment)
        panel = Panel(margin=sizes.millimetres(4), spacing=sizes.millimetres(1.5))
        column = panel.column
        column.addWidget(self.title)
        self._grid = QGridLayout()
        self._grid.setSpacing(sizes.gap)
        self._columns = 0
        self.more.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for button in self.class_buttons:
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.set_wide(wide=False)
        column.addLayout(self._grid)
        column.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(sizes.gap)
        row.addWidget(self.comment_label)
        row.addWidget(self.comment, 1)
        row.addWidget(self.more)
        column.addLayout(row)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(panel)
        self.comment.textChanged.connect(presenter.verification.set_comment)
        self.comment.returnPressed.connect(self._finish)
        self.retranslate()

    def set_wide(self, *, wide: bool) -> None:
        """Lay the kinds of defect out for the room there is."""
        columns = COLUMNS if wide else COLUMNS_WHERE_NARROW
        if columns != self._columns:
            self._columns = columns
            for place, button in enumerate(self.class_buttons):
                self._grid.addWidget(button, place // columns, place % columns)

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
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
        offered, more = state.classes_offered, self._actions.more_classes
        more.setText(self.tr("More ({page}/{pages})").format(page=state.class_page + 1, pages=state.class_pages))
        more.setVisible(bool(offered) and state.class_pages > 1)
        more.setEnabled(more.isVisible())
        for number, action in enumerate(self._actions.classes):
            known = offered[number] if number < len(offered) else None
            action.setText(known.name(current_language()) if known is not None else "")
            action.setVisible(known is not None)
            action.setEnabled(known is not None)
        if self.comment.text() != state.comment:
            self.comment.setText(state.comment)

    def _finish(self) -> None:
        self.finished.emit()
        self._presenter.verification.confirm_reason()
