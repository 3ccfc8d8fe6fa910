"""Shows the live image or the inspected one, with heatmap and boxes over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.window.look.style_context import StyleContext
from app.window.widgets.styled_widget import StyledWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.results import Detection


class ImageStage(StyledWidget):
    """One image, fitted into the room there is, with evidence over it."""

    def __init__(self, style: StyleContext, parent: QWidget | None = None) -> None:
        super().__init__(style, parent)
        self._image: QImage | None = None
        self._heat: QImage | None = None
        self._boxes: tuple[Detection, ...] = ()
        self._opacity = 0.5
        self._hint = ""
        self._live = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    @property
    def has_image(self) -> bool:
        """Whether an image is shown."""
        return self._image is not None

    @property
    def has_heatmap(self) -> bool:
        """Whether a heatmap lies over the image."""
        return self._heat is not None

    def show_image(
        self,
        image: QImage | None,
        *,
        heat: QImage | None = None,
        boxes: Sequence[Detection] = (),
        live: str = "",
    ) -> None:
        """Show ``image`` with what was found on it; ``live`` is written in the corner of a live image."""
        self._image, self._heat, self._boxes, self._live = image, heat, tuple(boxes), live
        self.update()

    def set_opacity(self, opacity: float) -> None:
        """Set how strongly the heatmap covers the image, 0 to 1."""
        self._opacity = opacity
        self.update()

    def set_hint(self, hint: str) -> None:
        """Set the text shown while there is no image."""
        self._hint = hint
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a usual size; more is better."""
        return QSize(640, 480)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the least size at which a part can be judged."""
        return QSize(240, 180)

    def image_area(self) -> QRectF:
        """Return where the image lies: as large as fits, in its own proportions, centred."""
        if self._image is None:
            return QRectF(self.rect())
        scale = min(self.width() / self._image.width(), self.height() / self._image.height())
        width, height = self._image.width() * scale, self._image.height() * scale
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw image, heatmap, boxes and the mark of a live image."""
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.style_context.theme.stage))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._image is None:
            self._draw_hint(painter)
        else:
            area = self.image_area()
            painter.drawImage(area, self._image)
            if self._heat is not None and self._opacity > 0:
                painter.setOpacity(self._opacity)
                painter.drawImage(area, self._heat)
                painter.setOpacity(1.0)
            self._draw_boxes(painter, area, self._image)
            if self._live:
                self._draw_label(painter, area.left(), area.top(), f"● {self._live}")
        painter.end()

    def _draw_hint(self, painter: QPainter) -> None:
        font = QFont(self.font())
        font.setPixelSize(self.style_context.sizes.title)
        painter.setFont(font)
        painter.setPen(QColor(self.style_context.theme.on_stage))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(QRectF(self.rect()).adjusted(20, 20, -20, -20), flags, self._hint)

    def _draw_boxes(self, painter: QPainter, area: QRectF, image: QImage) -> None:
        scale = area.width() / image.width()
        for found in self._boxes:
            box = QRectF(
                area.left() + found.bbox.x * scale,
                area.top() + found.bbox.y * scale,
                found.bbox.width * scale,
                found.bbox.height * scale,
            )
            # Light on dark, so that the box is seen on any image.
            for colour, width in ((self.style_context.theme.stage, 5), (self.style_context.theme.hold, 2.5)):
                painter.setPen(QPen(QColor(colour), width))
                painter.drawRect(box)
            self._draw_label(painter, box.left(), box.bottom(), f"{self._class_text(found)} {found.confidence:.0%}")

    def _class_text(self, found: Detection) -> str:
        """Return the class for people; the region an anomaly model marks has no name of its own in the masters."""
        return self.tr("anomaly") if found.class_name == "anomaly" else found.class_name

    def _draw_label(self, painter: QPainter, left: float, top: float, text: str) -> None:
        font = QFont(self.font())
        font.setPixelSize(self.style_context.sizes.small_text)
        painter.setFont(font)
        metrics = painter.fontMetrics()
        pad = self.style_context.sizes.millimetres(1)
        area = QRectF(left, top, metrics.horizontalAdvance(text) + 2 * pad, metrics.height() + pad)
        if area.bottom() > self.height():
            area.moveBottom(self.height())
        background = QColor(self.style_context.theme.stage)
        background.setAlphaF(0.85)
        painter.fillRect(area, background)
        painter.setPen(QColor(self.style_context.theme.on_stage))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
