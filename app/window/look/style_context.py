"""The style every widget draws itself in: the theme that is shown now, and the sizes of this display."""

from __future__ import annotations

from dataclasses import dataclass

from app.window.look.theme import Sizes, Theme


@dataclass(slots=True)
class StyleContext:
    """Shared by all widgets of one window.

    A widget reads ``theme`` whenever it paints. Qt repaints it after a change: ``ThemeSwitch`` sets palette and style
    sheet, which reach every widget as ``QEvent.PaletteChange`` and ``QEvent.StyleChange``.

    Attributes:
        theme: the colours shown now.
        sizes: in device-independent pixels of this display.
    """

    theme: Theme
    sizes: Sizes
