"""What waits here by choice, while the link to the server is paid by volume."""

from __future__ import annotations

from enum import StrEnum


class Hold(StrEnum):
    """What waits. With ``IMAGES`` the records of parts go, verdicts among them; images and models wait."""

    NOTHING = "nothing"
    IMAGES = "images"
    EVERYTHING = "everything"
