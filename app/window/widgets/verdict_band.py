"""The band across the top of the work screen: what holds for this part, readable from 3 m."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.window.look.style_context import StyleContext
from app.window.widgets.shapes import draw_sign
from app.window.widgets.styled_widget import StyledWidget
from models.states import HumanVerdict


@dataclass(frozen=True, slots=True)
class Band:
    """What the band shows.

    Attributes:
        verdict: gives colour, sign and letters; None while there is none.
        headline: shown instead, while there is no verdict.
        detail, second_detail: smaller lines at the right.
    """

    verdict: HumanVerdict | None = None
    headline: str = ""
    detail: str = ""
    second_detail: str = ""


class VerdictBand(StyledWidget):
    """Shows a verdict as text, sign and colour together."""

    def __init__(self, style: StyleContext, parent: QWidget | None = None) -> None:
        super().__init__(style, parent)
        self.band = Band()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_band(self, band: Band) -> None:
        """Show ``band``, also to screen readers."""
        self.band = band
        self.setAccessibleName(band.verdict.value if band.verdict is not None else band.headline)
        self.setAccessibleDescription(" ".join(filter(None, (band.detail, band.second_detail))))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the height that the letters need."""
        return QSize(600, int(self.style_context.sizes.verdict_text * 1.5))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the same height; the width may shrink."""
        return QSize(300, self.sizeHint().height())

    def background(self) -> QColor:
        """Return the colour behind the letters."""
        theme = self.style_context.theme
        colours = {HumanVerdict.OK: theme.ok, HumanVerdict.NG: theme.ng, HumanVerdict.HOLD: theme.hold}
        return QColor(colours[self.band.verdict] if self.band.verdict is not None else theme.surface)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw background, sign, letters and details."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.background())
        radius = self.style_context.sizes.millimetres(1.5)
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        pad = self.style_context.sizes.millimetres(5)
        if self.band.verdict is None:
            self._draw_lines(painter, pad, self._draw_headline(painter, pad))
        else:
            self._draw_lines(painter, pad, self._draw_verdict(painter, pad, self.band.verdict))
        painter.end()

    def _draw_verdict(self, painter: QPainter, pad: int, verdict: HumanVerdict) -> int:
        ink, height = QColor(self.style_context.theme.on_verdict), self.style_context.sizes.verdict_text
        side = height * 0.95
        sign = QRectF(pad, (self.height() - side) / 2, side, side)
        draw_sign_on(painter, verdict, sign, ink)
        left = int(sign.right()) + pad
        return self._draw_text(painter, verdict.value, left, height, ink, QFont.Weight.Bold)

    def _draw_headline(self, painter: QPainter, pad: int) -> int:
        ink = QColor(self.style_context.theme.text)
        return self._draw_text(
            painter, self.band.headline, pad, int(self.style_context.sizes.title * 1.5), ink, QFont.Weight.DemiBold
        )

    def _draw_text(
        self, painter: QPainter, text: str, left: int, height: int, ink: QColor, weight: QFont.Weight
    ) -> int:
        font = QFont(self.font())
        font.setPixelSize(height)
        font.setWeight(weight)
        painter.setFont(font)
        painter.setPen(ink)
        width = QFontMetrics(font).horizontalAdvance(text)
        area = QRectF(left, 0, max(0, self.width() - left), self.height())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        return left + width

    def _draw_lines(self, painter: QPainter, pad: int, used: int) -> None:
        """Draw the details at the right, in what room is left."""
        ink = QColor(
            self.style_context.theme.text if self.band.verdict is None else self.style_context.theme.on_verdict
        )
        painter.setPen(ink)
        lines = [line for line in (self.band.detail, self.band.second_detail) if line]
        if not lines:
            return
        left = used + pad * 2
        width = self.width() - left - pad
        font = QFont(self.font())
        font.setPixelSize(self.style_context.sizes.title)
        painter.setFont(font)
        metrics = QFontMetrics(font)
        top = (self.height() - metrics.height() * len(lines)) / 2
        for line in lines:
            shown = metrics.elidedText(line, Qt.TextElideMode.ElideRight, max(0, width))
            painter.drawText(
                QRectF(left, top, max(0, width), metrics.height()),
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                shown,
            )
            top += metrics.height()


def draw_sign_on(painter: QPainter, verdict: HumanVerdict, area: QRectF, ink: QColor) -> None:
    """Draw the sign of ``verdict`` in a ring, so that its shape is found at a glance."""
    painter.save()
    pen = painter.pen()
    pen.setStyle(Qt.PenStyle.SolidLine)
    pen.setColor(ink)
    pen.setWidthF(area.width() * 0.07)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    edge = pen.widthF() / 2
    painter.drawEllipse(area.adjusted(edge, edge, -edge, -edge))
    inset = area.width() * 0.24
    draw_sign(painter, verdict, area.adjusted(inset, inset, -inset, -inset), ink)
    painter.restore()
