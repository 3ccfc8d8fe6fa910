"""Finding a message by its code in what a command wrote; the texts themselves are tested in tests/resources."""

from __future__ import annotations

import re
import string
from typing import Literal

from models.messages import Language, catalogue, fill

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
    return re.search(_pattern(code, language, member, values), _in_one_line(written)) is not None


def values_said(written: str, code: str, language: Language = "en", *, member: Member = "detail") -> dict[str, str]:
    """Return the values that a member of the text of ``code`` names in ``written``.

    Args:
        written: as for ``says``.
        code: as for ``says``.
        language: as for ``says``.
        member: as for ``says``.

    Raises:
        AssertionError: when ``written`` does not hold it.
    """
    found = re.search(_pattern(code, language, member, {}), _in_one_line(written))
    assert found is not None, f"no {member} of {code} in: {written}"
    return found.groupdict()


def _pattern(code: str, language: Language, member: Member, values: dict[str, object]) -> str:
    parts = list(string.Formatter().parse(_in_one_line(catalogue(language)[code][member])))
    unknown = values.keys() - {name for _, name, _, _ in parts}
    assert not unknown, f"the {member} of {code} names no {sorted(unknown)}"
    pattern, named = "", set[str]()
    for literal, name, form, _ in parts:
        pattern += re.escape(literal)
        if name is None:
            continue
        if form and "|" in form:
            words = form.split("|")
            pattern += re.escape(fill(f"{{{name}:{form}}}", values)) if name in values else f"(?:{'|'.join(words)})"
        elif name in values:
            pattern += re.escape(_in_one_line(str(values[name])))
        else:
            pattern += f"(?P={name})" if name in named else f"(?P<{name}>.*?)"
            named.add(name)
    # Nothing follows that would tell where a value at the very end ends: it counts up to the next space.
    return re.sub(r"\.\*\?\)$", r"\\S*)", pattern)


def _in_one_line(text: str) -> str:
    return " ".join(text.split())
