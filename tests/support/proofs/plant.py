"""Stations that work and synchronise with one server, with every fault of the protocol's page between any two steps."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from models.clock import utc_now
from models.errors import NotFound
from models.ids import new_id
from models.sessions import InspectionSession
from models.states import HumanVerdict
from models.targets import InspectionItem, Target
from models.verification import HumanVerification
from server.change_log.generation import next_generation
from server.change_log.recording import head
from server.sync.apply import apply_batch
from sync.shared.protocol import Outcome
from sync.station.identity import branch
from sync.station.pulling import forget_cursor
from sync.station.status import SyncReport
from tests.support.proofs import invariants
from tests.support.proofs.faults import LINK_FAULTS
from tests.support.proofs.ledger import Ledger
from tests.support.proofs.moments import Moments, injected
from tests.support.proofs.places import Backup, PlantServer, PlantStation
from tests.support.sync_stores import masters, model_file, signed_in

DAY_MS = 86_400_000
PASSES = 4
"""After so many without trouble, or after one that moved nothing, nothing is on its way any more."""
ITEMS = 3
MODEL = b"weights of a model" * 5
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder in memory, where the system has one
STATION = st.integers(0, 3)
COMMIT = st.one_of(st.none(), st.integers(0, 6))
ROOM = st.one_of(st.none(), st.none(), st.tuples(st.integers(0, 6), st.sampled_from([4, 64, 1 << 20])))
FAULTS = st.lists(st.sampled_from([*[""] * len(LINK_FAULTS), *LINK_FAULTS]), max_size=8)
EDITED = ("name", "description", "version")
WORKS = st.lists(
    st.tuples(st.sampled_from(["inspect", "verify", "review", *EDITED, "item", "delete"]), st.integers(0, 9)),
    min_size=1,
    max_size=4,
)
HAPPENINGS = (
    "keep_fields_of_a_newer_schema",
    "edit_on_server",
    "verify_on_server",
    "clock_jumps",
    "clock_of_server_jumps",
    "end_without_warning",
    "lose_the_cursor",
    "old_batches_arrive_again_out_of_order",
    "claim_the_part_of_another",
    "back_up_server",
    "restore_server",
    "server_loses_images",
    "back_up_station",
    "restore_station",
    "start_a_disk_image_elsewhere",
    "come_to_rest",
)


class Plant(RuleBasedStateMachine):
    """1 to 4 stations and a server."""

    examples = 0
    """How many were begun in this process."""

    @initialize(count=st.integers(1, 4), seed=st.integers(0, 1 << 32))
    def open(self, count: int, seed: int) -> None:
        type(self).examples += 1
        self.stack = contextlib.ExitStack()
        self.folder = Path(tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))
        self.moments = Moments(seed)
        self.stack.enter_context(injected(self.moments))
        self.server = PlantServer(self.folder / "server", self.moments)
        self.stations = [
            PlantStation(self.folder / f"station{number}", self.server, f"station{number}", self.moments)
            for number in range(count)
        ]
        self.user, self.target, item = masters()
        model = model_file(MODEL)
        item.pipeline_parameters = {"score": {"model": model.id}}
        self.items = [item, *(InspectionItem(target_id=self.target.id, name=f"I{n}") for n in range(1, ITEMS))]
        users = [signed_in(self.user, station.device_id) for station in self.stations]
        self.server.add(self.user, self.target, model, *self.items, *users)
        self.server.objects.put(model.sha256, MODEL)
        self.ledger, self.claims = Ledger(), 0
        self.backup: tuple[Backup, int] | None = None
        self.kept: dict[str, Backup] = {}
        self.unknown: dict[str, dict[str, Any]] = {}
        self.parts: dict[str, list[str]] = {station.name: [] for station in self.stations}
        for station in self.stations:
            station.link.other_client = self._other_client
            station.link.person_here = lambda station=station: self._person_at(station)
            station.link.look = lambda station=station: self.ledger.look_at(station)
            station.quiet_pass()

    def _station(self, which: int) -> PlantStation:
        return self.stations[which % len(self.stations)]

    def _part(self, station: PlantStation, number: int) -> str | None:
        parts = self.parts[station.name]
        return parts[number % len(parts)] if parts else None

    def _other_client(self) -> None:
        with self.server.acting(), self.server.database.transaction() as session:
            session.get_one(Target, self.target.id).description = new_id()

    def _person_at(self, station: PlantStation) -> None:
        name = self.moments.chance.choice(EDITED)
        with self.moments.of(station.wall):
            station.edit(Target, self.target.id, self.user.id, **{name: f"here {self.moments.chance.randrange(9)}"})

    @rule(which=STATION, works=WORKS, faults=FAULTS, kill_at=COMMIT, room=ROOM, pause=st.booleans())
    def shift(
        self,
        which: int,
        works: list[tuple[str, int]],
        faults: list[str],
        kill_at: int | None,
        room: tuple[int, int] | None,
        pause: bool,
    ) -> None:
        """Work at a station, then synchronise; trouble comes at the work or, after a pause, at the synchronisation."""
        station = self._station(which)
        trouble: dict[str, Any] = {"kill_at": kill_at, "room": room}
        for name, number in works:
            part = self._work(station, name, number, {} if pause else trouble)
            if part is not None:
                self.parts[station.name].append(part)
            self.ledger.look_at(station)
        station.link.faults = list(faults)
        if station.attempt(station.sync, **(trouble if pause else {})) is not None:
            self.ledger.passed(station)

    def _work(self, station: PlantStation, name: str, number: int, trouble: dict[str, Any]) -> str | None:
        """Do one thing as a person does it; return the part it made."""
        user, target = self.user.id, self.target.id
        if name == "inspect":
            return station.attempt(lambda: station.inspect_part(target, user), **trouble)
        part, item = self._part(station, number), self.items[number % ITEMS].id
        if name == "review" and part is not None:
            station.attempt(lambda: station.review_part(part, user), **trouble)
        if name == "verify" and part is not None:
            verdict = list(HumanVerdict)[number % len(HumanVerdict)]
            station.attempt(lambda: station.verify_part(part, verdict, user), **trouble)
        if name in EDITED:
            station.attempt(lambda: station.edit(Target, target, user, **{name: str(number)}), **trouble)
        if name in {"item", "delete"} and station.record(InspectionItem, item).deleted_at is None:
            fields = {"name": f"item {number}"} if name == "item" or number % ITEMS == 0 else {"deleted_at": utc_now()}
            station.attempt(lambda: station.edit(InspectionItem, item, user, **fields), **trouble)
        return None

    @rule(what=st.sampled_from(HAPPENINGS), which=STATION, number=st.integers(-9, 9))
    def something_happens(self, what: str, which: int, number: int) -> None:
        """Let something else happen: at a station, at the server, or on the way between them."""
        getattr(self, what)(self._station(which), number)

    def keep_fields_of_a_newer_schema(self, station: PlantStation, number: int) -> None:
        part = self._part(station, number)
        if part is None:
            return
        with self.moments.of(station.wall):
            made = HumanVerification(device_id=station.device_id, session_id=part, verdict=HumanVerdict.OK)
        made.extra = {"of_a_newer_schema": [number, "検査"]}
        station.attempt(lambda: station.add(self.user.id, made))
        self.unknown[made.id] = dict(made.extra)

    def edit_on_server(self, station: PlantStation, number: int) -> None:
        with self.server.acting(), self.server.database.transaction() as session:
            setattr(session.get_one(Target, self.target.id), EDITED[number % len(EDITED)], f"server {number}")

    def verify_on_server(self, station: PlantStation, number: int) -> None:
        part = self._part(station, number)
        if part is not None and self.server.record(InspectionSession, part) is not None:
            with self.moments.of(self.server.wall):
                verdict = HumanVerification(device_id="server", session_id=part, verdict=HumanVerdict.NG)
            self.server.add(verdict)

    def clock_jumps(self, station: PlantStation, days: int) -> None:
        station.wall.milliseconds += days * DAY_MS

    def clock_of_server_jumps(self, station: PlantStation, days: int) -> None:
        self.server.wall.milliseconds += days * DAY_MS

    def end_without_warning(self, station: PlantStation, number: int) -> None:
        station.reopen()

    def lose_the_cursor(self, station: PlantStation, number: int) -> None:
        forget_cursor(station.database)
        station.link.busy_snapshots = bool(number % 2)

    def old_batches_arrive_again_out_of_order(self, station: PlantStation, number: int) -> None:
        sent = [change for batch in station.link.sent for change in batch.changes]
        station.link.deliver(self.moments.chance.sample(sent, min(len(sent), 6)))

    def claim_the_part_of_another(self, victim: PlantStation, number: int) -> None:
        thief = self._station(self.stations.index(victim) + 1)
        part = self._part(victim, number)
        if thief is victim or part is None or self.server.record(InspectionSession, part) is None:
            return
        with self.moments.of(thief.wall):
            stamp = str(thief.clock.now())
            fields = {"device_id": victim.device_id, "session_id": part, "verdict": "NG", "created_at": AT}
            forged = {"change_id": new_id(), "op": "insert", "clock": stamp, "entity_id": new_id()}
        with self.server.acting():
            change = {**forged, "entity": "human_verification", "fields": fields}
            answer = apply_batch(self.server.database, self.server.clock, thief.device_id, [change])
        assert answer.results[0].outcome is Outcome.REJECTED, "a claim of another identity was taken"
        self.claims += 1
        image = next(sha256 for sha256 in victim.blobs.digests() if sha256 in self.ledger.blobs)
        with contextlib.suppress(NotFound):
            thief.link.download_blob(image, self.folder / "stolen")
            raise AssertionError("a blob of another station was read")

    def back_up_server(self, station: PlantStation, number: int) -> None:
        self.backup = (Backup.of(self.server, self.folder / "backup"), self.claims)

    def restore_server(self, station: PlantStation, number: int) -> None:
        if self.backup is None:
            return
        backup, self.claims = self.backup
        backup.restore()
        if number % 2:
            # As ``imageflow data restore`` does; otherwise somebody has copied the files back.
            with self.server.acting(), self.server.database.local_transaction() as session:
                next_generation(session)
        self.ledger.server_went_back(self.server, self.stations)

    def server_loses_images(self, station: PlantStation, number: int) -> None:
        """Let the object store lose what a station holds; the administrator marks the server as restored."""
        for sha256 in station.blobs.digests():
            if sha256 in self.ledger.blobs and self.server.objects.exists(sha256):
                self.server.objects.delete(sha256)
        with self.server.acting(), self.server.database.local_transaction() as session:
            next_generation(session)

    def back_up_station(self, station: PlantStation, number: int) -> None:
        self.kept[station.name] = Backup.of(station, self.folder / f"backup of {station.name}")

    def restore_station(self, station: PlantStation, number: int) -> None:
        """Put a station back: by ``imageflow data restore``, or by copying its files."""
        if station.name not in self.kept:
            return
        self.kept[station.name].restore()
        if number % 2:
            with station.database.transaction() as session:
                branch(session, restored=True)
        self.ledger.station_went_back(self.server, station)
        with station.database.read() as session:
            self.parts[station.name] = list(session.scalars(select(InspectionSession.id)))

    def start_a_disk_image_elsewhere(self, station: PlantStation, number: int) -> None:
        """Let a copy of a station work on another machine: the server refuses it until it is chosen."""
        image = station.image(self.folder / f"image {new_id()}")
        part = image.attempt(lambda: image.inspect_part(self.target.id, self.user.id))
        assert image.attempt(image.sync) is None, "two stores of one station were both let in"
        assert self.server.record(InspectionSession, part) is None, "a store that was refused has sent its part"
        if number % 2:
            self.server.choose(image)
            image.quiet_pass()
            assert self.server.record(InspectionSession, part) is not None, "the chosen store has not sent its part"
        image.close()

    def come_to_rest(self, station: PlantStation, number: int) -> None:
        self._quiet()

    @invariant()
    def nothing_is_older_than_before(self) -> None:
        for station in getattr(self, "stations", []):
            self.ledger.look_at(station)

    def _quiet(self) -> None:
        self.server.deliver_late()
        for _ in range(PASSES):
            self.server.take_offers()
            before = self._positions()
            reports = []
            for station in self.stations:
                reports.append(station.attempt(station.sync))
                self.server.choose(station)
            if before == self._positions() and all(report is not None and _moved_nothing(report) for report in reports):
                break
        reports = [station.quiet_pass() for station in self.stations]
        for station in self.stations:
            self.ledger.passed(station)
        for station, report in zip(self.stations, reports, strict=True):
            waiting = [(entry.entity, entry.op, entry.fields, entry.last_error) for entry in station.outbox()]
            assert (report.dead, report.retried, report.problems) == (0, 0, ()), waiting
        invariants.nothing_lost(self.server, self.stations, self.ledger)
        invariants.exactly_once(self.server)
        invariants.convergence(self.server, self.stations)
        invariants.no_going_back(self.server, self.stations, self.ledger)
        invariants.causality(self.server)
        invariants.isolation(self.server, self.stations, self.claims)
        invariants.bounded(self.stations)
        invariants.versions(self.server, self.stations, self.unknown)

    def _positions(self) -> tuple[int, list[int]]:
        """How much the server has, and how much waits at each station."""
        with self.server.database.read() as session:
            return head(session), [len(station.outbox()) for station in self.stations]

    def teardown(self) -> None:
        if not hasattr(self, "stations"):
            return
        try:
            self._quiet()
        finally:
            for place in (*self.stations, self.server):
                place.close()
            shutil.rmtree(self.folder)
            self.stack.close()


AT = "2026-01-01T00:00:00.000Z"


def _moved_nothing(report: SyncReport) -> bool:
    counts = (report.pushed, report.retried, report.pulled, report.blobs_sent, report.blobs_fetched)
    return not any(counts) and not report.full_resync and not report.sent_again and not report.files_again


def profile(examples: int, steps: int = 20) -> settings:
    """The settings of so many examples, the same ones at each run."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        # A found failure is reported at once: to make it smaller would take longer than the whole run.
        phases=(Phase.explicit, Phase.generate),
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
