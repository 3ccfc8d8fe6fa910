"""What a proof remembers beside the product: everything that was committed on a station, and every edit of a master."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from models.states import OutboxState, SessionStatus, status_rank
from models.sync import AppliedChange, OutboxEntry, SyncConflict
from models.synced import Fact, Master, snapshot, synced_types
from sync.station.audit_chain import FORMER_PLACE
from tests.support.proofs.places import PlantServer, PlantStation
from tests.support.sync_stores import contents

UNMERGED = frozenset({"updated_at"})
"""A wall time for display; the later one stands."""
_PLACES = frozenset({"clock_ahead_ms", "sequence", "previous_digest", "digest", FORMER_PLACE})


@dataclass(frozen=True)
class Edit:
    """A field of a master, set on a station.

    Attributes:
        number: order in which they were made.
    """

    number: int
    device_id: str
    change_id: str
    entity_id: str
    field: str
    value: Any


@dataclass
class Ledger:
    """What the stations have committed so far.

    Attributes:
        facts: by entity and id: station and wire fields.
        blobs: by digest: bytes.
        sessions: by id: station and furthest rank of the status.
        edits: by change and field.
        made: how many edits there were, also those forgotten since.
        seen: position and value of each master's field that a station has shown last.
        stamps: of fields of masters that any station has held.
        known: changes of masters seen in an outbox.
        overtaken: offers and their fields that a person has set again while the administrator had not taken the offer.
        newest: newest stamp of masters that a station has held.
        may_go_back: stations that have had no whole pass since the server was put back.
        looked: commits of each station's store when it was looked at last; without another there is nothing new.
    """

    facts: dict[tuple[str, str], tuple[str, dict[str, Any]]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    sessions: dict[str, tuple[str, int]] = field(default_factory=dict)
    edits: dict[tuple[str, str], Edit] = field(default_factory=dict)
    made: int = 0
    seen: dict[tuple[str, str, str], tuple[int, Any]] = field(default_factory=dict)
    stamps: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    overtaken: set[tuple[str, str]] = field(default_factory=set)
    newest: dict[str, str] = field(default_factory=dict)
    may_go_back: set[str] = field(default_factory=set)
    looked: dict[str, int] = field(default_factory=dict)

    def look_at(self, station: PlantStation) -> None:
        """Remember what a station holds; nothing that it held before may have changed, gone or become older."""
        if self.looked.get(station.name) == station.fuse.burnt:
            return
        self._look_at(station)
        self.looked[station.name] = station.fuse.burnt

    def _look_at(self, station: PlantStation) -> None:
        masters = []
        with station.database.read() as session:
            waiting = list(session.scalars(select(OutboxEntry).order_by(OutboxEntry.sequence)))
            own = {(entry.entity_id, name) for entry in waiting for name in entry.fields}
            lost: dict[tuple[str, str], list[Any]] = defaultdict(list)
            for entity_id, name, value in session.execute(
                select(SyncConflict.entity_id, SyncConflict.field, SyncConflict.lost_value)
            ):
                lost[entity_id, name].append(value)
            for entity, kind in synced_types().items():
                for record in session.scalars(select(kind)):
                    if issubclass(kind, Master):
                        masters.append(record)
                        self._never_older(station, record, own, lost)
                    elif issubclass(kind, Fact):
                        self._never_changed(station, entity, record)
                    else:
                        self._only_forward(station, record)
            shown: dict[tuple[type, str, str], tuple[OutboxEntry, Any]] = {}
            held = self.newest.get(station.device_id, "")
            for entry in waiting:
                kind = synced_types()[entry.entity]
                if issubclass(kind, Master):
                    self._edited(station, entry, held)
                    self.newest[station.device_id] = max(self.newest.get(station.device_id, ""), entry.clock)
                    for name, value in entry.fields.items():
                        before = shown.get((kind, entry.entity_id, name))
                        if before is not None and before[0].user_id is None:
                            self.overtaken.add((before[0].change_id, name))
                        shown[kind, entry.entity_id, name] = entry, value
            stamps = [record.clock for record in masters]
            self.stamps.update(state["clock"] for record in masters for state in record.field_clocks.values())
            self.newest[station.device_id] = max([self.newest.get(station.device_id, ""), *stamps])
            for (kind, entity_id, name), (entry, value) in shown.items():
                present = snapshot(session.get(kind, entity_id))[name]
                stands = present == value or (entry.change_id, name) in self.overtaken
                assert stands, f"an edit of {name} that waits is no longer shown at {station.name}"

    def _never_older(
        self, station: PlantStation, record: Any, own: set[tuple[str, str]], lost: dict[tuple[str, str], list[Any]]
    ) -> None:
        if station.device_id in self.may_go_back:
            return
        shown = snapshot(record)
        for name, state in record.field_clocks.items():
            place = (station.device_id, record.id, name)
            rev = state.get("rev")
            # A value of its own that waits has no position yet: the one that is held is of the value before.
            if rev is None or name in UNMERGED or (record.id, name) in own:
                continue
            before, value = self.seen.get(place, (0, None))
            # The log repeats a value that won, at a later position; the snapshot gives it at its own.
            # One of its own that lost is shown until the value that won comes with the pull.
            right = rev >= before or shown[name] == value or value in lost[record.id, name]
            assert right, f"{station.name} shows an older {name} than before"
            self.seen[place] = (rev, shown[name])

    def _never_changed(self, station: PlantStation, entity: str, record: Any) -> None:
        fields = snapshot(record)
        owner, before = self.facts.setdefault((entity, record.id), (record.device_id, fields))
        assert owner == record.device_id
        changed = {name for name, value in plain(fields).items() if plain(before).get(name) != value}
        assert not changed, f"{changed} of {entity} changed at {station.name}"
        if entity == "image" and record.sha256 not in self.blobs and station.blobs.exists(record.sha256):
            self.blobs[record.sha256] = station.blobs.read(record.sha256)

    def _only_forward(self, station: PlantStation, record: Any) -> None:
        rank = status_rank(SessionStatus(record.status))
        assert record.device_id == station.device_id, f"{station.name} holds a session of another station"
        _, before = self.sessions.get(record.id, (station.device_id, 0))
        assert rank >= before, f"a session went back at {station.name}"
        self.sessions[record.id] = (station.device_id, rank)

    def _edited(self, station: PlantStation, entry: OutboxEntry, held: str) -> None:
        assert entry.state is OutboxState.WAITING, f"{entry.entity}: {entry.problem}"
        if entry.change_id not in self.known:
            self.known.add(entry.change_id)
            if entry.clock in self.stamps:
                return  # A restored server is told of it again, under its former stamp.
            assert entry.clock > held, f"an edit at {station.name} is stamped older than what it was made upon"
        for name, value in entry.fields.items():
            if name not in UNMERGED and (entry.change_id, name) not in self.edits:
                self.made += 1
                edit = Edit(self.made, station.device_id, entry.change_id, entry.entity_id, name, value)
                self.edits[entry.change_id, name] = edit

    def passed(self, station: PlantStation) -> None:
        """Remember that a station has had a whole pass."""
        self.may_go_back.discard(station.device_id)
        self.looked.pop(station.name, None)

    def server_went_back(self, server: PlantServer, stations: Iterable[PlantStation]) -> None:
        """Forget what a restored server cannot know: masters are those of the backup, facts of its own are gone."""
        with server.database.read() as session:
            known = set(session.scalars(select(AppliedChange.change_id)))
            there = {
                (entity, identifier)
                for entity, kind in synced_types().items()
                for identifier in session.scalars(select(kind.id))
            }
        self.edits = {key: edit for key, edit in self.edits.items() if edit.change_id in known}
        self.facts = {key: fact for key, fact in self.facts.items() if fact[0] != "server" or key in there}
        self.seen.clear()
        self.looked.clear()
        self.may_go_back = {station.device_id for station in stations}

    def station_went_back(self, server: PlantServer, station: PlantStation) -> None:
        """Forget what a restored station cannot know and had not sent; what the server has of it stays remembered."""
        own = station.device_id
        there, here = contents(server.database), contents(station.database)
        held = {(entity, identifier) for place in (there, here) for entity in place for identifier in place[entity]}
        self.facts = {key: fact for key, fact in self.facts.items() if fact[0] != own or key in held}
        images = {
            fields["sha256"]
            for _, (owner, fields) in self._facts_of("image")
            if owner != own or any(place.exists(fields["sha256"]) for place in (station.blobs, server.objects))
        }
        self.blobs = {sha256: data for sha256, data in self.blobs.items() if sha256 in images}
        self.sessions = {
            identifier: part
            for identifier, part in self.sessions.items()
            if part[0] != own or ("inspection_session", identifier) in held
        }
        for identifier in here["inspection_session"]:
            self.sessions.pop(identifier, None)
        with server.database.read() as session:
            known = set(session.scalars(select(AppliedChange.change_id)))
        self.edits = {key: edit for key, edit in self.edits.items() if edit.device_id != own or edit.change_id in known}
        self.seen = {key: shown for key, shown in self.seen.items() if key[0] != own}
        self.may_go_back.add(own)
        self.newest.pop(own, None)
        self.looked.pop(station.name, None)

    def _facts_of(self, entity: str) -> list[Any]:
        return [(key, fact) for key, fact in self.facts.items() if key[0] == entity]


def plain(fields: dict[str, Any]) -> dict[str, Any]:
    """A fact without what the server adds where a clock was ahead, and without its place in the audit chain."""
    return {name: value for name, value in fields.items() if name not in _PLACES}
