"""Shown while the store is being opened, or when it cannot be: painted at once, before anything heavy is loaded."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from app.window.look.style_context import StyleContext
from app.window.look.style_sheet import style_sheet
from app.window.widgets.panel import Panel
from models.errors import UserFacingError


class StartWindow(QWidget):
    """A title and a line; on trouble what happened, what to do, and two buttons.

    Signals:
        again: the person wants to try again.
        left: the person has closed the window.
    """

    again = Signal()
    left = Signal()

    def __init__(self, style: StyleContext, language: str) -> None:
        super().__init__()
        sizes = style.sizes
        self._language = language
        self.setObjectName("window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWindowTitle("ImageFlow Station")
        self.setStyleSheet(style_sheet(style.theme, sizes))
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.detail = QLabel()
        self.detail.setWordWrap(True)
        self.retry = QPushButton()
        self.retry.setProperty("primary", True)
        self.leave = QPushButton()
        self.retry.clicked.connect(self._try_again)
        self.leave.clicked.connect(self.close)
        panel = Panel(margin=sizes.millimetres(8), spacing=sizes.millimetres(4))
        column = panel.column
        column.addWidget(self.title)
        column.addWidget(self.detail)
        row = QHBoxLayout()
        row.setSpacing(sizes.gap)
        row.addWidget(self.retry, 2)
        row.addWidget(self.leave, 1)
        column.addLayout(row)
        panel.place_alone(self, width=sizes.millimetres(150), above=2, below=3)
        self.resize(1280, 800)
        self.show_opening()

    def show_opening(self) -> None:
        """Show that the store is being opened."""
        self.title.setText("ImageFlow Station")
        self.detail.setText(self.tr("Opening the store…"))
        self._name_buttons(visible=False)

    def show_trouble(self, error: UserFacingError) -> None:
        """Show why the store cannot be opened and what to do."""
        text = error.text(self._language)
        self.title.setText(text.title)
        self.detail.setText(f"{text.detail}\n\n{text.advice}")
        self._name_buttons(visible=True)
        self.retry.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter tries again, Esc leaves."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and self.retry.isVisible():
            self._try_again()
        elif event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Report that the person does not want to wait."""
        self.left.emit()
        event.accept()

    def _name_buttons(self, *, visible: bool) -> None:
        self.retry.setText(self.tr("Try again  (Enter)"))
        self.leave.setText(self.tr("Quit  (Esc)"))
        for button in (self.retry, self.leave):
            button.setAccessibleName(button.text())
            button.setVisible(visible)

    def _try_again(self) -> None:
        self.show_opening()
        self.again.emit()
