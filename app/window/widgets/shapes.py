"""The signs of verdicts, drawn: a tick, a cross, a question mark; the same in every size and font."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from models.states import HumanVerdict


def draw_sign(painter: QPainter, verdict: HumanVerdict, area: QRectF, colour: QColor) -> None:
    """Draw the sign of ``verdict`` into the square ``area``: ✓ for OK, ✕ for NG, ? for HOLD."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(colour, area.height() * 0.16, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)

    def at(x: float, y: float) -> QPointF:
        return QPointF(area.left() + x * area.width(), area.top() + y * area.height())

    if verdict is HumanVerdict.OK:
        painter.drawPolyline([at(0.14, 0.55), at(0.40, 0.82), at(0.86, 0.22)])
    elif verdict is HumanVerdict.NG:
        painter.drawLine(at(0.18, 0.18), at(0.82, 0.82))
        painter.drawLine(at(0.82, 0.18), at(0.18, 0.82))
    else:
        font = QFont(painter.font())
        font.setPixelSize(max(1, int(area.height() * 0.98)))
        font.setWeight(QFont.Weight.Black)
        painter.setFont(font)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, "?")
    painter.restore()
