"""The bar at the top of every screen: where one is, how sync stands, language, theme, who is signed in."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.window.look.theme import Sizes, Theme
from app.window.shell.actions import StationActions
from app.window.widgets.elided_label import ElidedLabel
from app.window.widgets.key_button import KeyButton
from app.window.widgets.sync_chip import SyncChip


class TopBar(QFrame):
    """Title at the left, chip and buttons at the right."""

    def __init__(self, actions: StationActions, theme: Theme, sizes: Sizes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("topbar")
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.subtitle = ElidedLabel()
        self.subtitle.setProperty("role", "muted")
        self.chip = SyncChip(actions.sync, theme, sizes)
        self.language = KeyButton(actions.language)
        self.theme = KeyButton(actions.theme)
        self.sign_out = KeyButton(actions.sign_out)
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addStretch(1)
        texts.addWidget(self.title)
        texts.addWidget(self.subtitle)
        texts.addStretch(1)
        row = QHBoxLayout(self)
        pad = sizes.gap
        row.setContentsMargins(sizes.millimetres(5), pad // 2, pad, pad // 2)
        row.setSpacing(sizes.gap)
        row.addLayout(texts, 1)
        for widget in (self.chip, self.language, self.theme, self.sign_out):
            row.addWidget(widget)
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def show_title(self, title: str, subtitle: str) -> None:
        """Say where one is."""
        self.title.setText(title)
        self.subtitle.setText(subtitle)
        self.subtitle.setVisible(bool(subtitle))
