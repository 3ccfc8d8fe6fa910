"""Planted bugs: each is a small change of the product's text, made while a process of its own loads the module.

A proof that lives on with such a bug proves nothing; ``tests/proofs/run.py`` shows which proof finds which bug.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

PLANT, POWER_CUT = "state machine", "power cut"


@dataclass(frozen=True)
class Mutation:
    """One planted bug.

    Attributes:
        name: what is wrong then.
        module: where.
        old: text of the module, there exactly once.
        new: what stands in its place.
        proof: the one that has to find it.
        also: further texts and what stands in their places.
    """

    name: str
    module: str
    old: str
    new: str
    proof: str = PLANT
    also: tuple[tuple[str, str], ...] = ()

    def applied_to(self, source: str) -> str:
        """The text of the module with the bug.

        Raises:
            LookupError: when the text to change is not there exactly once.
        """
        for old, new in ((self.old, self.new), *self.also):
            if source.count(old) != 1:
                raise LookupError(f"{self.name}: {self.module} has its text {source.count(old)} times")
            source = source.replace(old, new)
        return source


MUTATIONS = (
    Mutation(
        "the memory of applied changes is dropped",
        "server.sync.apply",
        "        before = writer.lookups.applied(change.change_id)\n",
        "        from models.sync import AppliedChange\n"
        "        table = AppliedChange.__table__\n"
        "        self.session.connection().execute(table.delete().where(table.c.change_id == change.change_id))\n"
        "        before = None\n",
    ),
    Mutation(
        "the cursor is a time",
        "server.sync.pull",
        ".where(ChangeLogEntry.position > start, ChangeLogEntry.position <= newest)",
        ".where(ChangeLogEntry.position <= newest, ChangeLogEntry.committed_at > select("
        "ChangeLogEntry.committed_at).where(ChangeLogEntry.position == start).scalar_subquery())",
    ),
    Mutation(
        "an entry leaves the outbox before the server has answered",
        "sync.station.pushing",
        "            answer = self.client.push(batch)\n",
        "            with self.database.transaction() as session:\n"
        "                for entry in entries:\n"
        "                    session.delete(session.get(OutboxEntry, entry.sequence))\n"
        "            answer = self.client.push(batch)\n",
    ),
    Mutation(
        "the server answers before it has committed",
        "server.sync.apply",
        "        with database.transaction(large=True) as session:\n",
        "        import contextlib\n"
        "        with contextlib.suppress(BaseException), database.transaction(large=True) as session:\n",
    ),
    Mutation(
        "a record is merged as a whole",
        "sync.shared.merge",
        "        state = states.get(name)\n",
        "        state = max(states.values(), key=lambda one: one.clock, default=None)\n"
        "        if state is not None and clock < state.clock:\n"
        "            restated[name] = mine\n"
        "            continue\n",
    ),
    Mutation(
        "a conflict is not kept",
        "server.sync.record_writer",
        "        lost = keep_history(self.session, change, merge)\n",
        "        lost = merge.lost\n",
    ),
    Mutation(
        "the cursor is kept before the page is applied",
        "sync.station.pulling",
        "                with self.database.transaction() as session:\n"
        "                    received = take_changes(session, self.clock, answer.changes)\n"
        "                    set_value(session, CURSOR, answer.next_cursor)\n",
        "                with self.database.transaction() as session:\n"
        "                    set_value(session, CURSOR, answer.next_cursor)\n"
        "                with self.database.transaction() as session:\n"
        "                    received = take_changes(session, self.clock, answer.changes)\n",
    ),
    Mutation(
        "a tombstone is forgotten",
        "sync.station.apply",
        "    present = session.get(record_type, entity_id)\n    if present is None:\n        return _take_new",
        '    fields = {name: value for name, value in fields.items() if name != "deleted_at"}\n'
        "    present = session.get(record_type, entity_id)\n    if present is None:\n        return _take_new",
    ),
    Mutation(
        "a blob counts as sent before the server has it",
        "sync.station.sending",
        "        chosen = self._first_of(waiting)\n",
        "        chosen = self._first_of(waiting)\n        self._acknowledge([one.sha256 for one in chosen])\n",
    ),
    Mutation(
        "the outbox entry is written outside the transaction of its change",
        "models.database",
        "            session.recorder = self.recorder\n",
        "            later = []\n"
        "            class Late:\n"
        "                def record(_, session, changes):\n"
        "                    self.recorder.record(session, changes)\n"
        "                    made = [one for one in session.new if type(one).__name__ == 'OutboxEntry']\n"
        "                    for one in made:\n"
        "                        session.expunge(one)\n"
        "                    later.extend(made)\n"
        "            session.recorder = Late() if self.recorder else None\n"
        "            self.later = later\n",
        also=(
            (
                "        with self._writing(actor, ordered=True, large=large) as session:\n            yield session\n",
                "        with self._writing(actor, ordered=True, large=large) as session:\n            yield session\n"
                "        if self.later:\n"
                "            later, recorder, self.later, self.recorder = self.later, self.recorder, [], None\n"
                "            try:\n"
                "                with self._writing(actor, ordered=True) as session:\n"
                "                    session.add_all(later)\n"
                "            finally:\n"
                "                self.recorder = recorder\n",
            ),
        ),
    ),
    Mutation(
        "a pulled change overwrites a field that waits",
        "sync.station.apply",
        "    waiting = waiting_fields(session, present.entity, present.id)\n",
        "    waiting = frozenset()\n",
    ),
    Mutation(
        "an older pulled change overwrites a newer value",
        "sync.shared.merge",
        "if name not in waiting and rev >= (revs.get(name) or 0)}",
        "if name not in waiting}",
    ),
    Mutation(
        "parents are not looked for",
        "server.sync.record_checks",
        "        if not is_there(key, parent.id):\n",
        "        if not key.name:\n",
    ),
    Mutation(
        "permission goes by the device that a change claims",
        "server.sync.permissions",
        "    part_owner = part.device_id if part is not None else device_id\n",
        "    device_id = values.get('device_id', device_id)\n"
        "    part_owner = part.device_id if part is not None else device_id\n",
    ),
    Mutation(
        "the clock does not learn from what it sees",
        "models.clock",
        "            self._milliseconds, self._counter = max((self._milliseconds, self._counter), seen)\n",
        "            del seen\n",
    ),
    Mutation(
        "a session's status may go back",
        "sync.shared.merge",
        '            forward = status_rank(SessionStatus(value)) > status_rank(SessionStatus(present["status"]))\n',
        "            forward = True\n",
    ),
    Mutation(
        "the snapshot's cursor is from its end",
        "server.sync.snapshot",
        "    yield SnapshotEnd(cursor=cursor)",
        "    with database.read() as session:\n        yield SnapshotEnd(cursor=encode(session, head(session)))",
    ),
    Mutation(
        "what a restored server has lost is not sent again",
        "sync.station.comparing",
        "        place = self._place()\n        if place is None:\n            return 0\n",
        "        place = self._place()\n        if not place or place:\n            return 0\n",
    ),
    Mutation(
        "fields of a newer schema are dropped",
        "models.synced",
        "    return {**record.extra, **fields}\n",
        "    return fields\n",
    ),
    Mutation(
        "a blob is renamed before it is on the disk",
        "models.storage",
        "        yield file\n        sync_file(file)\n",
        "        yield file\n        file.flush()\n",
        POWER_CUT,
    ),
    Mutation(
        "the server acknowledges a blob that is not on its disk",
        "server.objects.store",
        "        for place in (path, path.parent, path.parent.parent, self._folder):\n            sync_path(place)\n",
        "        del path\n",
        POWER_CUT,
    ),
    Mutation(
        "a commit does not wait for the disk",
        "models.database",
        '    "PRAGMA synchronous=FULL",\n',
        '    "PRAGMA synchronous=OFF",\n',
        POWER_CUT,
    ),
)


class _Planting(importlib.abc.MetaPathFinder):
    """Loads one module with a bug in it, and every other one as it is."""

    def __init__(self, mutation: Mutation) -> None:
        self.mutation = mutation

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> Any:
        if name != self.mutation.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = _Loader(name, spec.origin, self.mutation)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, mutation: Mutation) -> None:
        super().__init__(name, path)
        self.mutation = mutation

    def get_code(self, fullname: str) -> Any:
        # Neither read from nor written to the cache of compiled files.
        source = self.get_data(self.path).decode()
        return compile(self.mutation.applied_to(source), self.path, "exec")


def plant(name: str) -> None:
    """Plant the named bug in this process; its module must not be loaded yet."""
    mutation = next(one for one in MUTATIONS if one.name == name)
    assert mutation.module not in sys.modules, f"{mutation.module} is loaded already"
    sys.meta_path.insert(0, _Planting(mutation))


def source_of(mutation: Mutation) -> str:
    """The text of the module that a mutation changes."""
    spec = importlib.util.find_spec(mutation.module)
    assert spec is not None
    assert spec.origin is not None
    with open(spec.origin, encoding="utf-8") as file:  # noqa: PTH123 - as the loader does
        return file.read()
