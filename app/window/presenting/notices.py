"""Notices of the banner: errors and hints by subject, so that each is removed when its cause is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.window.presenting.event import Event
from models.errors import UserFacingError
from models.messages import ErrorText, Language, catalogue, error_text


class Level(StrEnum):
    """How much a notice matters."""

    HINT = "hint"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice.

    Attributes:
        about: its subject; a newer notice about the same replaces it.
        error: carries the text in both languages.
        screen: the one screen it matters on; None for all of them.
        retry: called when the person wants to try again; None when that would not help.
        personal: it answers what a person did, and goes with that person; else it is a fact about the station, which
            stays for the next one.
    """

    about: str
    error: UserFacingError
    level: Level = Level.TROUBLE
    retry: Callable[[], object] | None = None
    screen: str | None = None
    personal: bool = False


def notice_text(error: UserFacingError, language: Language, settings_file: Path) -> ErrorText:
    """Return the text of an error for a person at the window, who has no options of a command.

    Args:
        error: whose text it is; where there is one for the window, its code after ``window-``, that is taken.
        language: of the text.
        settings_file: of this station, which such a text may name.
    """
    code = f"window-{error.code}"
    if code in catalogue(language):
        return error_text(code, {**error.values, "settings": str(settings_file)}, language)
    return error.text(language)


class Notices:
    """All present notices; the banner shows the newest trouble first.

    Events:
        changed: the notice to show, None without any.
    """

    def __init__(self) -> None:
        self._notices: dict[str, Notice] = {}
        self._kept: dict[str | None, dict[str, Notice]] = {}
        self._screen = ""
        self.changed: Event[Notice | None] = Event()

    @property
    def shown(self) -> Notice | None:
        """The notice to show: the newest trouble, else the newest hint, else None."""
        newest_first = [notice for notice in reversed(self._notices.values()) if notice.screen in {None, self._screen}]
        return next((notice for notice in newest_first if notice.level is Level.TROUBLE), None) or next(
            iter(newest_first), None
        )

    def show_for(self, screen: str) -> None:
        """Show what matters on ``screen`` from now on."""
        self._screen = screen
        self.changed.emit(self.shown)

    def add(
        self,
        about: str,
        error: UserFacingError,
        *,
        level: Level = Level.TROUBLE,
        retry: Callable[[], object] | None = None,
        screen: str | None = None,
        personal: bool = False,
    ) -> None:
        """Add a notice of ``error``; it replaces the one about the same subject."""
        self._notices.pop(about, None)
        self._notices[about] = Notice(about, error, level, retry, screen, personal)
        self.changed.emit(self.shown)

    def clear(self, about: str) -> None:
        """Remove the notice about ``about``."""
        if self._notices.pop(about, None) is not None:
            self.changed.emit(self.shown)

    def keep_for(self, user_id: str | None, notice: Notice) -> None:
        """Keep an answer to what a person did until they are at the station again; None while nobody was signed in."""
        self._kept.setdefault(user_id, {})[notice.about] = notice

    def change_person(self, user_id: str | None) -> None:
        """Remove the answers to the last person and add what was kept for who is there now; None when nobody is."""
        stay = {about: notice for about, notice in self._notices.items() if not notice.personal}
        kept = self._kept.pop(user_id, {})
        self._notices = {about: notice for about, notice in stay.items() if about not in kept} | kept
        self.changed.emit(self.shown)

    def dismiss(self) -> None:
        """Remove the notice that is shown."""
        shown = self.shown
        if shown is not None:
            self.clear(shown.about)
