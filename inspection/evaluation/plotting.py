"""The one place that imports ``matplotlib``: only for reports, never on the way to a window or an answer."""

from __future__ import annotations

import io
import os
import warnings
from typing import Any

from platformdirs import user_cache_path

# Its cache of fonts goes where caches of this product go, unless the user has said otherwise.
os.environ.setdefault("MPLCONFIGDIR", str(user_cache_path("ImageFlow", appauthor=False) / "matplotlib"))

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

__all__ = ["Axes", "Figure", "MaxNLocator", "as_svg", "new_figure"]

GOOD_COLOUR, DEFECT_COLOUR, LINE_COLOUR = "#0b6aa8", "#c2410c", "#1f2937"
"""Blue and vermillion are told apart by every kind of colour vision, and by their lightness in print."""

_SETTINGS: dict[Any, Any] = {
    # Text stays text: it can be read aloud and searched, and the reader's own fonts draw every language.
    "svg.fonttype": "none",
    "svg.hashsalt": "imageflow",
    "font.family": "sans-serif",
    "font.size": 11.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#6b7280",
    "axes.labelcolor": LINE_COLOUR,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e5e7eb",
    "grid.linewidth": 0.8,
    "xtick.color": "#374151",
    "ytick.color": "#374151",
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """Return an empty figure of ``width`` × ``height`` inches and its one pair of axes."""
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(width, height))
        FigureCanvasSVG(figure)
        return figure, figure.add_subplot()


def as_svg(figure: Figure) -> str:
    """Return a figure as SVG; the same figure gives the same text."""
    written = io.StringIO()
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        # Only the width of a text is taken from a font here; the reader's fonts draw it, and they have its characters.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()
