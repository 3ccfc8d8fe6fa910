"""Notes on the items that are inspected: each is shown once, and removed when it no longer holds."""

from __future__ import annotations

from collections.abc import Sequence

from app.window.presenting.notices import Level, Notices
from app.window.work.state import SCREEN
from models.errors import UserFacingError


class ItemNotes:
    """Shows notes of items in the banner of the work screen."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self._shown: dict[str, set[str]] = {}

    def show(self, item_id: str, notes: Sequence[UserFacingError]) -> None:
        """Show those that were not shown with the part before, and remove those that no longer hold."""
        known = self._shown.get(item_id, set())
        found = {f"item:{item_id}:{note}": note for note in notes}
        for about in known - found.keys():
            self._notices.clear(about)
        for about, note in found.items():
            if about not in known:
                self._notices.add(about, note, level=Level.HINT, screen=SCREEN)
        self._shown[item_id] = set(found)

    def clear(self) -> None:
        """Remove everything; it is shown again when it is found again."""
        for item_id in list(self._shown):
            self.show(item_id, ())
        self._shown.clear()
