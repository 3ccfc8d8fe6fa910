"""How far the anomaly score is from the threshold, as a bar with a mark."""

from __future__ import annotations

from PySide6.QtCore import QLocale, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.window.look.style_context import StyleContext
from app.window.widgets.styled_widget import StyledWidget

SCALE_END = 2.0
"""The bar ends at this many thresholds; a larger score fills it."""


def share(score: float, threshold: float) -> float:
    """Return how much of the bar a score fills, 0 to 1; the threshold lies in the middle."""
    if threshold <= 0:
        return 1.0
    return min(max(score / threshold / SCALE_END, 0.0), 1.0)


class ScoreGauge(StyledWidget):
    """Shows score and threshold as numbers and as a bar."""

    def __init__(self, style: StyleContext, parent: QWidget | None = None) -> None:
        super().__init__(style, parent)
        self._score: float | None = None
        self._threshold: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_score(self, score: float | None, threshold: float | None) -> None:
        """Show ``score`` against ``threshold``; None while there is none."""
        self._score, self._threshold = score, threshold
        self._name()
        self.update()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self._name()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return room for one line of text, the bar and the mark's line."""
        return QSize(280, self.style_context.sizes.text * 2 + self.style_context.sizes.millimetres(13))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the same height."""
        return QSize(160, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw numbers, bar and mark."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, sizes = self.style_context.theme, self.style_context.sizes
        line = int(sizes.text * 1.5)
        self._draw_numbers(painter, line)
        bar = QRectF(1, line + 2, self.width() - 2, sizes.millimetres(7))
        painter.setPen(QColor(theme.border))
        painter.setBrush(QColor(theme.raised))
        painter.drawRect(bar)
        if self._score is not None and self._threshold is not None:
            filled = QRectF(bar)
            filled.setWidth(bar.width() * share(self._score, self._threshold))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.ng if self._score > self._threshold else theme.muted))
            painter.drawRect(filled)
        self._draw_mark(painter, bar)
        painter.end()

    def _draw_numbers(self, painter: QPainter, line: int) -> None:
        font = QFont(self.font())
        font.setPixelSize(self.style_context.sizes.text)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(self.style_context.theme.text))
        area = QRectF(0, 0, self.width(), line)
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.tr("Anomaly score"))
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._number(self._score))

    def _draw_mark(self, painter: QPainter, bar: QRectF) -> None:
        theme, sizes = self.style_context.theme, self.style_context.sizes
        middle = bar.center().x()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.text))
        painter.drawRect(QRectF(middle - 1.5, bar.top() - 2, 3, bar.height() + 4))
        tip = sizes.millimetres(1.8)
        base = bar.bottom() + 2
        painter.drawPolygon(
            QPolygonF([QPointF(middle, base), QPointF(middle - tip, base + tip), QPointF(middle + tip, base + tip)])
        )
        font = QFont(self.font())
        font.setPixelSize(sizes.small_text)
        painter.setFont(font)
        painter.setPen(QColor(theme.muted))
        area = QRectF(0, base + tip, self.width(), self.height() - base - tip)
        text = self.tr("Threshold {value}").format(value=self._number(self._threshold))
        painter.drawText(area, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, text)

    def _number(self, value: float | None) -> str:
        return "–" if value is None else QLocale().toString(value, "f", 2)

    def _name(self) -> None:
        self.setAccessibleName(
            self.tr("Anomaly score {score}, threshold {threshold}").format(
                score=self._number(self._score), threshold=self._number(self._threshold)
            )
        )
