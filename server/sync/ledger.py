"""What a run of changes has written and the store does not have yet: facts, log entries, ids of changes, positions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from models.clock import utc_now
from models.named import Searchable, UniquelyNamed
from models.sessions import AIResult
from models.sync import AppliedChange
from models.synced import Synced, synced_types
from models.verdicts import settle_verdicts
from models.verification import HumanVerification
from server.change_log.recording import add_entries, allocate, head
from server.sync.effects import Effect
from sync.shared.records import table_of


@dataclass(slots=True)
class Ledger:
    """Gathers rows and writes them with one statement a table.

    Positions are given out in memory: while the transaction holds the order lock, nobody else takes any. ``settle``
    takes them from the log's head.

    Attributes:
        session: an open transaction that may write records that travel.
        device_id: the station that pushes.
    """

    session: Session
    device_id: str
    _facts: dict[type[Synced], dict[str, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    _entries: list[dict[str, Any]] = field(default_factory=list)
    _applied: list[dict[str, Any]] = field(default_factory=list)
    _began: datetime = field(default_factory=utc_now)
    _first: int | None = None
    _taken: int = 0

    def position(self) -> int:
        """Return the next position of the change log."""
        if self._first is None:
            self._first = head(self.session) + 1
        self._taken += 1
        return self._first + self._taken - 1

    def add_fact(self, record_type: type[Synced], row: dict[str, Any]) -> None:
        """Take the row of a new fact."""
        if issubclass(record_type, Searchable | UniquelyNamed):
            raise TypeError(f"{record_type.__name__} has columns that are derived when its objects are flushed")
        self._facts[record_type][row["id"]] = row

    def holds(self, record_type: type[Synced], record_id: str) -> bool:
        """Return whether a fact was taken and the store does not have it yet."""
        return record_id in self._facts.get(record_type, {})

    def add_entry(self, entry: dict[str, Any]) -> None:
        """Take a log entry."""
        self._entries.append(entry)

    def add_applied(self, change_id: str, effect: Effect) -> None:
        """Take the id of a change with its effect."""
        self._applied.append(
            {
                "change_id": change_id,
                "device_id": self.device_id,
                "outcome": effect.outcome.value,
                "rev": effect.rev,
                "applied_at": self._began,
            }
        )

    def settle(self) -> None:
        """Write everything that was taken, parents before children."""
        self.session.flush()
        connection = self.session.connection()
        for record_type in synced_types().values():
            facts = self._facts.get(record_type)
            if facts:
                connection.execute(insert(table_of(record_type)), list(facts.values()))
        settle_verdicts(
            self.session,
            {row["session_id"] for kind in (AIResult, HumanVerification) for row in self._facts.get(kind, {}).values()},
        )
        self._facts.clear()
        self._take_positions()
        if self._entries:
            add_entries(self.session, self._entries)
            self._entries.clear()
        if self._applied:
            connection.execute(_ADD_APPLIED, self._applied)
            self._applied.clear()

    def _take_positions(self) -> None:
        if not self._taken:
            return
        first = allocate(self.session, self._taken)
        if first != self._first:
            raise RuntimeError("another writer took positions of the change log")
        self._first, self._taken = None, 0


_ADD_APPLIED = insert(cast("Table", AppliedChange.__table__))
