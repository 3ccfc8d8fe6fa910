"""The eight invariants of the protocol, each as a check of what all places hold once they have come to rest."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from models.audit import AuditEntry
from models.sync import AppliedChange, ChangeLogEntry, SyncConflict
from models.synced import Fact, Master, snapshot, synced_types
from sync.shared.protocol import MAX_BATCH_BYTES, Outcome
from tests.support.proofs.ledger import Ledger, plain
from tests.support.proofs.places import PAGE, PlantServer, PlantStation
from tests.support.sync_stores import contents

Contents = dict[str, dict[str, dict[str, Any]]]


def nothing_lost(server: PlantServer, stations: Sequence[PlantStation], ledger: Ledger) -> None:
    """1. Every fact committed on a station is on the server, and every blob, byte for byte."""
    there = contents(server.database)
    for station in stations:
        assert station.outbox() == [], "something still waits"
    for (entity, identifier), (owner, fields) in ledger.facts.items():
        assert identifier in there[entity], f"{entity} of {owner} is lost"
        assert plain(there[entity][identifier]) == plain(fields), f"{entity} of {owner} differs"
    for identifier in ledger.sessions:
        assert identifier in there["inspection_session"], "a session is lost"
    for sha256, data in ledger.blobs.items():
        assert server.objects.exists(sha256), "a blob is lost"
        found = server.objects.read(sha256)
        assert found == data, "a blob differs"
        assert hashlib.sha256(found).hexdigest() == sha256


def exactly_once(server: PlantServer) -> None:
    """2. No change has two effects: the log has each once, as the memory of applied changes says."""
    with server.database.read() as session:
        positions = list(session.scalars(select(ChangeLogEntry.position).order_by(ChangeLogEntry.position)))
        logged = Counter(session.scalars(select(ChangeLogEntry.change_id)))
        pushed = set(session.scalars(select(ChangeLogEntry.change_id).where(ChangeLogEntry.device_id.is_not(None))))
        took_effect = AppliedChange.outcome != Outcome.DUPLICATE.value
        applied = set(session.scalars(select(AppliedChange.change_id).where(took_effect)))
    assert positions == list(range(1, len(positions) + 1)), "positions have gaps"
    assert set(logged.values()) <= {1}, "a change has two effects"
    assert pushed == applied, "the memory of applied changes is not that of the log"


def convergence(server: PlantServer, stations: Sequence[PlantStation]) -> None:
    """3. All places hold equal masters, and equal facts and sessions as far as they share them."""
    there = contents(server.database)
    for station in stations:
        here = contents(station.database)
        for entity, kind in synced_types().items():
            if issubclass(kind, Master):
                assert here[entity] == there[entity], f"{entity} differs at {station.name}"
                continue
            for identifier, fields in here[entity].items():
                assert plain(there[entity][identifier]) == plain(fields), f"{entity} differs at {station.name}"
            own = _of_its_sessions(here, there, entity, kind)
            assert own <= set(here[entity]), f"{entity} of its own parts did not come to {station.name}"
        _same_verdicts(server, station)


def _of_its_sessions(here: Contents, there: Contents, entity: str, kind: type) -> set[str]:
    if not issubclass(kind, Fact) or entity == AuditEntry.entity:
        return set()
    parts = here["inspection_session"]
    return {identifier for identifier, fields in there[entity].items() if fields["session_id"] in parts}


def _same_verdicts(server: PlantServer, station: PlantStation) -> None:
    kind = synced_types()["inspection_session"]
    with station.database.read() as here, server.database.read() as there:
        for part in here.scalars(select(kind)):
            verdict = there.get_one(kind, part.id).effective_verdict
            assert verdict is part.effective_verdict, f"verdicts differ at {station.name}"


def no_going_back(server: PlantServer, stations: Sequence[PlantStation], ledger: Ledger) -> None:
    """4. An edit stands, or a later one of its station does, or it is in the history of conflicts."""
    newest = {(edit.device_id, edit.entity_id, edit.field): edit.number for edit in ledger.edits.values()}
    stood = set()
    value_of: dict[tuple[str, str], Any] = {}
    with server.database.read() as session:
        for entry in session.scalars(select(ChangeLogEntry).order_by(ChangeLogEntry.position)):
            value_of |= {(entry.entity_id, name): value for name, value in entry.fields.items()}
            # A change to the value that was there already is not in the log's entry.
            after = {name: value for (entity_id, name), value in value_of.items() if entity_id == entry.entity_id}
            stood |= {(entry.change_id, name) for name, value in after.items() if _is(ledger, entry, name, value)}
        lost = {tuple(row) for row in session.execute(select(SyncConflict.change_id, SyncConflict.field))}
    for edit in ledger.edits.values():
        superseded = newest[edit.device_id, edit.entity_id, edit.field] > edit.number
        kept = {(edit.change_id, edit.field)} & (stood | lost)
        assert superseded or kept, f"an edit of {edit.field} vanished"
    for station in stations:
        ledger.look_at(station)


def _is(ledger: Ledger, entry: ChangeLogEntry, name: str, value: Any) -> bool:
    edit = ledger.edits.get((entry.change_id, name))
    return edit is not None and edit.value == value


def causality(server: PlantServer) -> None:
    """5. The server holds no child without its parent, and its log has no child before its parent."""
    with server.database.read() as session:
        connection = session.connection()
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == [], "a child has no parent"
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        first = {}
        for entry in session.scalars(select(ChangeLogEntry).order_by(ChangeLogEntry.position)):
            first.setdefault(entry.entity_id, entry.position)
            for name in ("session_id", "image_id", "target_id", "item_id"):
                parent = entry.fields.get(name)
                assert first.get(parent, 0) <= entry.position, f"a child came before its {name}"
                assert not parent or parent in first, f"a child came without its {name}"


def isolation(server: PlantServer, stations: Sequence[PlantStation], claims: int) -> None:
    """6. A station holds no part of another one; every claim of another identity was refused, and is in the audit."""
    for station in stations:
        here = contents(station.database)
        owners = {fields["device_id"] for fields in here["inspection_session"].values()}
        assert owners <= {station.device_id}, f"{station.name} holds parts of others"
        for entity, kind in synced_types().items():
            if issubclass(kind, Fact) and entity != AuditEntry.entity:
                own = {fields["session_id"] for fields in here[entity].values()}
                assert own <= set(here["inspection_session"]), f"{station.name} holds facts of others"
    with server.database.read() as session:
        refused = select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "sync.refused")
        assert session.scalar(refused) == claims, "a claim of another identity is not in the audit"


def bounded(stations: Sequence[PlantStation]) -> None:
    """7. A backlog went in batches of bounded size."""
    for station in stations:
        assert station.link.most_changes <= PAGE, "a batch had more changes than a page"
        assert station.link.most_bytes <= MAX_BATCH_BYTES


def versions(server: PlantServer, stations: Sequence[PlantStation], unknown: dict[str, dict[str, Any]]) -> None:
    """8. Fields of a newer schema came through every version, unchanged."""
    for place in (server, *stations):
        with place.database.read() as session:
            for identifier, extra in unknown.items():
                for kind in synced_types().values():
                    record = session.get(kind, identifier)
                    if record is not None:
                        found = snapshot(record)
                        assert {name: found.get(name) for name in extra} == extra, "an unknown field was lost"
