"""The scores of good parts as a histogram, with the threshold as a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QLocale, QSize, Qt
from PySide6.QtGui import QColor, QFont, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.window.look.style_context import StyleContext
from app.window.widgets.styled_widget import StyledWidget

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.station.operations.model_scores import ScoreDistribution
    from app.window.look.theme import Theme

BINS = 20
LEAST_HEIGHT_MM, LABELLED_FROM_MM = 27, 36
"""Caption, bars and the axis with its numbers, none of them cut; the same with the label of the axis."""
BELOW_AXIS = 6
"""Pixels below the axis."""
ROOM = 1.25
"""How far the axis reaches past the largest score, for the label of the threshold."""


def bins(
    scores: tuple[float, ...], threshold: float, count: int = BINS
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the counts, int64 ``(n,)``, and the edges, float64 ``(n + 1,)``, from 0 past all scores and the threshold.

    The threshold always lies on an edge, so that no bar is partly this side of it and partly the other.
    """
    import numpy as np

    reach = max([*scores, threshold]) * ROOM
    below = max(1, round(count * threshold / reach))
    width = threshold / below
    edges = np.arange(0.0, reach + width, width)
    counts, _ = np.histogram(scores, bins=edges)
    return counts, edges


class ScoreHistogram(StyledWidget):
    """Shows a model's score distribution; empty until it is given one.

    NumPy and the charting library are loaded with the first distribution, not on the way to the window.
    """

    def __init__(self, style: StyleContext, parent: QWidget | None = None) -> None:
        super().__init__(style, parent)
        self._shown: ScoreDistribution | None = None
        self._plot: Any = None
        self._line: Any = None
        self._drawn_in: Theme | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(style.sizes.millimetres(LEAST_HEIGHT_MM))
        self.caption = QLabel()
        self.caption.setProperty("role", "muted")
        self.caption.setWordWrap(True)
        self._column.addWidget(self.caption)
        self.setVisible(False)

    def show_scores(self, distribution: ScoreDistribution | None) -> None:
        """Show ``distribution``; None hides the chart."""
        self.setVisible(distribution is not None)
        if distribution is not None and distribution != self._shown:
            self._shown = distribution
            self._draw()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self._draw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow the theme: the chart keeps the colours it was drawn with.

        Every style sheet, also that of a parent, sends several of these events; only a new theme is worth a drawing.
        """
        changed = event.type() in {QEvent.Type.PaletteChange, QEvent.Type.StyleChange}
        if changed and self.style_context.theme is not self._drawn_in:
            self._draw()
        super().changeEvent(event)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the height with the axis's label; more is for what stands beside it."""
        return QSize(super().sizeHint().width(), self.style_context.sizes.millimetres(LABELLED_FROM_MM))

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        """Return no: the caption and the chart share the height that there is."""
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Label the axis where there is room."""
        super().resizeEvent(event)
        self._label_axis()

    def _label_axis(self) -> None:
        if self._plot is not None:
            room = self.height() >= self.style_context.sizes.millimetres(LABELLED_FROM_MM)
            self._plot.getAxis("bottom").showLabel(room)

    def _draw(self) -> None:
        shown = self._shown
        if shown is None:
            return
        import pyqtgraph

        if self._plot is None:
            self._plot = pyqtgraph.PlotWidget(self, enableMenu=False)
            self._plot.setMouseEnabled(False, False)
            self._plot.hideButtons()
            self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            self._column.addWidget(self._plot, 1)
            self._plot.getViewBox().sigResized.connect(lambda _: self._fit_range())
        self.caption.setText(self.tr("Scores of good parts the model was not fitted on"))
        theme, plot = self.style_context.theme, self._plot
        self._drawn_in = theme
        plot.clear()
        plot.setBackground(QColor(theme.surface))
        counts, edges = bins(shown.scores, shown.threshold)
        colours = [QColor(theme.ng if edge >= shown.threshold - 1e-9 else theme.muted) for edge in edges[:-1]]
        plot.addItem(
            pyqtgraph.BarGraphItem(
                x0=edges[:-1], x1=edges[1:], height=counts, brushes=colours, pen=QColor(theme.surface)
            )
        )
        value = QLocale().toString(shown.threshold, "f", 2)
        line = pyqtgraph.InfiniteLine(
            pos=shown.threshold,
            angle=90,
            pen=pyqtgraph.mkPen(QColor(theme.text), width=2),
            label=self.tr("Threshold {value}").format(value=value),
            labelOpts={"color": QColor(theme.text), "position": 0.85, "anchors": [(0, 0.5), (0, 0.5)]},
        )
        plot.addItem(line)
        self._line = line
        font = QFont(self.font())
        font.setPixelSize(self.style_context.sizes.small_text)
        line.label.setFont(font)
        most = int(counts.max())
        # Ticks that pyqtgraph chooses for the counts overlap where the chart is low; these two never do.
        plot.getAxis("left").setTicks([[(0, "0"), (most, QLocale().toString(most))]])
        plot.getAxis("bottom").setStyle(maxTickLevel=0)
        for side in ("left", "bottom"):
            axis = plot.getAxis(side)
            axis.setPen(QColor(theme.border))
            axis.setTextPen(QColor(theme.muted))
            axis.setTickFont(font)
        plot.setLabel("bottom", self.tr("Anomaly score"))
        plot.getAxis("bottom").label.setFont(font)
        self._label_axis()
        # pyqtgraph puts the label of an axis some pixels below the axis's own area, where it would be cut.
        plot.getPlotItem().setContentsMargins(0, 0, 0, BELOW_AXIS)
        over = sum(score > shown.threshold for score in shown.scores)
        name = self.tr("Scores of {count} good parts, {over} of them over the threshold {value}")
        self.setAccessibleName(name.format(count=len(shown.scores), over=over, value=value))
        plot.setAccessibleName(self.accessibleName())
        self._fit_range()

    def _fit_range(self) -> None:
        """Let the axis end where bars and the label of the threshold have room."""
        shown, view = self._shown, self._plot.getViewBox()
        if shown is None or self._line is None or view.width() <= 0:
            return
        label = self._line.label.boundingRect().width() + self.style_context.sizes.millimetres(2)
        # Where the chart is too narrow the label is cut rather than the bars squeezed.
        left_for_bars = max(view.width() - label, view.width() / 2)
        _, edges = bins(shown.scores, shown.threshold)
        view.setXRange(0, max(edges[-1], shown.threshold * view.width() / left_for_bars), padding=0)
