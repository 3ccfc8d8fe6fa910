"""The demo's texts in the user's language, read once from ``resources/phrases/<language>/demo.json``."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from models.errors import UserFacingError
from models.messages import Language, fill


class Wording:
    """The demo's sentences and headings in one language.

    Attributes:
        language: in which it speaks.
    """

    def __init__(self, language: Language) -> None:
        self.language: Language = language

    def phrase(self, key: str, **values: object) -> str:
        """Return the phrase ``key`` with ``values`` filled in.

        Raises:
            KeyError: when there is no such phrase or it names a value that was not given: both are bugs.
        """
        return fill(phrases(self.language)[key], values)

    def trouble(self, error: UserFacingError) -> str:
        """Return an error in one line: what it is, what happened, what to do."""
        text = error.text(self.language)
        return f"{text.title}: {text.explanation}"


@cache
def phrases(language: Language) -> dict[str, str]:
    """Return every phrase of the demo in a language, by its key."""
    file = files("resources") / "phrases" / language / "demo.json"
    return {str(key): str(phrase) for key, phrase in json.loads(file.read_text(encoding="utf-8")).items()}
