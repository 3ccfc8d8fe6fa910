"""The phrases of a report in the reader's language, from ``resources/phrases/<language>/evaluation.json``."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from models.messages import Language, fill


class Wording:
    """The phrases of a report in one language.

    Attributes:
        language: of the phrases.
    """

    def __init__(self, language: Language) -> None:
        self.language: Language = language

    def text(self, key: str, **values: object) -> str:
        """Return the phrase ``key`` with ``values`` filled in.

        Raises:
            KeyError: when the phrase does not exist or needs a value that is not given: both are bugs.
        """
        return fill(phrases(self.language)[key], values)


@cache
def phrases(language: Language) -> dict[str, str]:
    """Return the phrases of a report in a language by their keys."""
    file = files("resources") / "phrases" / language / "evaluation.json"
    return {str(key): str(phrase) for key, phrase in json.loads(file.read_text(encoding="utf-8")).items()}
