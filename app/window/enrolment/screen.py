"""First start: connecting this computer to its server."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.window.enrolment.presenter import EnrolmentPresenter, EnrolmentState
from app.window.shell.screen import Look, Screen


class EnrolmentScreen(Screen):
    """Address and code the first time; the credential alone when the keyring could not keep it."""

    def __init__(self, presenter: EnrolmentPresenter, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(look, parent)
        self._presenter = presenter
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.hint = QLabel()
        self.hint.setProperty("role", "muted")
        self.hint.setWordWrap(True)
        self.labels = [QLabel() for _ in range(4)]
        self.address, self.code, self.name, self.credential = fields = [QLineEdit() for _ in range(4)]
        self.address.setInputMethodHints(Qt.InputMethodHint.ImhUrlCharactersOnly)
        for label, field in zip(self.labels, fields, strict=True):
            label.setBuddy(field)
            field.returnPressed.connect(self._submit)
        self.button = QPushButton()
        self.button.setProperty("primary", True)
        self.later = QPushButton()
        for button in (self.button, self.later):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(self._submit)
        self.later.clicked.connect(presenter.go_on)
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

    def retranslate(self) -> None:
        """Take the texts of the language that is shown now."""
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
        self.later.setText(self.tr("Later"))
        self.later.setAccessibleName(self.tr("Go to sign-in without a server"))
        self._show(self._presenter.state)

    def heading(self) -> tuple[str, str]:
        """Return title and subtitle for the bar at the top."""
        return "ImageFlow Station", self.tr("Set-up of this station")

    def _lay_out(self, fields: list[QLineEdit]) -> None:
        sizes = self.look.sizes
        panel = QFrame()
        panel.setObjectName("panel")
        panel.setFixedWidth(sizes.millimetres(150))
        column = QVBoxLayout(panel)
        pad = sizes.millimetres(8)
        column.setContentsMargins(pad, pad, pad, pad)
        column.setSpacing(sizes.millimetres(1.5))
        column.addWidget(self.title)
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
        outer = QVBoxLayout(self)
        outer.addStretch(1)
        outer.addWidget(panel, 0, Qt.AlignmentFlag.AlignHCenter)
        outer.addStretch(2)

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
        self.later.setVisible(asks_server or state.needs_credential)
        for label, field in zip(self.labels[:3], (self.address, self.code, self.name), strict=True):
            label.setVisible(asks_server)
            field.setVisible(asks_server)
            field.setReadOnly(state.busy)
        self.labels[3].setVisible(asks_credential)
        self.credential.setVisible(asks_credential)
        self.credential.setReadOnly(bool(state.credential))
        if state.credential or not state.needs_credential:
            self.credential.setText(state.credential)
        self.button.setEnabled(not state.busy)
        if state.credential:
            self.title.setText(self.tr("Write this credential down"))
            self.hint.setText(
                self.tr(
                    "This computer has no keyring that could keep it. It is shown this once; the station asks for it "
                    "at its next start."
                )
            )
            self.button.setText(self.tr("I have written it down"))
        elif state.needs_credential:
            self.title.setText(self.tr("Give the device credential"))
            self.hint.setText(
                self.tr(
                    "The keyring does not hold it. Inspecting works without it; synchronising waits until it is given."
                )
            )
            self.button.setText(self.tr("Use it"))
        elif state.enrolled:
            self.title.setText(self.tr("This station is set up"))
            self.hint.setText(self.tr("It belongs to the server {address}").format(address=self._presenter.server_url))
            self.button.setText(self.tr("Go to sign-in"))
        else:
            self.title.setText(self.tr("Connect this station to its server"))
            self.hint.setText(self.tr("An administrator gives you the address and a code that is good once."))
            self.button.setText(self.tr("Connecting…") if state.busy else self.tr("Connect"))
        self.button.setAccessibleName(self.button.text())
