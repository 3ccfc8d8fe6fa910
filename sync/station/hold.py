"""What waits here by choice, or because the link to the server is paid by volume."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Hold(StrEnum):
    """What waits. With ``IMAGES`` the records of parts go, verdicts among them; images and models wait."""

    NOTHING = "nothing"
    IMAGES = "images"
    EVERYTHING = "everything"


class MeteredLink(StrEnum):
    """Whether the link counts as paid by volume: as the system says, always, or never."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def is_metered(link: MeteredLink, ask_system: Callable[[], bool | None]) -> bool | None:
    """Return whether the link counts as paid by volume; None when that is left to a system that does not know.

    Args:
        link: the setting, which overrules the system.
        ask_system: called only when the setting leaves it to the system.
    """
    decided = {MeteredLink.ALWAYS: True, MeteredLink.NEVER: False}
    return decided[link] if link in decided else ask_system()
