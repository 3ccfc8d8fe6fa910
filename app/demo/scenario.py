"""The demo's steps around the operator's own work, without a screen: server up, down and up again, check, report."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.demo.comparison import compare
from app.demo.outcome import PartOutcome
from app.demo.output import OVERLAYS, overlay_name
from app.demo.parts import DemoPart, DemoParts
from app.demo.practice_store import PracticeStore
from app.demo.report import build_report
from app.demo.server_setup import ServerAdministration, ServerSetup, create_admin
from app.demo.wording import Wording
from app.server_process import ServerProcess
from app.station.operations.history import PartSummary
from app.station.operations.inspection import ItemInspection
from app.station.operations.sync_status import sync_status
from app.station.operations.training import TrainedModel
from app.station.settings import load_settings
from app.station.workspace import Workspace
from inspection.imaging.files import encode_png
from models.errors import Unavailable, UnreadableImage
from models.messages import Language
from models.states import HumanVerdict
from models.storage import make_folder, write_atomically
from sync.station.status import SyncStatus

SETTLE_S = 180.0
_LOOK_EVERY_S = 0.1
_SYNC_INTERVAL_S = 2.0

Note = Callable[[str], None]
"""Called with a sentence about what happens now."""


class Scenario:
    """One run of the demo.

    Attributes:
        wording: in the language of the users, and so of the window.
        workspace: the station; there after ``open_station``.
        setup: users, code and masters; there after ``set_up_server``.
        outcomes: the parts inspected so far.
        skipped: the message for each image that could not be used.
    """

    def __init__(
        self, practice: PracticeStore, parts: DemoParts, out: Path, note: Note, language: Language = "en"
    ) -> None:
        self.parts = parts
        self.out = out
        self.wording = Wording(language)
        self.outcomes: list[PartOutcome] = []
        self.skipped: list[str] = []
        self.trained: TrainedModel | None = None
        self._practice = practice
        self._note = note
        self._server = ServerProcess(practice.server_data)
        self._administration: ServerAdministration | None = None
        self._setup: ServerSetup | None = None
        self._workspace: Workspace | None = None
        self._began = time.monotonic()

    @property
    def language(self) -> Language:
        """Language of the users."""
        return self.wording.language

    @property
    def setup(self) -> ServerSetup:
        """What the server was set up with."""
        if self._setup is None:
            raise RuntimeError("the server is not set up yet")
        return self._setup

    @property
    def workspace(self) -> Workspace:
        """The open station."""
        if self._workspace is None:
            raise RuntimeError("the station is not open yet")
        return self._workspace

    @property
    def server_url(self) -> str:
        """Address of the server."""
        return self._server.url

    @property
    def half_way(self) -> int:
        """Number of parts after which the server is stopped."""
        return len(self.parts.test) // 2

    def set_up_server(self) -> None:
        """Start the server and make users, masters and an enrolment code on it.

        Raises:
            Unavailable: when the server or one of its answers fails.
        """
        self._note(self.wording.phrase("server-starting"))
        self._server.start()
        self._note(self.wording.phrase("server-at", url=self._server.url))
        password = create_admin(self._practice.server_data)
        self._administration = ServerAdministration(self._server, password)
        self._setup = self._administration.set_up(self.parts, self.language)

    def open_station(self) -> Workspace:
        """Open the practice store.

        Raises:
            UserFacingError: when it cannot be opened.
        """
        settings = load_settings(self._practice.folder)
        quick = settings.model_copy(update={"sync_interval_s": _SYNC_INTERVAL_S})
        self._workspace = Workspace.open(self._practice.folder, settings=quick)
        self._workspace.start_sync()
        return self._workspace

    def stop_server(self) -> None:
        """Take the server away, as a network does."""
        self._note(self.wording.phrase("server-goes", parts=len(self.outcomes)))
        self._server.stop()

    def part_of(self, inspection: ItemInspection) -> DemoPart:
        """Return the part that was inspected."""
        return self.parts.part_at(inspection.frame.path)

    def record(self, inspection: ItemInspection, summary: PartSummary) -> PartOutcome:
        """Note what became of a part."""
        part = self.part_of(inspection)
        number = len(self.outcomes) + 1
        outcome = PartOutcome(
            number=number,
            serial_number=summary.serial_number,
            file=part.path.relative_to(self.parts.test_folder).as_posix(),
            label=part.label,
            good=part.good,
            ai_verdict=inspection.verdict,
            effective_verdict=summary.effective_verdict or HumanVerdict(inspection.verdict.value),
            score=inspection.score,
            threshold=inspection.threshold,
            milliseconds=inspection.milliseconds,
            online=self._server.running,
        )
        self.outcomes.append(outcome)
        return outcome

    def skip(self, error: UnreadableImage) -> None:
        """Note that a part's image could not be used."""
        self.skipped.append(self.wording.trouble(error))

    def keep_overlay(self, outcome: PartOutcome, inspection: ItemInspection) -> None:
        """Write what the operator saw of a part below ``overlays/``.

        Raises:
            Unavailable: ``file-disk-full`` or ``file-not-written``.
        """
        overlay = inspection.outcome.overlay
        if overlay is None:
            return
        folder = self.out / OVERLAYS
        make_folder(folder)
        write_atomically(folder / overlay_name(outcome), encode_png(overlay))

    def settle(self, cancelled: threading.Event | None = None) -> None:
        """Bring the server back and wait until nothing waits any more.

        Raises:
            Unavailable: ``server-process-failed``, or ``demo-not-synced`` when something still waits in the end.
        """
        if not self._server.running:
            self._server.start()
            self._note(self.wording.phrase("server-back"))
        self.workspace.request_sync()
        deadline = time.monotonic() + SETTLE_S
        status = sync_status(self.workspace)
        while status.waiting or status.blobs_waiting or status.running:
            if time.monotonic() > deadline or (cancelled is not None and cancelled.is_set()):
                raise self.not_synced(status)
            time.sleep(_LOOK_EVERY_S)
            status = sync_status(self.workspace)
        self._note(self.wording.phrase("synchronised"))

    def not_synced(self, status: SyncStatus) -> Unavailable:
        """Return the error of what still waits for the server after ``SETTLE_S``."""
        return Unavailable(
            "demo-not-synced",
            waiting=status.waiting + status.blobs_waiting,
            seconds=int(SETTLE_S),
            reason=str(status.last_error or ""),
            log=str(self._server.log),
        )

    def report(self) -> dict[str, Any]:
        """Compare station and server and return the report.

        Raises:
            UserFacingError: when the server does not answer.
        """
        if self._administration is None or self.trained is None:
            raise RuntimeError("there is nothing to report yet")
        comparison = compare(self.workspace, self._administration, len(self.outcomes), self.wording)
        return build_report(
            name=self.parts.name,
            outcomes=self.outcomes,
            skipped=self.skipped,
            trained=self.trained,
            comparison=comparison,
            seconds=time.monotonic() - self._began,
            finished=len(self.outcomes) + len(self.skipped) >= len(self.parts.test),
        )

    def close(self) -> None:
        """End station and server; the practice store stays."""
        if self._workspace is not None:
            self._workspace.forget_credential()
            self._workspace.close()
            self._workspace = None
        self._server.stop()
