"""The merge rules as pure functions of values: what a change does to a record that others change too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from models.clock import HybridLogicalClock, Stamp
from models.states import SessionStatus, status_rank
from sync.shared.protocol import MAX_SKEW_MS, FieldConflict, Outcome

# Wall times for display: the later one is right, and two edits never conflict because of them.
_NEWEST_TIME_WINS = frozenset({"updated_at"})


@dataclass(frozen=True, slots=True)
class FieldState:
    """How new a field is: position in the server's change log and clock of its newest change.

    Attributes:
        user_id: who made that change; None when it is not known.
    """

    rev: int | None
    clock: str
    user_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as ``Master.field_clocks`` keeps it."""
        return {"rev": self.rev, "clock": self.clock, **({"user": self.user_id} if self.user_id else {})}


@dataclass(frozen=True, slots=True)
class Merge:
    """What merging a change gives.

    Attributes:
        taken: fields to write.
        restated: fields where the present value won; the log repeats them so that the loser's station learns of it.
        lost: the change's values that were not taken.
        replaced: values of others, made without knowledge of this change, that the change replaced.
        outcome: applied, merged or conflict.
    """

    taken: dict[str, Any]
    restated: dict[str, Any]
    lost: tuple[FieldConflict, ...]
    replaced: tuple[FieldConflict, ...]
    outcome: Outcome


def merge_master(
    present: Mapping[str, Any],
    states: Mapping[str, FieldState],
    incoming: Mapping[str, Any],
    *,
    base_rev: int | None,
    clock: str,
) -> Merge:
    """Merge a change into a master, field by field, against the base both sides had in common.

    A field nobody else touched since ``base_rev`` is taken. One changed on both sides to different values is a
    conflict, unless the present value is an earlier one of the same device: the newer clock wins.

    Args:
        present: the record's fields in JSON form.
        states: how new each of them is; a missing one is older than everything.
        incoming: the change's fields in JSON form.
        base_rev: newest change of the record the author had seen, None for none.
        clock: stamp of the change.
    """
    taken: dict[str, Any] = {}
    restated: dict[str, Any] = {}
    lost: list[FieldConflict] = []
    replaced: list[FieldConflict] = []
    for name, value in incoming.items():
        mine = present.get(name)
        if name in _NEWEST_TIME_WINS:
            newest = name not in present or str(value) > str(mine)
            (taken if newest else restated)[name] = value if newest else mine
            continue
        state = states.get(name)
        seen = state is None or (state.rev or 0) <= (base_rev or 0)
        if state is None or seen:
            taken[name] = value
        elif _same_device(state.clock, clock):
            if clock >= state.clock:
                taken[name] = value
            else:
                restated[name] = mine
        elif name in present and mine == value:
            if clock > state.clock:
                taken[name] = value
        elif clock > state.clock:
            taken[name] = value
            replaced.append(_conflict(name, kept=(value, clock), lost=(mine, state.clock)))
        else:
            restated[name] = mine
            lost.append(_conflict(name, kept=(mine, state.clock), lost=(value, clock)))
    return Merge(taken, restated, tuple(lost), tuple(replaced), _outcome(taken, lost, replaced))


def merge_owned(
    present: Mapping[str, Any], incoming: Mapping[str, Any], *, newer_fields: frozenset[str] = frozenset()
) -> Merge:
    """Merge a change of its owner into a session: the status moves forward only, the newest value of a field stays.

    Args:
        present: the record's fields in JSON form.
        incoming: the change's fields in JSON form.
        newer_fields: fields that newer changes of the same record have set already (the change came late).
    """
    taken: dict[str, Any] = {}
    restated: dict[str, Any] = {}
    for name, value in incoming.items():
        if name == "status":
            forward = status_rank(SessionStatus(value)) > status_rank(SessionStatus(present["status"]))
            (taken if forward else restated)[name] = value if forward else present["status"]
        elif name in newer_fields:
            restated[name] = present.get(name)
        else:
            taken[name] = value
    return Merge(taken, restated, (), (), Outcome.APPLIED)


def trusted_stamp(stamp: Stamp, clock: HybridLogicalClock, wall_ms: int) -> Stamp:
    """Return the stamp a master's change is merged by: the arrival time in place of one too far ahead.

    The device stays in it, so that changes of one device keep their order among themselves.
    """
    if stamp.milliseconds - wall_ms <= MAX_SKEW_MS:
        clock.observe(stamp)
        return stamp
    arrival = clock.now()
    return Stamp(arrival.milliseconds, arrival.counter, stamp.device)


def field_states(field_clocks: Mapping[str, Any]) -> dict[str, FieldState]:
    """Read ``Master.field_clocks``."""
    return {
        name: FieldState(value.get("rev"), value.get("clock", ""), value.get("user"))
        for name, value in field_clocks.items()
    }


def with_field_states(
    field_clocks: Mapping[str, Any], names: Iterable[str], *, rev: int | None, clock: str, user_id: str | None = None
) -> dict[str, Any]:
    """Return ``field_clocks`` with the fields ``names`` set to a new state."""
    state = FieldState(rev, clock, user_id)
    return {**field_clocks, **{name: state.as_json() for name in names}}


def fields_to_take(
    fields: Mapping[str, Any], *, rev: int, revs: Mapping[str, int | None], waiting: frozenset[str]
) -> dict[str, Any]:
    """Return which fields of a pulled change a station takes.

    Not those with a local change still waiting, and not those of which it holds a newer value already.
    """
    return {name: value for name, value in fields.items() if name not in waiting and rev >= (revs.get(name) or 0)}


def _same_device(clock: str, other: str) -> bool:
    return Stamp.parse(clock).device == Stamp.parse(other).device if clock and other else False


def _conflict(name: str, *, kept: tuple[Any, str], lost: tuple[Any, str]) -> FieldConflict:
    return FieldConflict(field=name, kept_value=kept[0], kept_clock=kept[1], lost_value=lost[0], lost_clock=lost[1])


def _outcome(taken: dict[str, Any], lost: list[FieldConflict], replaced: list[FieldConflict]) -> Outcome:
    if not lost and not replaced:
        return Outcome.APPLIED
    if not set(taken) - _NEWEST_TIME_WINS:
        return Outcome.CONFLICT
    return Outcome.MERGED
