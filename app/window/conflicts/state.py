"""What the screen of conflicts shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.station.operations.users import SignedInUser
    from sync.station.conflicts import ShownConflict


@dataclass(frozen=True, slots=True)
class ConflictsState:
    """The conflicts and which is chosen.

    Attributes:
        conflicts: oldest first.
        chosen_id: id of the chosen one; None without any.
        with_seen: those that a person has decided about are shown too.
        user: who is signed in; None while nobody is.
        busy: a decision is being stored.
        waiting: how many are not decided, as the last status said.
    """

    conflicts: tuple[ShownConflict, ...] = ()
    chosen_id: str | None = None
    with_seen: bool = False
    user: SignedInUser | None = None
    busy: bool = False
    waiting: int = 0

    @property
    def chosen(self) -> ShownConflict | None:
        """The chosen conflict."""
        return next((conflict for conflict in self.conflicts if conflict.id == self.chosen_id), None)

    @property
    def may_decide(self) -> bool:
        """Whether this person may decide about the chosen conflict now."""
        return self.chosen is not None and not self.busy and self.user is not None and self.user.may_train

    @property
    def is_for_others(self) -> bool:
        """Whether somebody else has to decide: this person's role does not allow it."""
        return self.chosen is not None and self.user is not None and not self.user.may_train

    @property
    def may_keep(self) -> bool:
        """Whether the value that was kept can be left."""
        return self.may_decide and self.chosen is not None and self.chosen.seen_at is None

    @property
    def may_take(self) -> bool:
        """Whether the value that lost can be set again."""
        return self.may_decide and self.chosen is not None and self.chosen.may_take
