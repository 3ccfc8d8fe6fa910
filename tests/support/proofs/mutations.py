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

PLANT, POWER_CUT, SCENARIO = "state machine", "power cut", "scenario"
_HERE, _MERGING, _CODES, _REFUSED, _WENT_BACK = (
    "tests/proofs/test_scenarios.py",
    "tests/sync/station/test_merging.py",
    "tests/sync/station/test_unique_codes.py",
    "tests/sync/station/test_refused_changes.py",
    "tests/sync/station/test_server_went_back.py",
)


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
        tests: the scenarios of which one has to fail, where that is the proof.
    """

    name: str
    module: str
    old: str
    new: str
    proof: str = PLANT
    also: tuple[tuple[str, str], ...] = ()
    tests: tuple[str, ...] = ()

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
        SCENARIO,
        tests=(f"{_HERE}::test_an_edit_after_the_servers_clock_went_back_comes_to_a_station",),
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
        SCENARIO,
        tests=(f"{_HERE}::test_a_part_comes_although_the_server_ends_as_it_commits",),
    ),
    Mutation(
        "a record is merged as a whole",
        "sync.shared.merge",
        "        state = states.get(name)\n",
        "        state = max(states.values(), key=lambda one: one.clock, default=None)\n"
        "        if state is not None and clock < state.clock:\n"
        "            restated[name] = mine\n"
        "            continue\n",
        SCENARIO,
        tests=("tests/properties/test_merge.py::test_concurrent_changes_give_the_same_record_in_every_order",),
    ),
    Mutation(
        "a conflict is not kept",
        "server.sync.record_writer",
        "        lost = keep_history(self.session, change, merge, states)\n",
        "        lost = merge.lost\n",
        SCENARIO,
        tests=(f"{_MERGING}::test_edits_of_two_stations_under_one_borrowed_clock_name_are_a_conflict",),
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
        "sync.station.taking",
        "    present = session.get(record_type, entity_id)\n    if present is None:\n        return _take_new",
        '    kept = {name: value for name, value in news.fields.items() if name != "deleted_at"}\n'
        "    news = News(news.rev, news.clock, kept, news.revs, news.clocks)\n"
        "    present = session.get(record_type, entity_id)\n    if present is None:\n        return _take_new",
        SCENARIO,
        tests=(f"{_CODES}::test_a_master_deleted_by_a_mark_frees_its_code",),
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
        proof=SCENARIO,
        tests=(f"{_HERE}::test_a_part_of_a_station_that_ends_at_a_commit_is_sent_or_not_there",),
    ),
    Mutation(
        "a pulled change overwrites a field that waits",
        "sync.station.taking",
        "    waiting = waiting_fields(session, present.entity, present.id)\n",
        "    waiting = frozenset()\n",
        SCENARIO,
        tests=(f"{_MERGING}::test_a_pulled_change_never_overwrites_a_field_that_waits",),
    ),
    Mutation(
        "an older pulled change overwrites a newer value",
        "sync.shared.merge",
        "if name not in waiting and rev >= (revs.get(name) or 0)}",
        "if name not in waiting}",
        SCENARIO,
        tests=("tests/properties/test_merge.py::test_a_station_takes_no_older_value_nor_one_over_an_edit_that_waits",),
    ),
    Mutation(
        "parents are not looked for",
        "server.sync.record_checks",
        "        if not is_there(key, parent.id):\n",
        "        if not key.name:\n",
        SCENARIO,
        tests=(f"{_REFUSED}::test_a_child_whose_parent_is_missing_is_tried_again",),
    ),
    Mutation(
        "permission goes by the device that a change claims",
        "server.sync.permissions",
        '    if values.get("device_id", device_id) != device_id:\n        raise IdentityRefused("sync-other-device")\n',
        '    device_id = values.get("device_id", device_id)\n',
        SCENARIO,
        tests=(f"{_HERE}::test_a_claim_of_the_part_of_another_station_is_refused",),
    ),
    Mutation(
        "the clock does not learn from what it sees",
        "models.clock",
        "            self._milliseconds, self._counter = max((self._milliseconds, self._counter), seen)\n",
        "            del seen\n",
        SCENARIO,
        tests=("tests/models/test_clock.py::test_every_stamp_is_newer_than_all_before_it",),
    ),
    Mutation(
        "a session's status may go back",
        "sync.shared.merge",
        '            forward = status_rank(SessionStatus(value)) > status_rank(SessionStatus(present["status"]))\n',
        "            forward = True\n",
        SCENARIO,
        tests=("tests/properties/test_merge.py::test_a_sessions_status_only_moves_forward",),
    ),
    Mutation(
        "the snapshot's cursor is from its end",
        "server.sync.snapshot",
        "    yield SnapshotEnd(cursor=cursor)",
        "    with database.read() as session:\n        yield SnapshotEnd(cursor=encode(session, head(session)))",
        SCENARIO,
        tests=(f"{_HERE}::test_an_edit_behind_the_snapshots_back_comes_with_the_pull",),
    ),
    Mutation(
        "what a restored server has lost is not sent again",
        "sync.station.comparing",
        "        place = self._place()\n        if place is None:\n            return 0\n",
        "        place = self._place()\n        if not place or place:\n            return 0\n",
        SCENARIO,
        tests=(f"{_WENT_BACK}::test_a_restored_server_gets_again_what_it_had_acknowledged",),
    ),
    Mutation(
        "fields of a newer schema are dropped",
        "models.synced",
        "    return {**record.extra, **fields}\n",
        "    return fields\n",
        SCENARIO,
        tests=(f"{_MERGING}::test_fields_of_a_newer_schema_survive_the_round_trip",),
    ),
    Mutation(
        "retention does not wait for the acknowledgement",
        "sync.station.retention",
        ".where(Blob.present, Blob.uploaded_at.is_not(None), old, ~blocked, ~_in_use())",
        ".where(Blob.present, old, ~_in_use())",
        SCENARIO,
        tests=("tests/sync/station/test_retention.py::test_an_image_the_server_has_not_acknowledged_is_never_deleted",),
    ),
    Mutation(
        "a fork is not seen",
        "server.sync.stores",
        '        raise Conflict(STORE_FORKED, members={"store_id_taken": taken})\n    return answer\n',
        "        del taken\n    return answer\n",
        SCENARIO,
        tests=("tests/sync/station/test_forks.py::test_the_copy_that_sends_second_is_refused",),
    ),
    Mutation(
        "blobs that the server has lost are not sent again",
        "server.sync.comparing",
        "    blobs = [sha256 for sha256 in held.blobs if not is_whole(objects, sha256, sizes.get(sha256))]\n",
        "    blobs: list[str] = []\n",
        SCENARIO,
        tests=(f"{_WENT_BACK}::test_images_that_an_object_store_lost_are_sent_again",),
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
        "server.objects.folder",
        "        sync_file(file)\n",
        "        file.flush()\n",
        POWER_CUT,
    ),
    Mutation(
        "the server acknowledges an object as kept that another request has not flushed yet",
        "server.objects.folder",
        "        sync_path(path)\n    except FileNotFoundError:\n        return False\n"
        "    _each(sync_path, _folders(folder, [key]))\n",
        "    except FileNotFoundError:\n        return False\n",
        POWER_CUT,
    ),
    Mutation(
        "a station trusts the name of an image that an ended process left",
        "sync.station.blobs",
        "                sync_path(target.parent)\n            return sha256\n",
        "            return sha256\n",
        POWER_CUT,
    ),
    Mutation(
        "a commit does not wait for the disk",
        "models.sqlite_connections",
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
