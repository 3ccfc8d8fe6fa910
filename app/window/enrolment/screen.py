"""First start: connecting this computer to its server."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QWidget

from app.window.enrolment.actions import EnrolmentActions
from app.window.enrolment.presenter import EnrolmentPresenter
from app.window.enrolment.state import AnewSetUp, EnrolmentState
from app.window.look.style_context import StyleContext
from app.window.widgets.key_button import KeyButton
from app.window.widgets.panel import Panel
from app.window.widgets.screen import Screen
from app.window.widgets.times import local_time


class EnrolmentScreen(Screen):
    """Address and code the first time; the credential alone when the keyring could not keep it; or anew at a server."""

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
        self.anew = KeyButton(self.feature_actions.anew)
        for button in (self.button, self.anew, self.later):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.feature_actions.confirm.triggered.connect(self._submit)
        self.feature_actions.later.triggered.connect(self._leave)
        self.feature_actions.anew.triggered.connect(self._second)
        self._anew: AnewSetUp | None = None
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
        self._show(self._presenter.state)

    def title(self) -> str:
        """Return the name of the screen."""
        return self.tr("Set-up of this station")

    def heading(self) -> tuple[str, str]:
        """Return title and subtitle for the bar at the top."""
        return "ImageFlow Station", self.title()

    def _lay_out(self, fields: list[QLineEdit]) -> None:
        sizes = self.style_context.sizes
        panel = Panel(margin=sizes.millimetres(5), spacing=sizes.millimetres(1.5))
        column = panel.column
        column.addWidget(self.question)
        column.addWidget(self.hint)
        column.addSpacing(sizes.gap)
        for label, field in zip(self.labels, fields, strict=True):
            column.addWidget(label)
            column.addWidget(field)
        column.addSpacing(sizes.gap)
        row = QHBoxLayout()
        row.setSpacing(sizes.gap)
        row.addWidget(self.button, 2)
        row.addWidget(self.anew, 2)
        row.addWidget(self.later, 1)
        column.addLayout(row)
        panel.place_alone(self, width=sizes.millimetres(150), above=1, below=2)

    def _submit(self) -> None:
        state, presenter = self._presenter.state, self._presenter
        typed = (self.address.text(), self.code.text(), self.name.text())
        if state.anew is not None:
            if state.anew.asking:
                presenter.enrol_anew(send_all=True)
            else:
                presenter.ask_what_to_send(*typed)
        elif state.credential or (state.enrolled and not state.needs_credential):
            presenter.go_on()
        elif state.needs_credential:
            presenter.supply_credential(self.credential.text())
        else:
            presenter.enrol(*typed)

    def _second(self) -> None:
        if self._presenter.state.anew is None:
            self._presenter.begin_anew()
        else:
            self._presenter.enrol_anew(send_all=False)

    def _leave(self) -> None:
        if self._presenter.state.anew is not None:
            self._presenter.leave_anew()
        else:
            self._presenter.go_on()

    def _show(self, state: EnrolmentState) -> None:
        self._show_fields(state)
        actions = self.feature_actions
        later, anew = actions.later, actions.anew
        asks_credential = state.needs_credential and not state.credential and state.anew is None
        asking = state.anew is not None and state.anew.asking
        later.setVisible(not state.enrolled or state.needs_credential or state.anew is not None)
        anew.setVisible(asks_credential or asking)
        for action in (later, anew, actions.confirm):
            action.setEnabled(action.isVisible() and not state.busy)
        later.setText(self.tr("Back") if state.anew is not None else self.tr("Later"))
        self.later.setAccessibleDescription("" if state.anew is not None else self.tr("Go to sign-in without a server"))
        anew.setText(self.tr("Only unsent") if asking else self.tr("Set up anew…"))
        question, hint, confirm = self._texts(state)
        self.question.setText(question)
        self.hint.setText(hint)
        actions.confirm.setText(confirm)
        self._move_focus(state)

    def _show_fields(self, state: EnrolmentState) -> None:
        asks_credential = state.anew is None and (state.needs_credential or bool(state.credential))
        asks_server = not asks_credential and (state.anew is not None or not state.enrolled)
        asks_server = asks_server and not (state.anew is not None and state.anew.asking)
        for label, field in zip(self.labels[:3], (self.address, self.code, self.name), strict=True):
            label.setVisible(asks_server)
            field.setVisible(asks_server)
            field.setReadOnly(state.busy)
        self.labels[3].setVisible(asks_credential)
        self.credential.setVisible(asks_credential)
        self.credential.setReadOnly(bool(state.credential))
        if state.credential or not state.needs_credential:
            self.credential.setText(state.credential)

    def _move_focus(self, state: EnrolmentState) -> None:
        """Put the focus where the step that has just begun needs it."""
        before, self._anew = self._anew, state.anew
        if state.anew is not None and before is None:
            self.address.setText(state.anew.address)
            self.code.setFocus()
        elif state.anew is not None and before is not None and state.anew.asking != before.asking:
            (self.button if state.anew.asking else self.code).setFocus()
        elif state.anew is None and before is not None and self.isVisible():
            self.entered()

    def _texts(self, state: EnrolmentState) -> tuple[str, str, str]:
        """Return what is asked, what helps to answer it, and the text of the button that confirms."""
        if state.anew is not None:
            return self._anew_texts(state, state.anew)
        if state.credential:
            return (
                self.tr("Write this credential down"),
                self.tr(
                    "This computer has no keyring that could keep it. It is shown this once; the station asks for it "
                    "at its next start."
                ),
                self.tr("I have written it down"),
            )
        if state.needs_credential:
            return (
                self.tr("Give the device credential"),
                self.tr(
                    "The keyring does not hold it. Inspecting works without it; synchronising waits until it is given."
                )
                + "\n"
                + self.tr(
                    "Where the server was made anew, or knows this station no longer, set it up anew: what is held "
                    "here is shown before anything is sent."
                ),
                self.tr("Use it"),
            )
        if state.enrolled:
            hint = self.tr("It belongs to the server {address}").format(address=self._presenter.server_url)
            return self.tr("This station is set up"), hint, self.tr("Go to sign-in")
        return (
            self.tr("Connect this station to its server"),
            self.tr("An administrator gives you the address and a code that is good once."),
            self.tr("Connecting…") if state.busy else self.tr("Connect"),
        )

    def _anew_texts(self, state: EnrolmentState, anew: AnewSetUp) -> tuple[str, str, str]:
        if not anew.asking:
            hint = self.tr("An administrator gives you the address and a code that is good once.")
            return self.tr("Set this station up anew"), hint, self.tr("Go on")
        hint = self.tr(
            "What the former server had not acknowledged is sent in any case. Masters wait at the server until an "
            "administrator takes them."
        )
        confirm = self.tr("Connecting…") if state.busy else self.tr("Send all")
        server = self.tr("To the server {address}").format(address=anew.address)
        return self.tr("Send everything held here?"), "\n".join((server, *self._held(anew), hint)), confirm

    def _held(self, anew: AnewSetUp) -> Iterator[str]:
        """Yield what this computer holds, in lines."""
        number, held = self.locale().toString, anew.held
        yield self.tr("Held here: parts {parts}, images {images}, files {files} ({megabytes} MB)").format(
            parts=number(held.records.get("inspection_session", 0)),
            images=number(held.records.get("image", 0)),
            files=number(held.files),
            megabytes=number(held.file_bytes / 1e6, "f", 1),
        )
        if held.since is not None:
            yield self.tr("Since {time}").format(time=local_time(held.since))
        yield self.tr("Not sent yet: changes {changes}, files {files}").format(
            changes=number(anew.status.waiting + anew.status.dead), files=number(anew.status.blobs_waiting)
        )
