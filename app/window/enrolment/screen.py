"""First start: connecting this computer to its server."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QWidget

from app.window.enrolment.actions import EnrolmentActions
from app.window.enrolment.presenter import EnrolmentPresenter
from app.window.enrolment.state import EnrolmentState
from app.window.look.style_context import StyleContext
from app.window.widgets.key_button import KeyButton
from app.window.widgets.panel import Panel
from app.window.widgets.screen import Screen


class EnrolmentScreen(Screen):
    """Address and code the first time; the credential alone when the keyring could not keep it."""

    feature_actions: EnrolmentActions

    def __init__(self, presenter: EnrolmentPresenter, style: StyleContext, parent: QWidget | None = None) -> None:
        super().__init__(style, EnrolmentActions(), parent)
        self._presenter = presenter
        self.question = QLabel()
        self.question.setProperty("role", "title")
        self.hint = QLabel()
        self.hint.setProperty("role", "muted")
        self.hint.setWordWrap(True)
        self.labels = [QLabel() for _ in range(4)]
        self.address, self.code, self.name, self.credential = fields = [QLineEdit() for _ in range(4)]
        self.address.setInputMethodHints(Qt.InputMethodHint.ImhUrlCharactersOnly)
        for label, field in zip(self.labels, fields, strict=True):
            label.setBuddy(field)
            field.returnPressed.connect(self._submit)
        self.button = KeyButton(self.feature_actions.confirm, primary=True)
        self.later = KeyButton(self.feature_actions.later)
        for button in (self.button, self.later):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.feature_actions.confirm.triggered.connect(self._submit)
        self.feature_actions.later.triggered.connect(presenter.go_on)
        self._lay_out(fields)
        presenter.changed.connect(self._show)
        self.retranslate()

    def entered(self) -> None:
        """Put the focus into the first field that is shown."""
        state = self._presenter.state
        if state.needs_credential:
            self.credential.setFocus()
        else:
            (self.button if state.enrolled else self.address).setFocus()

    def leave_field(self) -> None:
        """Do without a server for now, as Esc does outside of the fields."""
        self.feature_actions.later.trigger()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        texts = (
            self.tr("Address of the server"),
            self.tr("Enrolment code"),
            self.tr("Name of this station"),
            self.tr("Device credential"),
        )
        fields = (self.address, self.code, self.name, self.credential)
        for label, field, text in zip(self.labels, fields, texts, strict=True):
            label.setText(text)
            field.setAccessibleName(text)
        self.address.setPlaceholderText("https://imageflow.example:8443")
        self.code.setPlaceholderText(self.tr("given by the administrator"))
        self.name.setPlaceholderText(self.tr("for example: line 2, station 1"))
        self.later.setAccessibleDescription(self.tr("Go to sign-in without a server"))
        self._show(self._presenter.state)

    def title(self) -> str:
        """Return the name of the screen."""
        return self.tr("Set-up of this station")

    def heading(self) -> tuple[str, str]:
        """Return title and subtitle for the bar at the top."""
        return "ImageFlow Station", self.title()

    def _lay_out(self, fields: list[QLineEdit]) -> None:
        sizes = self.style_context.sizes
        panel = Panel(margin=sizes.millimetres(8), spacing=sizes.millimetres(1.5))
        column = panel.column
        column.addWidget(self.question)
        column.addWidget(self.hint)
        column.addSpacing(sizes.gap)
        for label, field in zip(self.labels, fields, strict=True):
            column.addWidget(label)
            column.addWidget(field)
        column.addSpacing(sizes.gap * 2)
        row = QHBoxLayout()
        row.setSpacing(sizes.gap)
        row.addWidget(self.button, 2)
        row.addWidget(self.later, 1)
        column.addLayout(row)
        panel.place_alone(self, width=sizes.millimetres(150), above=1, below=2)

    def _submit(self) -> None:
        state = self._presenter.state
        if state.credential or (state.enrolled and not state.needs_credential):
            self._presenter.go_on()
        elif state.needs_credential:
            self._presenter.supply_credential(self.credential.text())
        else:
            self._presenter.enrol(self.address.text(), self.code.text(), self.name.text())

    def _show(self, state: EnrolmentState) -> None:
        asks_credential = state.needs_credential or bool(state.credential)
        asks_server = not asks_credential and not state.enrolled
        later = self.feature_actions.later
        later.setVisible(asks_server or state.needs_credential)
        later.setEnabled(later.isVisible())
        for label, field in zip(self.labels[:3], (self.address, self.code, self.name), strict=True):
            label.setVisible(asks_server)
            field.setVisible(asks_server)
            field.setReadOnly(state.busy)
        self.labels[3].setVisible(asks_credential)
        self.credential.setVisible(asks_credential)
        self.credential.setReadOnly(bool(state.credential))
        if state.credential or not state.needs_credential:
            self.credential.setText(state.credential)
        confirm = self.feature_actions.confirm
        confirm.setEnabled(not state.busy)
        if state.credential:
            self.question.setText(self.tr("Write this credential down"))
            self.hint.setText(
                self.tr(
                    "This computer has no keyring that could keep it. It is shown this once; the station asks for it "
                    "at its next start."
                )
            )
            confirm.setText(self.tr("I have written it down"))
        elif state.needs_credential:
            self.question.setText(self.tr("Give the device credential"))
            self.hint.setText(
                self.tr(
                    "The keyring does not hold it. Inspecting works without it; synchronising waits until it is given."
                )
            )
            confirm.setText(self.tr("Use it"))
        elif state.enrolled:
            self.question.setText(self.tr("This station is set up"))
            self.hint.setText(self.tr("It belongs to the server {address}").format(address=self._presenter.server_url))
            confirm.setText(self.tr("Go to sign-in"))
        else:
            self.question.setText(self.tr("Connect this station to its server"))
            self.hint.setText(self.tr("An administrator gives you the address and a code that is good once."))
            confirm.setText(self.tr("Connecting…") if state.busy else self.tr("Connect"))
