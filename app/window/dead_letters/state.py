"""What the screen of refused changes shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.station.operations.users import SignedInUser
    from sync.station.dead_letters import DeadLetter
    from sync.station.dropping import Consequences
    from sync.station.mending import ChangeField


@dataclass(frozen=True, slots=True)
class DeadLettersState:
    """The refused changes, which is chosen, and what was typed.

    Attributes:
        letters: oldest first.
        masters: ids of those that change a master.
        chosen_id: change id of the chosen one; None without any.
        field_name: name of the chosen field; None without any.
        mended: field → what was typed, of the chosen change.
        goes_along: what goes with the chosen change, while the person is asked why it is given up; None otherwise.
        user: who is signed in; None while nobody is.
        busy: a change is being sent again, given up or written to a file.
        exported: file that the changes were written to last.
        waiting: how many the store holds, as the last status said.
    """

    letters: tuple[DeadLetter, ...] = ()
    masters: frozenset[str] = frozenset()
    chosen_id: str | None = None
    field_name: str | None = None
    mended: Mapping[str, str] = field(default_factory=dict)
    goes_along: Consequences | None = None
    user: SignedInUser | None = None
    busy: bool = False
    exported: Path | None = None
    waiting: int = 0

    @property
    def chosen(self) -> DeadLetter | None:
        """The chosen change."""
        return next((letter for letter in self.letters if letter.change_id == self.chosen_id), None)

    @property
    def chosen_field(self) -> ChangeField | None:
        """The chosen field of the chosen change."""
        letter = self.chosen
        return None if letter is None else next((f for f in letter.shown_fields if f.name == self.field_name), None)

    @property
    def same_cause(self) -> int:
        """How many changes were refused for the reason of the chosen one."""
        letter = self.chosen
        return 0 if letter is None else sum(other.code == letter.code for other in self.letters)

    @property
    def dropping(self) -> bool:
        """Whether the person is asked why the chosen change is given up."""
        return self.goes_along is not None

    @property
    def may_send(self) -> bool:
        """Whether this person may send the chosen change again now."""
        letter, user = self.chosen, self.user
        if letter is None or user is None or self.busy or self.dropping:
            return False
        return user.may_train if letter.change_id in self.masters else user.may_inspect

    @property
    def may_mend(self) -> bool:
        """Whether the chosen field can be given another value now."""
        return self.may_send and self.chosen_field is not None and self.chosen_field.mendable

    @property
    def may_send_all(self) -> bool:
        """Whether all changes of the chosen one's cause can be sent again at once."""
        return self.may_send and self.same_cause > 1 and not self.mended

    @property
    def may_drop(self) -> bool:
        """Whether this person may give the chosen change up."""
        return self.chosen is not None and not self.busy and self.user is not None and self.user.may_train

    def text_of(self, shown: ChangeField) -> str:
        """Return what a field of the chosen change has now: as typed, else as it was refused."""
        return self.mended.get(shown.name, shown.text)
