"""Why a part is NG, in words: the reasons of a judgement as texts in English and Japanese."""

from __future__ import annotations

from models.messages import catalogue, error_text

_PREFIX = "verdict-"


def reason_text(reason: str, language: str = "en") -> str:
    """Return one reason of an ``InspectionResult`` as a short sentence.

    Args:
        reason: a code, or a code and a name with a colon between them, such as ``measurement-high:bore``.
        language: ``en`` or ``ja``; English for any other.

    Returns:
        the text; the reason itself when this version does not know its code.
    """
    code, _, name = reason.partition(":")
    if f"{_PREFIX}{code}" not in catalogue("en"):
        return reason
    return error_text(f"{_PREFIX}{code}", {"name": name}, language).detail
