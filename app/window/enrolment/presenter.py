"""First start: making this computer a station of a server, with a code an administrator gives."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.window.enrolment.state import AnewSetUp, EnrolmentState
from app.window.presenting.context import StationContext
from app.window.presenting.event import Event
from app.window.presenting.messages import StationEnrolled, SyncStatusChanged
from app.window.presenting.notices import Level
from app.window.presenting.running import Lane, Task
from app.window.presenting.state_presenter import StatePresenter
from models.errors import InvalidInput, Unavailable
from sync.shared.problems import DEVICE_REFUSED, code_of

if TYPE_CHECKING:
    from app.station.operations.enrolment import Enrolment
    from sync.station.engine import SyncStatus


class EnrolmentPresenter(StatePresenter[EnrolmentState]):
    """Decides what happens on the enrolment screen; publishes ``StationEnrolled``.

    Events:
        enrolled: this computer has become a station.
    """

    def __init__(self, context: StationContext) -> None:
        super().__init__(context, EnrolmentState(enrolled=context.workspace.enrolled))
        self._asked_for = ""
        self.enrolled: Event[Enrolment] = Event()
        context.screen_changed.connect(self._screen_changed)
        context.subscribe(SyncStatusChanged, lambda message: self.follow(message.status))

    @property
    def is_start(self) -> bool:
        """Whether set-up comes before everything else: at the first start, until it is done or postponed."""
        return not self.state.enrolled and not self.state.postponed and self._context.user is None

    @property
    def is_reachable(self) -> bool:
        """Whether there is something to set up."""
        return not self.state.enrolled or self.state.needs_credential

    @property
    def server_url(self) -> str:
        """Address of the server; empty before enrolment."""
        return self._context.workspace.server_url or ""

    def begin(self) -> None:
        """Start synchronisation; ask for the credential when the keyring does not hold it (it may answer slowly)."""
        workspace = self._context.workspace

        def start(_: Task) -> bool:
            workspace.start_sync()
            return workspace.needs_credential

        self._context.runner.run(
            start,
            lane=Lane.NETWORK,
            on_success=self._credential_known,
            on_failure=self._context.report("enrolment"),
        )

    def enrol(self, server_url: str, code: str, name: str = "") -> None:
        """Enrol with the server at ``server_url``."""
        if self.state.busy:
            return
        if not server_url.strip() or not code.strip():
            self._report("enrolment", personal=True)(InvalidInput("window-enrolment-missing"))
            return
        workspace = self._context.workspace
        self._show_busy()

        def ask(_: Task) -> Enrolment:
            from app.station.operations.enrolment import enrol

            enrolment = enrol(workspace, server_url=server_url.strip(), code=code.strip(), name=name.strip())
            workspace.start_sync()
            return enrolment

        self._context.runner.run(
            ask,
            lane=Lane.NETWORK,
            on_success=self._succeed,
            on_failure=self._report("enrolment", personal=True),
            on_finished=self._end,
        )

    def supply_credential(self, credential: str) -> None:
        """Give the credential that the keyring could not keep."""
        if self.state.busy or not credential.strip():
            return
        workspace = self._context.workspace
        self._show_busy()

        def supply(_: Task) -> None:
            from app.station.operations.enrolment import supply_credential

            supply_credential(workspace, credential.strip())

        self._context.runner.run(
            supply,
            lane=Lane.NETWORK,
            on_success=lambda _: self._supplied(),
            on_failure=self._report("enrolment", personal=True),
            on_finished=self._end,
        )

    def begin_anew(self) -> None:
        """Ask for the server at which this station is set up anew, once it is known what is held here."""
        if self.state.busy:
            return
        workspace = self._context.workspace

        def read(_: Task) -> AnewSetUp:
            from app.station.operations.enrolment import held_here

            return AnewSetUp(*held_here(workspace), address=self.server_url)

        self._context.runner.run(
            read,
            lane=Lane.DATABASE,
            on_success=self._show_anew,
            on_failure=self._report("enrolment", personal=True),
        )

    def ask_what_to_send(self, address: str, code: str, name: str = "") -> None:
        """Ask whether everything that is held here is sent to the server that was typed."""
        anew = self.state.anew
        if anew is None or self.state.busy:
            return
        typed = replace(anew, address=address.strip(), code=code.strip(), name=name.strip())
        if not typed.address or not typed.code:
            self._report("enrolment", personal=True)(InvalidInput("window-enrolment-missing"))
            return
        self._context.notices.clear("enrolment")
        self._show(replace(self.state, anew=replace(typed, asking=True)))

    def enrol_anew(self, *, send_all: bool) -> None:
        """Set this station up anew; what the former server has not acknowledged goes in any case."""
        anew = self.state.anew
        if anew is None or not anew.asking or self.state.busy:
            return
        workspace = self._context.workspace
        self._show_busy()

        def ask(_: Task) -> Enrolment:
            from app.station.operations.enrolment import enrol_anew

            return enrol_anew(workspace, server_url=anew.address, code=anew.code, name=anew.name, send_all=send_all)

        self._context.runner.run(
            ask,
            lane=Lane.NETWORK,
            on_success=self._succeed,
            on_failure=self._report("enrolment", personal=True, then=self._correct_anew),
            on_finished=self._end,
        )

    def leave_anew(self) -> None:
        """Go back from the question to the form, from the form to the credential."""
        anew = self.state.anew
        if anew is None or self.state.busy:
            return
        self._show(replace(self.state, anew=replace(anew, asking=False) if anew.asking else None))
        if not anew.asking:
            self._ask_for_credential(self._asked_for)

    def go_on(self) -> None:
        """Leave for the sign-in screen; it works without a server too."""
        self._show(replace(self.state, credential="", postponed=True))
        self._context.go_to_start()

    def _show_busy(self) -> None:
        self._context.notices.clear("enrolment")
        self._show(replace(self.state, busy=True))

    def _end(self) -> None:
        self._show(replace(self.state, busy=False))

    def _credential_known(self, needed: bool) -> None:
        if needed:
            self._ask_for_credential("window-credential-needed")

    def follow(self, status: SyncStatus) -> None:
        """Ask for the credential when the server refuses it or it has got lost, until a pass succeeds."""
        error = status.last_error
        if status.needs_credential and error is not None:
            # Once refused it is forgotten, and the next pass misses it: the first reason is the one to show.
            if code_of(error) == DEVICE_REFUSED and self._asked_for != "window-credential-refused":
                self._ask_for_credential("window-credential-refused")
            elif not self.state.needs_credential:
                self._ask_for_credential("window-credential-needed")
        elif error is None and status.online and not status.running:
            self._stop_asking()

    def _ask_for_credential(self, code: str) -> None:
        self._asked_for = code
        self._show(replace(self.state, needs_credential=True))
        self._context.notices.add("credential", Unavailable(code), level=Level.HINT)

    def _stop_asking(self) -> None:
        if self.state.needs_credential:
            self._asked_for = ""
            self._context.notices.clear("credential")
            self._show(replace(self.state, needs_credential=False))

    def _screen_changed(self, screen: str) -> None:
        """Forget the credential once the person has left the screen: it is shown a single time."""
        if screen != "enrolment" and self.state.credential:
            self._show(replace(self.state, credential=""))

    def _supplied(self) -> None:
        self._stop_asking()
        self._context.publish(StationEnrolled())
        self.go_on()

    def _show_anew(self, found: AnewSetUp) -> None:
        """Show the form; that the credential is asked for says nothing here."""
        self._context.notices.clear("credential")
        self._show(replace(self.state, anew=found))

    def _correct_anew(self) -> None:
        """Go back to the form of a set-up that failed, to correct it."""
        if self.state.anew is not None:
            self._show(replace(self.state, anew=replace(self.state.anew, asking=False)))

    def _succeed(self, enrolment: Enrolment) -> None:
        self._stop_asking()
        self._show(EnrolmentState(busy=False, enrolled=True, credential=enrolment.credential or ""))
        self._context.publish(StationEnrolled())
        self.enrolled.emit(enrolment)
        if enrolment.credential_kept:
            self.go_on()
