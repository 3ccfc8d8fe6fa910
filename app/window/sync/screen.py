"""The sync page: the state of the exchange with the server, in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.window.look.language import current_language
from app.window.look.style_context import StyleContext
from app.window.sync.actions import SyncActions
from app.window.sync.presenter import SyncPresenter
from app.window.sync.progress_panel import progress_text
from app.window.sync.state import SyncState
from app.window.widgets.key_button import KeyButton
from app.window.widgets.screen import Screen
from app.window.widgets.times import local_time
from sync.station.hold import Hold

if TYPE_CHECKING:
    from sync.station.engine import SyncStatus

_ROWS = 7


class SyncScreen(Screen):
    """A table of what the chip shows in short, the last error with its advice, and a button to synchronise now."""

    feature_actions: SyncActions
    takes_scans = True

    def __init__(self, presenter: SyncPresenter, style: StyleContext, parent: QWidget | None = None) -> None:
        super().__init__(style, SyncActions(), parent)
        self._presenter = presenter
        self.names = [QLabel() for _ in range(_ROWS)]
        self.values = [QLabel() for _ in range(_ROWS)]
        self.now = KeyButton(self.feature_actions.sync_now, primary=True)
        self.stop = KeyButton(self.feature_actions.stop)
        self.refused = KeyButton(self.feature_actions.refused)
        self.conflicts = KeyButton(self.feature_actions.conflicts)
        self.close_page = KeyButton(self.feature_actions.close_page)
        for button in (self.now, self.stop, self.refused, self.conflicts, self.close_page):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._lay_out()
        presenter.changed.connect(lambda _: self._fill())
        self.feature_actions.sync_now.triggered.connect(presenter.sync_now)
        self.feature_actions.stop.triggered.connect(presenter.stop)
        self.feature_actions.refused.triggered.connect(presenter.show_refused)
        self.feature_actions.conflicts.triggered.connect(presenter.show_conflicts)
        self.feature_actions.close_page.triggered.connect(presenter.close_page)
        self.retranslate()

    def entered(self) -> None:
        """Show the newest status."""
        self._presenter.refresh()
        self._fill()
        super().entered()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
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

    def title(self) -> str:
        """Return the name of the screen."""
        return self.tr("Synchronisation")

    def heading(self) -> tuple[str, str]:
        """Return title and subtitle for the bar at the top."""
        return self.title(), self.tr("Work goes on without it; nothing that waits is lost")

    def _lay_out(self) -> None:
        sizes = self.style_context.sizes
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
        row_of_buttons.addWidget(self.refused)
        row_of_buttons.addWidget(self.conflicts)
        row_of_buttons.addWidget(self.stop)
        row_of_buttons.addWidget(self.now)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(sizes.gap, sizes.gap, sizes.gap, sizes.gap)
        outer.setSpacing(sizes.gap)
        outer.addWidget(panel)
        outer.addStretch(1)
        outer.addLayout(row_of_buttons)

    def _fill(self) -> None:
        state = self._presenter.state
        self.feature_actions.sync_now.setEnabled(state.may_synchronise)
        self.feature_actions.stop.setEnabled(state.busy or (state.status is not None and state.status.running))
        self.feature_actions.refused.setEnabled(state.status is not None and state.status.dead > 0)
        # Those that were decided can be looked up there too.
        self.feature_actions.conflicts.setEnabled(state.status is not None)
        for label, text in zip(self.values, self._texts(state), strict=True):
            label.setText(text)

    def _texts(self, state: SyncState) -> tuple[str, ...]:
        status = state.status
        if status is None:
            return ("–",) * _ROWS
        if not state.enrolled:
            server = self.tr("Not connected to a server yet")
        elif state.busy or status.running:
            server = self.tr("Online, exchanging now") if status.online else self.tr("Trying to reach it…")
            if status.progress is not None:
                server += f"\n{progress_text(status.progress, self.locale())}"
        elif status.needs_credential:
            server = self.tr("It asks for this station's credential")
        else:
            server = self.tr("Online") if status.online else self.tr("Offline")
        held = {
            Hold.IMAGES: self.tr("Images wait on purpose: the link is paid by volume"),
            Hold.EVERYTHING: self.tr("Everything waits on purpose: the link is paid by volume"),
        }.get(status.held)
        if held is None and status.metered:
            held = self.tr("Images wait: the link is paid by volume")
        server = f"{server}\n{held}" if held else server
        number = self.locale().toString
        return (
            server,
            number(status.waiting),
            number(status.blobs_waiting),
            local_time(status.last_success) if status.last_success else "–",
            number(status.dead),
            number(status.conflicts),
            self._trouble(status),
        )

    def _trouble(self, status: SyncStatus) -> str:
        """Return why no pass succeeds and since when."""
        if status.last_error is None:
            return self.tr("None")
        text = status.last_error.text(current_language())
        lines = [text.title, text.explanation]
        if status.failing_since is not None:
            lines.insert(1, self.tr("Since {time}").format(time=local_time(status.failing_since)))
        return "\n".join(lines)
