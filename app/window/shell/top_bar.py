"""The bar at the top of every screen: title, the features' status widgets, navigation, language, theme, sign-out."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.window.look.style_context import StyleContext
from app.window.shell.actions import ShellActions
from app.window.widgets.elided_label import ElidedLabel
from app.window.widgets.key_button import KeyButton

_BETWEEN = "   ·   "


class TopBar(QFrame):
    """Title at the left, status widgets and buttons at the right."""

    def __init__(
        self, actions: ShellActions, style: StyleContext, statuses: Sequence[QWidget], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("topbar")
        sizes = style.sizes
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.subtitle = ElidedLabel()
        # No wider than its text: the name stands beside it.
        self.subtitle.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.subtitle.setProperty("role", "muted")
        self.user = QLabel()
        self.user.setProperty("role", "muted")
        below = QHBoxLayout()
        below.setSpacing(0)
        below.addWidget(self.subtitle)
        below.addWidget(self.user)
        below.addStretch(1)
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addStretch(1)
        texts.addWidget(self.title)
        texts.addLayout(below)
        texts.addStretch(1)
        row = QHBoxLayout(self)
        pad = sizes.gap
        row.setContentsMargins(sizes.millimetres(5), pad // 2, pad, pad // 2)
        row.setSpacing(sizes.gap)
        row.addLayout(texts, 1)
        for widget in (*statuses, *(KeyButton(action) for action in actions.in_top_bar())):
            row.addWidget(widget)
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def show_title(self, title: str, subtitle: str, user: str) -> None:
        """Show the name of the screen, what is worked on, and who works: a name that is cut would be another's."""
        self.title.setText(title)
        # The sign between them belongs to what gives way: it never stands before a name alone.
        self.subtitle.setText(subtitle + _BETWEEN if subtitle and user else subtitle)
        self.subtitle.setVisible(bool(subtitle))
        self.user.setText(user)
        self.user.setVisible(bool(user))
