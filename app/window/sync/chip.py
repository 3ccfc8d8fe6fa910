"""The sync chip: online or offline, how much waits, when it last worked, what failed; opens the sync page."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from app.window.look.style_context import StyleContext
from app.window.sync.presenter import SyncPresenter
from app.window.widgets.times import local_time


class SyncChip(QPushButton):
    """Two short lines and a sign: a filled ring online, a broken ring offline, an exclamation mark for failures.

    Args:
        presenter: whose status is shown.
        action: opens the sync page.
        style: of the window.
    """

    def __init__(
        self, presenter: SyncPresenter, action: QAction, style: StyleContext, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._style = style
        self._presenter = presenter
        self.first_line = ""
        self.second_line = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._key = action.shortcut().toString()
        self.clicked.connect(action.trigger)
        presenter.changed.connect(lambda _: self.retranslate())
        self.retranslate()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        status = self._presenter.state.status
        if status is None:
            self.first_line, self.second_line = self.tr("Synchronisation"), self.tr("asking…")
        elif not self._presenter.state.enrolled:
            self.first_line, self.second_line = self.tr("No server yet"), self.tr("Work is kept here")
        else:
            if status.needs_credential:
                state = self.tr("Credential needed")
            else:
                state = self.tr("Online") if status.online else self.tr("Offline")
            waiting = status.waiting + status.blobs_waiting
            # Nothing is known to be sent while the server lets nothing in, so "all sent" would reassure for no reason.
            queue = self.tr("%n waiting", "", waiting) if waiting or status.needs_credential else self.tr("all sent")
            self.first_line = f"{state} · {queue}"
            if status.dead:
                self.second_line = self.tr("%n failed – see {key}", "", status.dead).format(key=self._key)
            elif status.last_success is not None:
                self.second_line = self.tr("Last sync {time}").format(time=local_time(status.last_success))
            else:
                self.second_line = self.tr("Not synchronised yet")
        self.setAccessibleName(self.tr("Synchronisation: {state}").format(state=self.first_line))
        self.setAccessibleDescription(self.second_line)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return room for the sign and the longer line."""
        font = QFont(self.font())
        font.setPixelSize(self._style.sizes.small_text)
        metrics = QFontMetrics(font)
        width = max(metrics.horizontalAdvance(self.first_line), metrics.horizontalAdvance(self.second_line))
        return QSize(width + self._style.sizes.millimetres(15), self._style.sizes.touch)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the same: a touch target does not shrink."""
        return self.sizeHint()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw sign and lines over the button's frame."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        sizes, theme = self._style.sizes, self._style.theme
        side = sizes.millimetres(6)
        left = sizes.millimetres(3)
        self._draw_sign(painter, QRectF(left, (self.height() - side) / 2, side, side))
        font = QFont(self.font())
        font.setPixelSize(sizes.small_text)
        painter.setFont(font)
        painter.setPen(QColor(theme.text))
        line = painter.fontMetrics().height()
        x = left + side + sizes.millimetres(2.5)
        top = (self.height() - 2 * line) / 2
        for number, text in enumerate((self.first_line, self.second_line)):
            area = QRectF(x, top + number * line, self.width() - x - sizes.millimetres(1), line)
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()))
            painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.end()

    def _draw_sign(self, painter: QPainter, area: QRectF) -> None:
        theme, status = self._style.theme, self._presenter.state.status
        if status is not None and status.dead:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.alarm))
            painter.drawEllipse(area)
            painter.setPen(QPen(QColor(theme.on_verdict), area.width() * 0.14))
            middle = area.center()
            painter.drawLine(middle - QPointF(0, area.height() * 0.25), middle + QPointF(0, area.height() * 0.08))
            painter.drawPoint(middle + QPointF(0, area.height() * 0.27))
            return
        online = status is not None and status.online and not status.needs_credential and self._presenter.state.enrolled
        ring = area.adjusted(2, 2, -2, -2)
        pen = QPen(QColor(theme.muted), 2.5, Qt.PenStyle.SolidLine if online else Qt.PenStyle.DotLine)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(ring)
        if online:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.muted))
            inset = ring.width() * 0.25
            painter.drawEllipse(ring.adjusted(inset, inset, -inset, -inset))
        else:
            painter.drawLine(ring.topRight(), ring.bottomLeft())
