"""Signing in."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from app.window.look.style_context import StyleContext
from app.window.sign_in.actions import SignInActions
from app.window.sign_in.presenter import SignInPresenter
from app.window.sign_in.state import SignInState
from app.window.widgets.key_button import KeyButton
from app.window.widgets.panel import Panel
from app.window.widgets.screen import Screen


class SignInScreen(Screen):
    """Name, password, one button; errors appear in the banner."""

    feature_actions: SignInActions

    def __init__(self, presenter: SignInPresenter, style: StyleContext, parent: QWidget | None = None) -> None:
        super().__init__(style, SignInActions(), parent)
        self._presenter = presenter
        self.heading_label = QLabel()
        self.heading_label.setProperty("role", "title")
        self.hint = QLabel()
        self.hint.setProperty("role", "muted")
        self.hint.setWordWrap(True)
        self.username_label = QLabel()
        self.username = QLineEdit()
        self.password_label = QLabel()
        self.password = QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.username_label.setBuddy(self.username)
        self.password_label.setBuddy(self.password)
        self.button = KeyButton(self.feature_actions.sign_in, primary=True)
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._lay_out()
        self.username.returnPressed.connect(self.password.setFocus)
        self.password.returnPressed.connect(self._submit)
        self.feature_actions.sign_in.triggered.connect(self._submit)
        presenter.changed.connect(self._show)
        self.retranslate()

    def entered(self) -> None:
        """Begin with an empty password and the focus in the first empty field."""
        self.password.clear()
        (self.password if self.username.text() else self.username).setFocus()

    def leave_field(self) -> None:
        """Keep the focus: there is nothing but fields here."""

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self.heading_label.setText(self.tr("Sign in"))
        self.username_label.setText(self.tr("User name"))
        self.password_label.setText(self.tr("Password"))
        self.username.setAccessibleName(self.tr("User name"))
        self.password.setAccessibleName(self.tr("Password"))
        self._show(self._presenter.state)

    def title(self) -> str:
        """Return the name of the screen."""
        return self.tr("Sign in")

    def heading(self) -> tuple[str, str]:
        """Return title and subtitle for the bar at the top."""
        return "ImageFlow Station", ""

    def _lay_out(self) -> None:
        sizes = self.style_context.sizes
        panel = Panel(margin=sizes.millimetres(8), spacing=sizes.millimetres(2))
        column = panel.column
        column.addWidget(self.heading_label)
        column.addWidget(self.hint)
        column.addSpacing(sizes.gap)
        column.addWidget(self.username_label)
        column.addWidget(self.username)
        column.addWidget(self.password_label)
        column.addWidget(self.password)
        column.addSpacing(sizes.gap * 2)
        column.addWidget(self.button)
        panel.place_alone(self, width=sizes.millimetres(130), above=2, below=3)

    def _submit(self) -> None:
        password = self.password.text()
        self.password.clear()
        self._presenter.sign_in(self.username.text(), password)

    def _show(self, state: SignInState) -> None:
        for field in (self.username, self.password):
            field.setReadOnly(state.busy)
        sign_in = self.feature_actions.sign_in
        sign_in.setEnabled(not state.busy)
        sign_in.setText(self.tr("Signing in…") if state.busy else self.tr("Sign in"))
        self.hint.setText(
            self.tr("Works without the network too, for everybody who has signed in here before.")
            if state.enrolled
            else self.tr(
                "This computer is not set up as a station yet. Press F1 and choose the set-up to connect it to its "
                "server."
            )
        )
