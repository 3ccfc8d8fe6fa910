"""Decisions about releases, as functions of values."""

from __future__ import annotations

from collections.abc import Collection

from models.errors import Conflict, DoesNotFit
from models.states import RELEASE_TRANSITIONS, ReleaseState


def require_transition(present: ReleaseState, wanted: ReleaseState) -> None:
    """Check that a release may go from one state to another.

    Raises:
        Conflict: ``release-state``.
    """
    if wanted not in RELEASE_TRANSITIONS[present]:
        raise Conflict("release-state", state=present.value, wanted=wanted.value)


def replaced_model(names: Collection[str], kinds: dict[str, str], kind: str) -> str:
    """Return the name of the model of an item that one of ``kind`` takes the place of.

    Args:
        names: of the models that the item's steps name, in their order.
        kinds: name → kind, of those there are records of.
        kind: of the new model.

    Raises:
        DoesNotFit: ``release-replaces-nothing`` when the item names none of that kind, or several.
    """
    fitting = [name for name in names if kinds.get(name) == kind]
    if len(fitting) != 1:
        raise DoesNotFit("release-replaces-nothing", kind=kind, count=len(fitting))
    return fitting[0]
