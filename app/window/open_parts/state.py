"""What the screen of open parts shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.states import may_act_for

if TYPE_CHECKING:
    from app.station.operations.open_sessions import OpenPart
    from app.station.operations.users import SignedInUser


@dataclass(frozen=True, slots=True)
class OpenPartsState:
    """The parts that wait, and which is chosen.

    Attributes:
        parts: oldest first.
        chosen_id: session of the chosen part; None without any.
        waiting: ids of sessions that are known to wait; more than ``parts`` until those are read.
        user: who is signed in; None while nobody is.
        busy: a part is being read or cancelled.
        postponed: the person wants to do other work first.
    """

    parts: tuple[OpenPart, ...] = ()
    chosen_id: str | None = None
    waiting: frozenset[str] = frozenset()
    user: SignedInUser | None = None
    busy: bool = False
    postponed: bool = False

    @property
    def chosen(self) -> OpenPart | None:
        """The chosen part."""
        return next((part for part in self.parts if part.session_id == self.chosen_id), None)

    @property
    def may_act(self) -> bool:
        """Whether the chosen part can be gone on with now."""
        return self.chosen is not None and not self.busy

    @property
    def of_another(self) -> bool:
        """Whether the chosen part may be discarded only by whoever began it, or by somebody in charge."""
        part, user = self.chosen, self.user
        if part is None or user is None:
            return False
        return not may_act_for(part.user_id, role=user.role, user_id=user.user_id)

    @property
    def may_discard(self) -> bool:
        """Whether the chosen part can be cancelled now."""
        return self.may_act and not self.of_another
