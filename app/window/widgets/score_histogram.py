"""The scores of good parts as a histogram, with the threshold as a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.window.look.theme import Sizes, Theme

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.station.operations.model_scores import ScoreDistribution

BINS = 20
ROOM = 1.25
"""How far the axis reaches past the largest score, for the label of the threshold."""


def bins(
    scores: tuple[float, ...], threshold: float, count: int = BINS
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the counts and the edges (one more) of a histogram that reaches from 0 past scores and threshold.

    The threshold always lies on an edge, so that no bar is partly this side of it and partly the other.
    """
    import numpy as np

    reach = max([*scores, threshold]) * ROOM
    below = max(1, round(count * threshold / reach))
    width = threshold / below
    edges = np.arange(0.0, reach + width, width)
    counts, _ = np.histogram(scores, bins=edges)
    return counts, edges


class ScoreHistogram(QWidget):
    """Shows a model's score distribution; empty until it is given one.

    NumPy and the charting library are loaded with the first distribution, not on the way to the window.
    """

    def __init__(self, theme: Theme, sizes: Sizes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._sizes = sizes
        self._shown: ScoreDistribution | None = None
        self._plot: Any = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(sizes.millimetres(24))
        self.setVisible(False)

    def show_scores(self, distribution: ScoreDistribution | None) -> None:
        """Show ``distribution``; None hides the chart."""
        self.setVisible(distribution is not None)
        if distribution is not None and distribution != self._shown:
            self._shown = distribution
            self._draw()

    def set_theme(self, theme: Theme) -> None:
        """Use the colours of ``theme``."""
        self._theme = theme
        self._draw()

    def retranslate(self) -> None:
        """Take the texts of the language that is shown now."""
        self._draw()

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
            self._column.addWidget(self._plot)
        theme, plot = self._theme, self._plot
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
        font = QFont(self.font())
        font.setPixelSize(self._sizes.small_text)
        line.label.setFont(font)
        for side in ("left", "bottom"):
            axis = plot.getAxis(side)
            axis.setPen(QColor(theme.border))
            axis.setTextPen(QColor(theme.muted))
            axis.setTickFont(font)
        plot.setLabel("bottom", self.tr("Anomaly score of good parts the model was not fitted on"))
        plot.getAxis("bottom").label.setFont(font)
        over = sum(score > shown.threshold for score in shown.scores)
        name = self.tr("Scores of {count} good parts, {over} of them over the threshold {value}")
        self.setAccessibleName(name.format(count=len(shown.scores), over=over, value=value))
        plot.setAccessibleName(self.accessibleName())
