"""The last 20 parts, newest at the right: colour and sign of what holds, a corner where the person overruled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.window.look.style_context import StyleContext
from app.window.widgets.shapes import draw_sign
from app.window.widgets.styled_widget import StyledWidget
from models.states import HumanVerdict

if TYPE_CHECKING:
    from app.station.operations.history import PartSummary

PLACES = 20


class PartsStrip(StyledWidget):
    """Shows up to 20 parts as tiles; it is looked at, not touched."""

    def __init__(self, style: StyleContext, parent: QWidget | None = None) -> None:
        super().__init__(style, parent)
        self._parts: tuple[PartSummary, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.retranslate()

    def show_parts(self, newest_first: Sequence[PartSummary]) -> None:
        """Show the newest ``PLACES`` of these."""
        self._parts = tuple(newest_first[:PLACES])
        self.retranslate()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        counts = {verdict: sum(part.effective_verdict is verdict for part in self._parts) for verdict in HumanVerdict}
        self.setAccessibleName(
            self.tr("Last parts: {ok} OK, {ng} NG, {hold} HOLD").format(
                ok=counts[HumanVerdict.OK], ng=counts[HumanVerdict.NG], hold=counts[HumanVerdict.HOLD]
            )
        )
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return one row of tiles."""
        return QSize(500, self.style_context.sizes.millimetres(11))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the same height."""
        return QSize(300, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw a tile a place; empty ones as outlines."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        gap = 4.0
        width = (self.width() - gap * (PLACES - 1)) / PLACES
        for place in range(PLACES):
            tile = QRectF(place * (width + gap) + 0.5, 0.5, width - 1, self.height() - 1)
            number = PLACES - 1 - place
            if number < len(self._parts):
                self._draw_part(painter, tile, self._parts[number], newest=number == 0)
            else:
                painter.setPen(QPen(QColor(self.style_context.theme.disabled), 1, Qt.PenStyle.DotLine))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(tile, 4, 4)
        painter.end()

    def _draw_part(self, painter: QPainter, tile: QRectF, part: PartSummary, *, newest: bool) -> None:
        theme = self.style_context.theme
        colours = {HumanVerdict.OK: theme.ok, HumanVerdict.NG: theme.ng, HumanVerdict.HOLD: theme.hold}
        verdict = part.effective_verdict
        painter.setPen(QPen(QColor(theme.text), 3) if newest else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours[verdict] if verdict is not None else theme.disabled))
        painter.drawRoundedRect(tile.adjusted(1, 1, -1, -1) if newest else tile, 4, 4)
        ink = QColor(theme.on_verdict)
        side = min(tile.height(), tile.width()) * 0.42
        if verdict is not None:
            sign = QRectF(tile.center().x() - side / 2, tile.top() + tile.height() * 0.12, side, side)
            draw_sign(painter, verdict, sign, ink)
        font = QFont(self.font())
        font.setPixelSize(max(8, int(tile.height() * 0.28)))
        painter.setFont(font)
        painter.setPen(ink)
        text = verdict.value if verdict is not None else "–"
        painter.drawText(tile.adjusted(0, 0, 0, -2), Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, text)
        if part.overruled:
            corner = side * 0.5
            top_right = tile.topRight()
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ink)
            painter.drawPolygon(QPolygonF([top_right - QPointF(corner, 0), top_right, top_right + QPointF(0, corner)]))
