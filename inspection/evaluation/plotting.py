"""Figures of ``matplotlib`` as SVG; no other module imports it, and only reports import this one."""

from __future__ import annotations

import io
import os
import warnings
from typing import Any

from platformdirs import user_cache_path

# Its font cache is stored with the caches of this product, unless the user has configured another place.
os.environ.setdefault("MPLCONFIGDIR", str(user_cache_path("ImageFlow", appauthor=False) / "matplotlib"))

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

__all__ = ["Axes", "Figure", "MaxNLocator", "as_svg", "new_figure"]

GOOD_COLOUR, DEFECT_COLOUR, LINE_COLOUR = "#0b6aa8", "#c2410c", "#1f2937"
"""Blue and vermillion are distinguishable with every kind of colour vision, and by lightness in print."""

_SETTINGS: dict[Any, Any] = {
    # Text is kept as text: screen readers and searches find it, and the reader's fonts cover every language.
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
    """Return an empty figure of ``width`` × ``height`` inches and its axes."""
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(width, height))
        FigureCanvasSVG(figure)
        return figure, figure.add_subplot()


def as_svg(figure: Figure) -> str:
    """Return a figure as SVG; the same figure gives the same text."""
    written = io.StringIO()
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        # The font is used for text widths only; the reader's fonts draw the text.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()
