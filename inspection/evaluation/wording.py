"""The phrases of a report in the reader's language, from ``resources/phrases/<language>/evaluation.json``."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from models.messages import Language


class Wording:
    """A report's sentences and headings in one language.

    Attributes:
        language: of them.
    """

    def __init__(self, language: Language) -> None:
        self.language: Language = language

    def text(self, key: str, **values: object) -> str:
        """Return the phrase ``key`` with ``values`` filled in.

        Raises:
            KeyError: when there is no such phrase or it names a value that was not given: both are bugs.
        """
        return phrases(self.language)[key].format(**values)


@cache
def phrases(language: Language) -> dict[str, str]:
    """Return every phrase of a report in a language, by its key."""
    file = files("resources") / "phrases" / language / "evaluation.json"
    return {str(key): str(phrase) for key, phrase in json.loads(file.read_text(encoding="utf-8")).items()}
