"""Finding a message by its code in what a command wrote; the texts themselves are tested in tests/resources."""

from __future__ import annotations

import re
import string

from models.messages import Language, catalogue


def says(written: str, code: str, language: Language = "en") -> bool:
    """Return whether ``written`` holds the detail of ``code``, whatever its values and line breaks."""
    detail = " ".join(catalogue(language)[code]["detail"].split())
    parts = string.Formatter().parse(detail)
    pattern = "".join(re.escape(literal) + (".*?" if name is not None else "") for literal, name, _, _ in parts)
    return re.search(pattern, " ".join(written.split())) is not None
