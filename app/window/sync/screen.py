"""The sync page: how the exchange with the server stands, in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.window.shell.screen import Look, Screen
from app.window.sync.presenter import SyncPresenter
from app.window.widgets.key_button import KeyButton
from app.window.widgets.sync_chip import local_time

if TYPE_CHECKING:
    from sync.station.engine import SyncStatus

_ROWS = 7


class SyncScreen(Screen):
    """A table of what the chip says in short, the last error with its advice, and a button to synchronise now."""

    def __init__(self, presenter: SyncPresenter, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(look, parent)
        self._presenter = presenter
        self._language = "en"
        self.names = [QLabel() for _ in range(_ROWS)]
        self.values = [QLabel() for _ in range(_ROWS)]
        self.now = KeyButton(look.actions.sync_now, primary=True)
        self.close_page = KeyButton(look.actions.home)
        for button in (self.now, self.close_page):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._lay_out()
        presenter.changed.connect(lambda _: self._fill())
        look.actions.sync_now.triggered.connect(self._synchronise)
        self.retranslate()

    def entered(self) -> None:
        """Ask for the newest status."""
        self._presenter.refresh()
        self._fill()

    def set_language(self, language: str) -> None:
        """Tell of errors in ``language``."""
        self._language = language
        self._fill()

    def retranslate(self) -> None:
        """Take the texts of the language that is shown now."""
        names = (
            self.tr("Server"),
            self.tr("Records that wait"),
            self.tr("Images and models that wait"),
            self.tr("Last success"),
            self.tr("Refused by the server"),
            self.tr("Conflicts resolved"),
            self.tr("Last trouble"),
        )
        for label, name in zip(self.names, names, strict=True):
            label.setText(name)
        self._fill()

    def heading(self) -> tuple[str, str]:
        """Return title and subtitle for the bar at the top."""
        return self.tr("Synchronisation"), self.tr("Work goes on without it; nothing that waits is lost")

    def _lay_out(self) -> None:
        sizes = self.look.sizes
        panel = QFrame()
        panel.setObjectName("panel")
        grid = QGridLayout(panel)
        pad = sizes.millimetres(8)
        grid.setContentsMargins(pad, pad, pad, pad)
        grid.setHorizontalSpacing(sizes.millimetres(8))
        grid.setVerticalSpacing(sizes.millimetres(4))
        grid.setColumnStretch(1, 1)
        for row, (name, value) in enumerate(zip(self.names, self.values, strict=True)):
            name.setProperty("role", "muted")
            value.setWordWrap(True)
            grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, row, 1)
        row_of_buttons = QHBoxLayout()
        row_of_buttons.setSpacing(sizes.gap)
        row_of_buttons.addWidget(self.close_page)
        row_of_buttons.addStretch(1)
        row_of_buttons.addWidget(self.now)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(sizes.gap, sizes.gap, sizes.gap, sizes.gap)
        outer.setSpacing(sizes.gap)
        outer.addWidget(panel)
        outer.addStretch(1)
        outer.addLayout(row_of_buttons)

    def _synchronise(self) -> None:
        self._presenter.sync_now()
        self._fill()

    def _fill(self) -> None:
        status = self._presenter.status
        self.look.actions.sync_now.setEnabled(self._presenter.enrolled and not self._presenter.busy)
        for label, text in zip(self.values, self._texts(status), strict=True):
            label.setText(text)

    def _texts(self, status: SyncStatus | None) -> tuple[str, ...]:
        if status is None:
            return ("–",) * _ROWS
        if not self._presenter.enrolled:
            server = self.tr("Not connected to a server yet")
        elif self._presenter.busy or status.running:
            server = self.tr("Online, exchanging now") if status.online else self.tr("Trying to reach it…")
        elif status.needs_credential:
            server = self.tr("It asks for this station's credential")
        else:
            server = self.tr("Online") if status.online else self.tr("Offline")
        trouble = self.tr("None")
        if status.last_error is not None:
            text = status.last_error.text(self._language)
            trouble = f"{text.title}\n{text.detail} {text.advice}"
        number = self.locale().toString
        return (
            server,
            number(status.waiting),
            number(status.blobs_waiting),
            local_time(status.last_success) if status.last_success else "–",
            number(status.dead),
            number(status.conflicts),
            trouble,
        )
