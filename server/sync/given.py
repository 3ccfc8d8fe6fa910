"""A batch as it was given: its changes read one by one, and how many of them one transaction takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from models.errors import InvalidInput, UserFacingError
from models.rejections import first_problem
from models.synced import SyncKind, synced_types
from server.sync.payload_validation import require_storable
from sync.shared.protocol import Change
from sync.shared.schemas import is_clearly_storable

_TRANSACTION_EFFORT = 500
_EFFORT_ALONE = 15
"""A change with a savepoint of its own takes as long as so many that are written together."""
MOST_ALONE = _TRANSACTION_EFFORT // _EFFORT_ALONE
"""So many changes with a savepoint each may one transaction take."""


class GivenChange(NamedTuple):
    """A change as it was given, and as it was read: why it is none where it is none."""

    raw: Mapping[str, Any]
    change: Change | UserFacingError

    @property
    def may_share(self) -> bool:
        """Whether it may be written with others: changes of masters have effects on further records."""
        entity = self.raw.get("entity")
        return isinstance(entity, str) and is_of_part(entity)


def is_of_part(entity: str) -> bool:
    """Return whether a kind of record is a session or a fact."""
    record_type = synced_types().get(entity)
    return record_type is not None and record_type.kind is not SyncKind.MASTER


def read_changes(raws: Sequence[Mapping[str, Any]]) -> list[GivenChange]:
    """Return the changes of a batch, each read by itself: a wrong one stops no other."""
    storable = is_clearly_storable(raws)
    return [GivenChange(raw, _read(raw, storable=storable)) for raw in raws]


def portions(changes: Sequence[GivenChange]) -> Iterator[list[GivenChange]]:
    """Yield the changes in their order, as many at a time as one transaction takes."""
    portion: list[GivenChange] = []
    effort = 0
    for one in changes:
        portion.append(one)
        effort += 1 if one.may_share else _EFFORT_ALONE
        if effort >= _TRANSACTION_EFFORT:
            yield portion
            portion, effort = [], 0
    if portion:
        yield portion


def small_portions(changes: Sequence[GivenChange]) -> Iterator[Sequence[GivenChange]]:
    """Yield the changes in their order, as many at a time as one transaction takes with a savepoint each."""
    for start in range(0, len(changes), MOST_ALONE):
        yield changes[start : start + MOST_ALONE]


def _read(raw: Mapping[str, Any], *, storable: bool) -> Change | UserFacingError:
    """Return a change, or why it is none.

    Args:
        raw: as it was given.
        storable: whether it is known that every engine can store it.
    """
    try:
        if not storable:
            require_storable(raw)
        return Change.model_validate(raw)
    except ValidationError as error:
        return InvalidInput("sync-change-invalid", reason=first_problem(error).text)
    except UserFacingError as error:
        return error
