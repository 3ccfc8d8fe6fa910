"""The Qt application: its name, style and fonts."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

# The first that is installed is used; the Japanese ones carry Latin letters too.
FONTS = ["Noto Sans CJK JP", "Noto Sans JP", "Yu Gothic UI", "Meiryo", "Hiragino Sans", "Noto Sans", "DejaVu Sans"]


def prepare_application(argv: Sequence[str] = ()) -> QApplication:
    """Return the application with style and fonts set; the one there is when there is one."""
    present = QApplication.instance()
    application = present if isinstance(present, QApplication) else QApplication(["imageflow-station", *argv])
    application.setApplicationName("ImageFlow Station")
    application.setStyle("Fusion")
    font = QFont()
    font.setFamilies(FONTS)
    application.setFont(font)
    return application
