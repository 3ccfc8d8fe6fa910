"""What a person should know of the items that are inspected: told once, and taken back when it is so no more."""

from __future__ import annotations

from collections.abc import Sequence

from app.window.presenting.notices import Level, Notices
from models.errors import UserFacingError


class ItemNotes:
    """Tells notes of items in the banner of the work screen."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self._told: dict[str, set[str]] = {}

    def tell(self, item_id: str, notes: Sequence[UserFacingError]) -> None:
        """Tell those that were not told with the part before, and take back those that hold no more."""
        known = self._told.get(item_id, set())
        found = {f"item:{item_id}:{note}": note for note in notes}
        for about in known - found.keys():
            self._notices.clear(about)
        for about, note in found.items():
            if about not in known:
                self._notices.tell(about, note, level=Level.HINT, screen="work")
        self._told[item_id] = set(found)

    def clear(self) -> None:
        """Take everything back, to be told again when it is found again."""
        for item_id in list(self._told):
            self.tell(item_id, ())
        self._told.clear()
