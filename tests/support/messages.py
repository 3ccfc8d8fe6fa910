"""Finding a message by its code in what a command wrote; the texts themselves are tested in tests/resources."""

from __future__ import annotations

import re
import string
from typing import Literal

from models.messages import Language, catalogue

Member = Literal["title", "detail", "advice"]


def says(written: str, code: str, language: Language = "en", *, member: Member = "detail", **values: object) -> bool:
    """Return whether ``written`` holds a member of the text of ``code``, whatever its line breaks.

    Args:
        written: what a command wrote or a window shows.
        code: of the text in the catalogue.
        language: of the text.
        member: the part of the text to find.
        values: those that must be named in it; any other value may be anything.
    """
    text = " ".join(catalogue(language)[code][member].split())
    parts = list(string.Formatter().parse(text))
    unknown = values.keys() - {name for _, name, _, _ in parts}
    assert not unknown, f"the {member} of {code} names no {sorted(unknown)}"
    pattern = "".join(re.escape(literal) + _value_pattern(name, values) for literal, name, _, _ in parts)
    return re.search(pattern, " ".join(written.split())) is not None


def _value_pattern(name: str | None, values: dict[str, object]) -> str:
    if name is None:
        return ""
    return re.escape(" ".join(str(values[name]).split())) if name in values else ".*?"
