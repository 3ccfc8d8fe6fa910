"""What the screen of open parts shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.station.operations.open_sessions import OpenPart


@dataclass(frozen=True, slots=True)
class OpenPartsState:
    """The parts that wait, and which is chosen.

    Attributes:
        parts: oldest first.
        chosen_id: session of the chosen part; None without any.
        waiting: ids of sessions that are known to wait; more than ``parts`` until those are read.
        busy: a part is being read or cancelled.
        postponed: the person wants to do other work first.
    """

    parts: tuple[OpenPart, ...] = ()
    chosen_id: str | None = None
    waiting: frozenset[str] = frozenset()
    busy: bool = False
    postponed: bool = False

    @property
    def chosen(self) -> OpenPart | None:
        """The chosen part."""
        return next((part for part in self.parts if part.session_id == self.chosen_id), None)

    @property
    def may_act(self) -> bool:
        """Whether the chosen part can be gone on with or cancelled now."""
        return self.chosen is not None and not self.busy
