"""The inline banner: what happened, what to do about it, and a way to try again; never a pop-up."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.window.look.language import current_language
from app.window.look.style_context import StyleContext
from app.window.presenting.notices import Level, Notice, Notices, notice_text


class Banner(QFrame):
    """Shows the most important notice; takes no room when there is none.

    Args:
        notices: the present ones.
        style: of the window.
        settings_file: of this station, which advice names.
    """

    def __init__(
        self, notices: Notices, style: StyleContext, settings_file: Path, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._notices = notices
        self._settings_file = settings_file
        self._style = style
        self._notice: Notice | None = None
        self.setObjectName("panel")
        self.title = QLabel()
        self.title.setStyleSheet("font-weight: 600;")
        self.detail = QLabel()
        for label in (self.title, self.detail):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self.retry = QPushButton()
        self.dismiss = QPushButton()
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self.title)
        texts.addWidget(self.detail)
        row = QHBoxLayout(self)
        pad = style.sizes.millimetres(2)
        row.setContentsMargins(style.sizes.millimetres(14), pad, pad, pad)
        row.setSpacing(style.sizes.gap)
        row.addLayout(texts, 1)
        row.addWidget(self.retry)
        row.addWidget(self.dismiss)
        self.retry.clicked.connect(self._try_again)
        self.dismiss.clicked.connect(notices.dismiss)
        notices.changed.connect(self._show)
        self.retranslate()
        self._show(notices.shown)

    @property
    def text(self) -> str:
        """Title and details that are shown; empty without a notice."""
        return "" if self._notice is None else f"{self.title.text()} {self.detail.text()}"

    def retranslate(self) -> None:
        """Take the texts of the language that is shown now."""
        self.retry.setText(self.tr("Try again"))
        self.dismiss.setText(self.tr("Close"))
        self.retry.setAccessibleName(self.tr("Try again"))
        self.dismiss.setAccessibleName(self.tr("Close the notice"))
        self._fill()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return at least the height of its buttons."""
        hint = super().sizeHint()
        return QSize(hint.width(), max(hint.height(), self._style.sizes.touch + self._style.sizes.gap))

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the stripe and the sign at the left."""
        super().paintEvent(event)
        if self._notice is None:
            return
        trouble = self._notice.level is Level.TROUBLE
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = self._style.sizes.millimetres(11)
        colour = QColor(self._style.theme.alarm if trouble else self._style.theme.muted)
        painter.fillRect(0, 0, width, self.height(), colour)
        font = QFont(self.font())
        font.setPixelSize(self._style.sizes.millimetres(9))
        font.setWeight(QFont.Weight.Black)
        painter.setFont(font)
        painter.setPen(QColor(self._style.theme.on_verdict if trouble else self._style.theme.surface))
        painter.drawText(0, 0, width, self.height(), Qt.AlignmentFlag.AlignCenter, "!" if trouble else "i")
        painter.end()

    def _show(self, notice: Notice | None) -> None:
        self._notice = notice
        self._fill()
        self.setVisible(notice is not None)

    def _fill(self) -> None:
        if self._notice is None:
            return
        text = notice_text(self._notice.error, current_language(), self._settings_file)
        self.title.setText(text.title)
        self.detail.setText(text.explanation)
        self.setAccessibleName(text.title)
        self.setAccessibleDescription(self.detail.text())
        self.retry.setVisible(self._notice.retry is not None)
        self.update()

    def _try_again(self) -> None:
        notice = self._notice
        if notice is not None and notice.retry is not None:
            self._notices.clear(notice.about)
            notice.retry()
